"""The event log of one run in this process, its readers, and how they wait.

A reader holds its log by reference: a log that the bus has dropped is still read to its end. Knows
nothing of the bus or its bounds.
"""

import asyncio
import math
from collections.abc import Callable, Sequence

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.wire.events import (
    Event,
    ReasoningDelta,
    RunEnded,
    TextDelta,
    ToolCallArguments,
    ToolEnded,
    ToolStarted,
    ToolUpdated,
)

NO_TOKEN = -1
# An event's object, its places in the log and in the collector's list, without its text.
_EVENT_BYTES = 80
# A short text's object, and its place in a tuple.
_PIECE_BYTES = 57


class EventLog:
    """Events with indices `base` to `base + len(events)` of one run, and who waits for more.

    `size` is about how many bytes of memory the first `weighed` of them hold: weighing is put off, because
    most logs are short and forgotten before anybody needs to know. `weigh_at` is at how many events it is
    due; 0 = by the next event.
    """

    __slots__ = (
        "base",
        "cut",
        "ended",
        "events",
        "forgotten",
        "readers",
        "run_id",
        "size",
        "token",
        "waiters",
        "weigh_at",
        "weighed",
    )

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.token = NO_TOKEN
        self.base = 0
        self.size = 0
        self.weighed = 0
        self.weigh_at = 0
        self.events: list[Event] = []
        self.ended = False
        self.cut = False
        self.forgotten = False
        self.readers = 0
        self.waiters: list[LogReader] = []

    def wake(self) -> None:
        """There is something new, or there will be nothing more."""
        self.waiters = list(filter(LogReader.waits_on, self.waiters))

    def clear(self, base: int) -> None:
        """Begin anew at an index; a list that a reader was given stays as it is."""
        self.events = []
        self.size = self.weighed = self.weigh_at = 0
        self.base = base

    def weigh(self) -> None:
        self.size += weight(self.events[self.weighed :])
        self.weighed = len(self.events)

    def trim(self, most_events: int, most_bytes: int) -> None:
        """Drop the oldest of a weighed log until the bounds hold, but never the newest."""
        events, size, surplus = self.events, self.size, 0
        last = len(events) - 1
        while surplus < last and (len(events) - surplus > most_events or size > most_bytes):
            size -= weight(events[surplus : surplus + 1])
            surplus += 1
        del events[:surplus]
        self.base += surplus
        self.size = size
        self.weighed = len(events)


