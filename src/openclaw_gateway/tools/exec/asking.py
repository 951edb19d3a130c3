"""A command that needs a person's consent, asked about: the question, the answer, what is remembered of it.

Between the judgement (permission.py, on a thread) and whoever asks (the services' `questions`). After a yes
the command is judged again, and runs only if it is still what was shown.
"""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

import structlog

from openclaw_gateway.errors import ApprovalsUnusable, ToolError
from openclaw_gateway.tools.base import Reply, ToolContext, ToolServices
from openclaw_gateway.tools.exec.approvals import BrokenApprovals, KeptApprovals, allow
from openclaw_gateway.tools.exec.consent import Shown, Unasked
from openclaw_gateway.tools.exec.permission import Consent, NeedsConsent, Permit, Wish, permit
from openclaw_gateway.wire.approvals import OURS, CommandQuestion, Decision

log = structlog.get_logger()

_MAX_USER = 64
_CHANGED = (
    "Not run: the operator agreed, but a file that it runs or a rule was changed meanwhile. Call it again."
)
_NO = "the operator was asked and said no. Do not try it in another way; go on without it"


async def permitted(wish: Wish, services: ToolServices, context: ToolContext, *, sandboxed: bool) -> Permit:
    """What may run, after asking if need be. Raises ToolError."""
    conversation, approvals = context.conversation, services.approvals

    async def judged(consent: Consent) -> Permit:
        return await services.jobs.on_thread(
            lambda: permit(wish, services.state_dir, services.environ, approvals, consent=consent),
            conversation,
        )

    questions = services.questions
    if questions is None:
        return _without(await _needed(judged, _never), "nobody")
    allowed = await questions.remembered(context)
    known = await _needed(judged, lambda shown: _name(shown, sandboxed) in allowed)
    if isinstance(known, Permit):
        return known
    unasked = known.unasked
    answer = await questions.ask(context, question_of(unasked, context, sandboxed=sandboxed))
    if answer not in ("allow-once", "allow-session", "allow-always"):
        return _without(known, answer)
    if answer == "allow-session":
        await questions.remember(context, _name(unasked.shown, sandboxed))
    elif answer == "allow-always":
        await _write(approvals, wish.agent_id, unasked.patterns)
    again = await _needed(judged, lambda shown: shown == unasked.shown)
    if isinstance(again, NeedsConsent):
        raise ToolError(_CHANGED)
    return again


def _name(shown: Shown, sandboxed: bool) -> bytes:
    """Of what would run: another one for whatever differs."""
    return blake2b(repr((sandboxed, shown)).encode(errors="backslashreplace"), digest_size=32).digest()


def question_of(unasked: Unasked, context: ToolContext, *, sandboxed: bool) -> CommandQuestion:
    """Pure."""
    shown, origin = unasked.shown, context.origin
    decisions = _decisions(unasked)
    return CommandQuestion(
        command=shown.command,
        command_argv=shown.argv,
        cwd=shown.cwd,
        host="sandbox" if sandboxed else "gateway",
        security=unasked.security,
        ask=unasked.ask,
        agent_id=context.agent_id,
        resolved_path=shown.programs[0].path if shown.programs else None,
        session_key=context.session_key,
        env_keys=tuple(name for name, _ in shown.variables),
        warning_text=_warning(unasked, context),
        decisions=decisions,
        allowed_decisions=tuple(one for one in decisions if one != OURS),
        door=origin.door,
        user=None if origin.user is None else _printable(origin.user),
        run_id=context.run_id,
        tool_call_id=context.call_id,
    )


def _decisions(unasked: Unasked) -> tuple[Decision, ...]:
    remembered: tuple[Decision, ...] = () if unasked.each_time else ("allow-session",)
    always: tuple[Decision, ...] = ("allow-always",) if unasked.patterns else ()
    return ("allow-once", *remembered, *always, "deny")


def _warning(unasked: Unasked, context: ToolContext) -> str:
    reason = unasked.reason[:1].upper() + unasked.reason[1:]
    return f"{reason}. Wanted by {_who(context)}.{_always(unasked)}"


def _who(context: ToolContext) -> str:
    user = "" if context.origin.user is None else f", user {_printable(context.origin.user)!r}"
    session = "no session" if context.session_key is None else f"session {_printable(context.session_key)}"
    return f"agent {context.agent_id} over {_DOORS[context.origin.door]}{user}, {session}"


_DOORS = {"http": "HTTP", "websocket": "the WebSocket", "terminal": "the terminal"}


def _always(unasked: Unasked) -> str:
    if not unasked.patterns:
        return ""
    return f" allow-always writes: {', '.join(map(repr, unasked.patterns))}."


def _without(known: Permit | NeedsConsent, answer: Reply) -> Permit:
    """Where nobody said yes. Raises ToolError."""
    if isinstance(known, Permit):
        return known
    if answer == "deny":
        raise ToolError(f"Not run: {_NO}.")
    if answer == "nobody" and known.otherwise is not None:
        return known.otherwise
    raise ToolError(f"Not run: {known.unasked.reason}. {_SILENCE[answer]}{known.remedy}")


_SILENCE = {
    "nobody": "Nobody was there to ask.",
    "expired": "The operator was asked and did not answer in time.",
    "silent": "The operator was asked in this conversation before, and did not answer.",
    "full": "The operator was not asked, for too many questions wait for him.",
    "shutdown": "The operator was not asked, for the gateway is shutting down.",
}


async def _needed(judged: Callable[[Consent], Awaitable[Permit]], consent: Consent) -> Permit | NeedsConsent:
    try:
        return await judged(consent)
    except NeedsConsent as needed:
        return needed


def _never(_: Shown) -> bool:
    return False


async def _write(approvals: KeptApprovals, agent_id: str, patterns: tuple[str, ...]) -> None:
    """As `openclaw approvals allow` does. What cannot be written is allowed this once."""

    def act(document: dict[str, Any]) -> None:
        for pattern in patterns:
            allow(document, agent_id, pattern)

    try:
        await approvals.change(act)
    except (BrokenApprovals, ApprovalsUnusable) as error:
        log.warning("approval.not_written", agent=agent_id, patterns=patterns, error=str(error))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:_MAX_USER])
