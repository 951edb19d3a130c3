"""What runs ask of an operator, for the doors by which one is there: to hear of it, to look at it, to answer.

Who may is decided here. Knows no door and nothing of what is asked.
"""

from collections.abc import Awaitable, Callable

from openclaw_gateway.gateway.principal import APPROVALS, Principal
from openclaw_gateway.runs.open_questions import Settled
from openclaw_gateway.runs.questions import Questions, Told
from openclaw_gateway.wire.approvals import ApprovalRequested, CommandQuestion, Decision


class Approvals:
    """Each method but `attend` raises Forbidden."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def attend(self, principal: Principal, told: Told) -> Callable[[], None]:
        """The caller is there to be asked, if he may answer, until the returned function is called; `told`
        hears of his questions and their ends."""
        if not principal.may(APPROVALS):
            return _nothing
        return self._questions.attend(principal.owner, told)

    def open(self, principal: Principal) -> tuple[ApprovalRequested, ...]:
        """The caller's questions that are open, oldest first."""
        principal.require(APPROVALS)
        return self._questions.open(principal.owner)

    def find(self, principal: Principal, id_: str) -> ApprovalRequested:
        """Raises NotFound."""
        principal.require(APPROVALS)
        return self._questions.find(principal.owner, id_)

    def answer(self, principal: Principal, id_: str, decision: Decision, by: str) -> Settled:
        """As the client `by`. Raises NotFound, InvalidRequest."""
        principal.require(APPROVALS)
        return self._questions.answer(principal.owner, id_, decision, by)

    async def put(
        self,
        principal: Principal,
        question: CommandQuestion,
        *,
        timeout_s: float,
        id_: str | None,
        told: Callable[[ApprovalRequested], Awaitable[None]],
    ) -> tuple[ApprovalRequested, Decision | None]:
        """Ask for the caller whoever is there of his own, himself too. Raises ShuttingDown, Overloaded,
        InvalidRequest."""
        principal.require(APPROVALS)
        return await self._questions.put(principal.owner, question, timeout_s=timeout_s, id_=id_, told=told)

    async def decision(
        self, principal: Principal, id_: str
    ) -> tuple[ApprovalRequested | None, Decision | None]:
        """How a question ends. Raises NotFound."""
        principal.require(APPROVALS)
        return await self._questions.decision(principal.owner, id_)


def _nothing() -> None:
    pass
