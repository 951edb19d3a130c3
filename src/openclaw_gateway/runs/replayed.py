"""A run that has ended earlier and whose answer was kept: told again to whoever repeats its request.

To a door it is a run like any other; it executes nothing, and its log is as short as its result allows.
"""

from collections.abc import Callable, Sequence

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.store import RunRecord
from openclaw_gateway.wire.events import (
    Event,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
)
from openclaw_gateway.wire.run import RunRequest, RunResult


class ReplayedRun(Run):
    """`record` and `result` are what the store has of the first run, whose id and time this one has."""

    def __init__(
        self,
        request: RunRequest,
        plan: Plan,
        bus: Bus,
        record: RunRecord,
        result: RunResult,
        *,
        told: Sequence[Event] | None = None,
    ) -> None:
        """`told` is all that the first run said, where that is still known: then it `tells_all`, in the same
        pieces."""
        super().__init__(request, plan, bus)
        self.id = record.id
        self.created_ms = record.created_ms
        self.keeps_answer = True
        self._log = _events(request, record, result) if told is None else told
        self.tells_all = told is not None
        self.emitted = len(self._log)
        self._close(result)

    def events(self, after: int = 0) -> "_Log":
        return _Log(self._log, after)


class _Log:
    """A log that is complete (`sessions.bus.Subscription`)."""

    def __init__(self, events: Sequence[Event], after: int) -> None:
        self._left = events[after:]

    async def batch(self, wait_s: float | None = None) -> Sequence[Event]:
        left, self._left = self._left, ()
        if not left:
            raise EventsGone("This answer has been told to its end.")
        return left

    def offer(self, take: Callable[[Sequence[Event]], bool] | None) -> None:
        """There is never anything new."""

    def rouse(self) -> None:
        """Nobody waits."""

    def close(self) -> None:
        pass


def _events(request: RunRequest, record: RunRecord, result: RunResult) -> tuple[Event, ...]:
    ended_ms = record.created_ms if record.ended_ms is None else record.ended_ms
    events: list[Event] = [RunStarted(record.id, record.agent, request.session_key, record.created_ms)]
    if result.reasoning:
        events.append(ReasoningDelta(result.reasoning))
    if result.text:
        events.append(TextDelta(result.text))
    for index, call in enumerate(result.tool_calls):
        events += (ToolCallStarted(index, call.id, call.name), ToolCallArguments(index, call.arguments))
    return (*events, RunEnded(result, ended_ms))