class LogReader:
    """One reader of one log, at its own pace; `left` is called once, when it is closed.

    It has one timer for all its waits, which is set anew only when it has run down: most waits end early.
    """

    __slots__ = (
        "_closed",
        "_failure",
        "_is_anew",
        "_is_roused",
        "_left",
        "_log",
        "_loop",
        "_next",
        "_take",
        "_timer",
        "_token",
        "_until",
        "_waiter",
    )

    def __init__(self, log: EventLog, after: int, left: Callable[[EventLog], None]) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._left = left
        self._token = log.token
        self._next = after
        # The log has begun again, and nobody has read of that yet.
        self._is_anew = False
        # Somebody wanted the wait ended that something else had ended already.
        self._is_roused = False
        self._closed = False
        self._take: Callable[[Sequence[Event]], bool] | None = None
        self._failure: BaseException | None = None
        self._waiter: asyncio.Future[bool] | None = None
        self._until = math.inf
        self._timer: asyncio.TimerHandle | None = None

    async def batch(self, wait_s: float | None = None) -> Sequence[Event]:
        while True:
            log = self._log
            if self._token != log.token:
                self._held_anew(log.token)
            start = self._next - log.base
            if self._closed:
                raise EventsGone("The reader of this run's events is closed.")
            if start < 0:
                events = await self._older()
                self._next += len(events)
                return events
            if start < len(log.events):
                events = log.events[start:]
                self._next += len(events)
                self._is_anew = False
                return events
            if log.ended or log.cut:
                raise EventsGone("The events of this run are not kept any more. Ask again.")
            if wait_s is not None and wait_s <= 0:
                return ()
            loop = self._loop
            self._expect(math.inf if wait_s is None else loop.time() + wait_s)
            self._is_roused = False
            self._waiter = waiter = loop.create_future()
            log.waiters.append(self)
            try:
                is_new = await waiter
            finally:
                self._waiter = None
                waiters = self._log.waiters
                if waiters and self in waiters:
                    # The log did not wake it: the time is up, or it was roused or cancelled.
                    waiters.remove(self)
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if not is_new:
                return ()
            if self._is_roused:
                wait_s = 0

    def offer(self, take: Callable[[Sequence[Event]], bool] | None) -> None:
        self._take = take

    def rouse(self) -> None:
        if self._waiter is not None and not settle(self._waiter, result=False):
            self._is_roused = True

    def waits_on(self) -> bool:
        """Its log has changed. Whether it waits for more: what there is was taken where it was offered, and
        was not the last."""
        log = self._log
        if self._token == NO_TOKEN:
            self._token = log.token
        start = self._next - log.base
        is_offered = self._token == log.token and not self._is_anew
        if self._take is not None and is_offered and 0 <= start < len(log.events):
            events = log.events[start:]
            try:
                if self._take(events):
                    self._next += len(events)
                    if not (log.ended or log.cut):
                        return True
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - `batch` raises it
                self._failure = error
        if self._waiter is not None:
            settle(self._waiter, result=True)
        return False

    def move_to(self, log: EventLog, left: Callable[[EventLog], None]) -> None:
        """Go on with another log of the same run; `left` is called for the one before."""
        before, leave = self._log, self._left
        self._log, self._left = log, left
        if self in before.waiters:
            before.waiters.remove(self)
        if self._waiter is not None:
            settle(self._waiter, result=True)
        leave(before)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._left(self._log)
            if self._timer is not None:
                self._timer.cancel()
            if self._waiter is not None:
                settle(self._waiter, result=True)

    async def _older(self) -> Sequence[Event]:
        """What comes next and is not in the log any more, at least one. Raises EventsGone."""
        raise EventsGone(
            "This reader of the answer fell too far behind: what comes next is not kept any more. "
            "Ask again and read faster, or ask without streaming."
        )

    def _held_anew(self, token: int) -> None:
        if self._token != NO_TOKEN:
            self._next = 0  # a newer holder began the run again
            self._is_anew = True
        self._token = token

    def _expect(self, until: float) -> None:
        """Have the wait end then, at the latest."""
        if until < self._until or self._timer is None:
            self._wait_until(until)
        else:
            self._until = until

    def _wait_until(self, until: float) -> None:
        """Set the timer, which there is not or which would run down too late."""
        if self._timer is not None:
            self._timer.cancel()
        self._until = until
        self._timer = self._loop.call_at(until, self._run_down) if until < math.inf else None

    def _run_down(self) -> None:
        self._timer = None
        if self._waiter is None or self._until == math.inf:
            return
        if self._loop.time() < self._until:
            self._wait_until(self._until)
        else:
            settle(self._waiter, result=False)


def weight(events: Sequence[Event]) -> int:
    """About how many bytes of memory the events hold."""
    total = _EVENT_BYTES * len(events)
    for event in events:
        # Nearly all are of this kind. `__sizeof__` is what `sys.getsizeof` asks too, at half its price.
        if type(event) is TextDelta:
            total += event.text.__sizeof__()
            if event.pieces:
                total += len(event.text) + _PIECE_BYTES * len(event.pieces)
        else:
            total += _text_bytes(event)
    return total


def _text_bytes(event: Event) -> int:
    match event:
        case ReasoningDelta() | ToolCallArguments() | ToolEnded() | ToolUpdated():
            return event.text.__sizeof__()
        case ToolStarted():
            return event.arguments.__sizeof__()
        case RunEnded(result=result):
            calls = sum(call.arguments.__sizeof__() for call in result.tool_calls)
            return result.text.__sizeof__() + result.reasoning.__sizeof__() + calls
        case _:
            return 0


async def wait(loop: asyncio.AbstractEventLoop, waiter: "asyncio.Future[bool]", wait_s: float | None) -> bool:
    """A bare future, and a timer only when there is a limit: cheaper than asyncio.Event or Condition, which
    make a future anyway, and a task when they have a limit. False when the time is up."""
    if wait_s is None:
        return await waiter
    timer = loop.call_later(wait_s, _expire, waiter)
    try:
        return await waiter
    finally:
        timer.cancel()


def _expire(waiter: "asyncio.Future[bool]") -> None:
    settle(waiter, result=False)


def settle(waiter: "asyncio.Future[bool]", *, result: bool) -> bool:
    """Wake who waits; False when that has been done."""
    if waiter.done():
        return False
    waiter.set_result(result)
    return True
