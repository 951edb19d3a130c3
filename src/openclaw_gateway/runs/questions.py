"""Questions of tools to the operator: who may be asked, the wait for an answer, what is remembered.

Who may be asked is whoever attends: a client that is connected and may answer for the owner of the run. With
nobody there the answer is no at once; else it is waited for, for a bounded time, while clients may leave and
come back; a conversation in which nobody answered does without for a while. The wait ends with the run and
with the gateway, and so that clients close their dialogs they are told of every end. Knows no door and
nothing of commands.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import structlog

from openclaw_gateway.errors import InvalidRequest, NotFound, Overloaded, ShuttingDown
from openclaw_gateway.runs.earlier_answers import EarlierAnswers
from openclaw_gateway.runs.foreign_questions import ForeignQuestions
from openclaw_gateway.runs.open_questions import OpenQuestions, Settled
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.tools.base import Reply, ToolContext
from openclaw_gateway.wire.approvals import (
    ApprovalRequested,
    ApprovalResolved,
    CommandQuestion,
    Decision,
    Unanswered,
)

log = structlog.get_logger()

# As long as OpenClaw's first versions waited.
TIMEOUT_S = 120.0

News = ApprovalRequested | ApprovalResolved
Told = Callable[[News], None]
Unasked = Literal["nobody", "silent", "full", "shutdown"]


class Beyond(Protocol):
    """The other processes of this gateway."""

    def is_attended(self, owner: str) -> bool:
        """Whether somebody who may answer for this owner is at one of them."""

    def attending(self) -> None:
        """Others than before are there at this one."""

    def told(self, owner: str, news: News) -> None:
        """What became of a question of this process's own."""

    def answered(self, owner: str, id_: str, decision: Decision, by: str) -> None:
        """A question of theirs, here."""

    def allowed(self, conversation: str, what: bytes, since: str) -> None:
        """What a conversation's later runs may do there, too, as long as that `begun` is the same."""

    async def begun(self, owner: str, session: str) -> str | None:
        """With what a session's conversation begins: something else once it was begun anew, by whichever
        process. None = that is not to be had now."""


