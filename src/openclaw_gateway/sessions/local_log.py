"""The event log of one run in this process, and its readers.

A reader holds its log by reference: a log that the bus has dropped is still read to its end. Knows
nothing of the bus, its bounds or its topics.
"""

import asyncio
from collections.abc import Callable, Sequence

from openclaw_gateway.sessions.local_wait import settle, wait
from openclaw_gateway.wire.events import Event

NO_TOKEN = -1


class EventLog:
    """Events with indices `base` to `base + len(events)` of one run, and who waits for more."""

    __slots__ = ("base", "cut", "ended", "events", "forgotten", "readers", "run_id", "token", "waiters")

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.token = NO_TOKEN
        self.base = 0
        self.events: list[Event] = []
        self.ended = False
        self.cut = False
        self.forgotten = False
        self.readers = 0
        self.waiters: list[asyncio.Future[bool]] = []

    def wake(self) -> None:
        for waiter in self.waiters:
            settle(waiter, result=True)
        self.waiters.clear()


class LogReader:
    """One reader of one log, at its own pace; `left` is called once, when it is closed."""

    __slots__ = ("_closed", "_left", "_log", "_next", "_token", "_waiter")

    def __init__(self, log: EventLog, after: int, left: Callable[[EventLog], None]) -> None:
        self._log = log
        self._left = left
        self._token = log.token
        self._next = after
        self._closed = False
        self._waiter: asyncio.Future[bool] | None = None

    async def batch(self, wait_s: float | None = None) -> Sequence[Event]:
        log = self._log
        while True:
            if self._token != log.token:
                if self._token != NO_TOKEN:
                    self._next = 0  # a newer holder began the run again
                self._token = log.token
            start = self._next - log.base
            if start < 0 or self._closed:
                raise LookupError("the event log is gone")
            if start < len(log.events):
                events = log.events[start:]
                self._next += len(events)
                return events
            if log.ended or log.cut:
                raise LookupError("the event log has ended")
            if wait_s is not None and wait_s <= 0:
                return ()
            loop = asyncio.get_running_loop()
            self._waiter = waiter = loop.create_future()
            log.waiters.append(waiter)
            try:
                if not await wait(loop, waiter, wait_s):
                    return ()
            finally:
                if waiter in log.waiters:  # nobody woke it: the time is up or the reader was cancelled
                    log.waiters.remove(waiter)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._left(self._log)
            if self._waiter is not None:
                settle(self._waiter, result=True)
