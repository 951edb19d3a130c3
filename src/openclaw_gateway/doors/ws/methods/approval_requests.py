"""`exec.approval.request` and `.waitDecision`: a client asks whether a command may run, and waits.

Names and shapes are OpenClaw's; of its params only what is shown to a person is used. The command runs where
the client runs it, or not at all: nothing is run or remembered here, whatever is decided. The question ends
with the client that asks.
"""

from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.principal import APPROVALS
from openclaw_gateway.wire.approvals import OURS, ApprovalRequested, CommandQuestion, Decision

_USUAL_S = 120.0
_MOST_MS = 1_800_000
# Everybody who may answer is sent it, and again at its end, and whoever connects meanwhile.
_MOST_ARGV = 65_536
_Id = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[!-~]+$")]
_Name = Annotated[str, Meta(max_length=512)]
_Path = Annotated[str, Meta(max_length=4_096)]
_Command = Annotated[str, Meta(min_length=1, max_length=32_768)]


class Plan(Struct, frozen=True, rename="camel"):
    command_text: _Command
    cwd: _Path | None = None
    agent_id: _Name | None = None
    session_key: _Name | None = None


class RequestParams(Struct, frozen=True, rename="camel"):
    """`two_phase`: that it is open is answered first, the decision after it."""

    id: _Id | None = None
    command: _Command | None = None
    command_argv: Annotated[tuple[_Command, ...], Meta(max_length=1_024)] | None = None
    system_run_plan: Plan | None = None
    env: Annotated[dict[_Name, str], Meta(max_length=256)] | None = None
    cwd: _Path | None = None
    host: Annotated[str, Meta(max_length=64)] | None = None
    security: Annotated[str, Meta(max_length=64)] | None = None
    ask: Annotated[str, Meta(max_length=64)] | None = None
    warning_text: Annotated[str, Meta(max_length=4_096)] | None = None
    unavailable_decisions: tuple[Literal["allow-always"], ...] = ()
    agent_id: _Name | None = None
    resolved_path: _Path | None = None
    session_key: _Name | None = None
    timeout_ms: Annotated[int, Meta(ge=1)] | None = None
    two_phase: bool = False


class WaitParams(Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=256)]


async def _request(call: MethodCall, params: RequestParams) -> object:
    """Raises Forbidden, InvalidRequest, Overloaded."""
    timeout_s = _USUAL_S if params.timeout_ms is None else min(params.timeout_ms, _MOST_MS) / 1000

    async def told(asked: ApprovalRequested) -> None:
        if params.two_phase:
            await call.reply({"status": "accepted", **_times(asked)})

    asked, decision = await call.gateway.approvals.put(
        call.principal, _question(params, call.client), timeout_s=timeout_s, id_=params.id, told=told
    )
    return {**_times(asked), "decision": decision}


async def _wait(call: MethodCall, params: WaitParams) -> object:
    """Raises Forbidden, NotFound."""
    asked, decision = await call.gateway.approvals.decision(call.principal, params.id)
    return {"id": params.id, **({} if asked is None else _times(asked)), "decision": decision}


def _question(params: RequestParams, client: str) -> CommandQuestion:
    """Raises InvalidRequest for what cannot be shown as what it is."""
    plan = params.system_run_plan or Plan("-")
    command = params.command or (plan.command_text if params.system_run_plan else "")
    if not command.strip():
        raise invalid("exec.approval.request", "command is required", "command")
    if not _can_be_shown(command):
        raise invalid(
            "exec.approval.request",
            "command has characters that a person cannot see; write it without them",
            "command",
        )
    allowed: tuple[Decision, ...] = tuple(
        one for one in get_args(Decision) if one not in (OURS, *params.unavailable_decisions)
    )
    argv = params.command_argv
    if argv is not None and sum(map(len, argv)) > _MOST_ARGV:
        why = f"commandArgv has more than {_MOST_ARGV:,} characters in all"
        raise invalid("exec.approval.request", why, "commandArgv")
    warning = f"{params.warning_text.strip()} " if params.warning_text and params.warning_text.strip() else ""
    return CommandQuestion(
        command=command,
        command_argv=argv if argv is not None and all(map(_can_be_shown, argv)) else None,
        cwd=_shown(params.cwd or plan.cwd) or "",
        host=_shown(params.host) or "gateway",
        security=_shown(params.security) or "allowlist",
        ask=_shown(params.ask) or "always",
        agent_id=_shown(params.agent_id or plan.agent_id),
        resolved_path=_shown(params.resolved_path),
        session_key=_shown(params.session_key or plan.session_key),
        env_keys=tuple(_shown(name) or "" for name in sorted(params.env or {})),
        warning_text=f"{_shown(warning) or ''}Asked by the client {_shown(client)}, which would run it.",
        decisions=allowed,
        allowed_decisions=allowed,
        door="websocket",
        user=None,
        run_id=None,
        tool_call_id=None,
    )


def _times(asked: ApprovalRequested) -> dict[str, Any]:
    return {"id": asked.id, "createdAtMs": asked.created_at_ms, "expiresAtMs": asked.expires_at_ms}


def _can_be_shown(text: str) -> bool:
    return all(char.isprintable() or char in "\n\t" for char in text)


def _shown(text: str | None) -> str | None:
    return None if not text else "".join(char if char.isprintable() else "?" for char in text)


METHODS = (
    Method("exec.approval.request", APPROVALS, RequestParams, _request),
    Method("exec.approval.waitDecision", APPROVALS, WaitParams, _wait),
)