class Questions:
    """`timeout_s` is how long an answer is waited for; `earlier` is what came of a conversation's questions
    before, `foreign` are those of other processes."""

    def __init__(self, table: OpenQuestions | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self._table = table or OpenQuestions()
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        # Until when those are waited for, by the loop's clock.
        self._until: dict[str, float] = {}
        self._attending: dict[str, list[Told]] = {}
        self._closed = False
        self._beyond: Beyond | None = None
        self.earlier = EarlierAnswers()
        self.foreign = ForeignQuestions(self._table, self._tell_here)

    def go_beyond(self, beyond: Beyond) -> None:
        """From now on whoever is there at other processes may be asked, too."""
        self._beyond = beyond

    def attending(self) -> tuple[str, ...]:
        """The owners for whom somebody is there."""
        return tuple(self._attending)

    def own(self, owner: str) -> tuple[ApprovalRequested, ...]:
        """Those of this process that wait for an answer."""
        return tuple(asked for asked in self._table.of(owner) if asked.id in self._waiting)

    def left_ms(self, id_: str) -> int | None:
        """How long an answer is waited for yet; None of a question that this process does not ask."""
        until = self._until.get(id_)
        return None if until is None else max(0, int((until - asyncio.get_running_loop().time()) * 1000))

    def attend(self, owner: str, told: Told) -> Callable[[], None]:
        """Somebody is there to ask, until the returned function is called; he is told at once what is open.
        `told` must be quick and not raise."""
        self.earlier.is_there(owner)
        present = self._attending.setdefault(owner, [])
        present.append(told)
        self._has_others()
        for asked in self._table.of(owner):
            told(asked)

        def leave() -> None:
            if told in present:
                present.remove(told)
            if not present and self._attending.get(owner) is present:
                del self._attending[owner]
                self._has_others()

        return leave

    async def ask(self, context: ToolContext, question: CommandQuestion) -> Reply:
        owner, conversation = context.origin.owner, context.conversation
        # Who speaks himself is there, whatever he did not answer before.
        silence = conversation if context.origin.door == "http" else f"run {context.run_id}"
        unasked = self._unasked(owner, conversation, silence)
        if unasked == "nobody":
            return unasked
        if unasked is not None:
            log.info("approval.not_asked", run=context.run_id, reason=unasked, open=len(self._table))
            return unasked
        asked = self._asked(question, self.timeout_s)
        log.info("approval.asked", id=asked.id, run=context.run_id, agent=question.agent_id)
        context.update("[waiting for the operator's answer]\n")
        reply = await self._answer_to(owner, conversation, asked, self.timeout_s)
        if reply == "expired" and self._is_attended(owner):
            self.earlier.fell_silent(silence, owner)
        return reply

    async def put(
        self,
        owner: str,
        question: CommandQuestion,
        *,
        timeout_s: float,
        id_: str | None,
        told: Callable[[ApprovalRequested], Awaitable[None]],
    ) -> tuple[ApprovalRequested, Decision | None]:
        """Ask for a client of this owner; it ends with whoever awaits this. `told` hears of the question
        once it is open, `id_` is what it is called. None: nobody answered.

        Raises ShuttingDown, Overloaded, InvalidRequest (the id is taken).
        """
        if self._closed:
            raise ShuttingDown
        conversation = f"clients of {owner}"
        if not self._table.has_room(conversation):
            raise Overloaded("Too many questions wait for an answer already.", retry_after=10)
        asked = self._asked(question, timeout_s, id_)
        if self._is_taken(owner, asked.id):
            raise InvalidRequest("approval id already pending", code="approval_id_taken", param="id")
        log.info("approval.asked", id=asked.id, client=owner)
        # Nothing may come between the looks above and its opening: who asks at the same moment finds it.
        reply = await self._answer_to(owner, conversation, asked, timeout_s, told)
        return asked, _decided(reply)

    async def decision(self, owner: str, id_: str) -> tuple[ApprovalRequested | None, Decision | None]:
        """How a question ends, or has ended; None for one that nobody answered. Raises NotFound."""
        settled = self._table.settled(owner, id_)
        if id_ in self.foreign and (settled is not None or self._table.find(owner, id_) is not None):
            return self._table.find(owner, id_), await self.foreign.decision(id_)
        if settled is not None:
            return None, settled.decision
        asked, waiting = self.find(owner, id_), self._waiting[id_]
        # Not awaited itself: who waits here may leave without ending the question.
        await asyncio.wait({waiting})
        return asked, None if waiting.cancelled() else _decided(waiting.result())

    def _is_taken(self, owner: str, id_: str) -> bool:
        is_open = id_ in self._waiting or id_ in self.foreign or self._table.is_open(id_)
        return is_open or self._table.settled(owner, id_) is not None

    def _asked(
        self, question: CommandQuestion, timeout_s: float, id_: str | None = None
    ) -> ApprovalRequested:
        created = now_ms()
        return ApprovalRequested(
            id_ or secrets.token_hex(6), question, created, created + int(timeout_s * 1000)
        )

    async def _answer_to(
        self,
        owner: str,
        conversation: str,
        asked: ApprovalRequested,
        timeout_s: float,
        told: Callable[[ApprovalRequested], Awaitable[None]] | None = None,
    ) -> Reply:
        """Open from the call on, until somebody answers, the time is up, or whoever asked has left."""
        self._table.add(owner, conversation, asked)
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[asked.id] = waiting
        self._until[asked.id] = asyncio.get_running_loop().time() + timeout_s
        self._tell(owner, asked)
        ended: Unanswered = "run-ended"
        try:
            async with asyncio.timeout(timeout_s):
                if told is not None:
                    await told(asked)
                answer = await waiting
        except TimeoutError:
            if waiting.done() and not waiting.cancelled():
                # The answer and the end of the wait came together.
                return waiting.result()
            ended = "expired"
            return ended
        else:
            if answer == "shutdown":
                ended = answer
            return answer
        finally:
            del self._waiting[asked.id], self._until[asked.id]
            if self._table.give_up(asked.id):
                log.info("approval.unanswered", id=asked.id, reason=ended)
                self._tell(owner, ApprovalResolved(asked.id, "deny", None, now_ms(), asked.request, ended))

    def _unasked(self, owner: str, conversation: str, silence: str) -> Unasked | None:
        """Why nobody is asked."""
        if self._closed:
            return "shutdown"
        if not self._is_attended(owner):
            return "nobody"
        if self.earlier.is_silent(silence):
            # A client that is connected is not always somebody who looks.
            return "silent"
        return None if self._table.has_room(conversation) else "full"

    def open(self, owner: str) -> tuple[ApprovalRequested, ...]:
        """The questions that wait for an answer, oldest first."""
        return self._table.of(owner)

    def find(self, owner: str, id_: str) -> ApprovalRequested:
        """Raises NotFound: it never was, has ended, or is another owner's."""
        found = self._table.find(owner, id_)
        if found is None:
            raise _unknown()
        return found

    def answer(self, owner: str, id_: str, decision: Decision, by: str) -> Settled:
        """Answer a question as the client `by`; who says again what was said before has no error.

        Raises NotFound as `find` does, and InvalidRequest for a decision that is not open, or when somebody
        has decided otherwise.
        """
        self.earlier.is_there(owner)
        asked = self._table.find(owner, id_)
        if asked is not None and decision not in asked.request.decisions:
            raise InvalidRequest(
                f"{decision} is unavailable for this command, which may be answered with: "
                f"{', '.join(asked.request.decisions)}.",
                code="approval_decision_unavailable",
                param="decision",
            )
        waiting = self._waiting.get(id_)
        if asked is not None and id_ in self.foreign:
            return self._answer_elsewhere(owner, asked, decision, by)
        if asked is not None and (waiting is None or waiting.done()):
            # It has ended, and whoever asked is about to say so.
            raise _unknown()
        settled = self._table.settle(owner, id_, decision, by)
        if settled is None:
            raise _unknown()
        if settled.decision != decision:
            raise InvalidRequest(
                f"approval already resolved: {settled.by} said {settled.decision}.",
                code="approval_already_resolved",
            )
        if settled.first and asked is not None and waiting is not None:
            log.info("approval.answered", id=id_, decision=decision, by=by)
            waiting.set_result(decision)
            self._tell(owner, ApprovalResolved(id_, decision, by, now_ms(), asked.request))
        return settled

    def _answer_elsewhere(self, owner: str, asked: ApprovalRequested, decision: Decision, by: str) -> Settled:
        settled = self._table.settle(owner, asked.id, decision, by)
        if settled is None:
            raise _unknown()
        log.info("approval.answered", id=asked.id, decision=decision, by=by)
        if self._beyond is not None:
            self._beyond.answered(owner, asked.id, decision, by)
        self._tell_here(owner, ApprovalResolved(asked.id, decision, by, now_ms(), asked.request))
        return settled

    async def remember(self, context: ToolContext, what: bytes) -> None:
        """It was allowed for as long as the conversation lasts."""
        since = await self._begun(context)
        if since is None:
            return
        self.earlier.allow(context.conversation, what, since)
        if context.session_key is not None and self._beyond is not None:
            self._beyond.allowed(context.conversation, what, since)

    async def remembered(self, context: ToolContext) -> frozenset[bytes]:
        """News of a new beginning may have been lost: that there was none is not taken from them."""
        allowed = self.earlier.allowed(context.conversation)
        since = await self._begun(context) if allowed else None
        return frozenset(what for what, begun in allowed.items() if begun == since)

    async def _begun(self, context: ToolContext) -> str | None:
        if self._beyond is None or context.session_key is None:
            return ""
        return await self._beyond.begun(context.origin.owner, context.session_key)

    def close(self) -> None:
        """The gateway shuts down: what is open is a no, and nothing more is asked."""
        self._closed = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result("shutdown")

    def _is_attended(self, owner: str) -> bool:
        return owner in self._attending or (self._beyond is not None and self._beyond.is_attended(owner))

    def _has_others(self) -> None:
        if self._beyond is not None:
            self._beyond.attending()

    def _tell(self, owner: str, news: News) -> None:
        if self._beyond is not None:
            self._beyond.told(owner, news)
        self._tell_here(owner, news)

    def _tell_here(self, owner: str, news: News) -> None:
        for told in tuple(self._attending.get(owner, ())):
            told(news)


def _decided(reply: Reply) -> Decision | None:
    match reply:
        case "allow-once" | "allow-session" | "allow-always" | "deny":
            return reply
        case _:
            return None


def _unknown() -> NotFound:
    return NotFound(
        "unknown or expired approval id. exec.approval.list has those that are open.",
        code="approval_not_found",
    )
