"""LocalBus: the Bus of one process. Event logs and doorbells are plain lists and bare futures.

Belongs to one event loop; no threads, no IO. Knows nothing of what events mean, but that RunEnded is
the last one. Memory is bounded: a log keeps its newest `max_events`; logs that ended stay until
somebody forgets them, or until they are too old, too many or together too long. A reader holds its
log by reference, so dropping a log never cuts a reader that is still at work.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from openclaw_gateway.sessions.bus import EventPage, Signal
from openclaw_gateway.wire.events import Event, RunEnded

_NO_TOKEN = -1


class LocalBus:
    """The bounds are for tests to lower; `clock` is monotonic seconds."""

    def __init__(
        self,
        *,
        max_events: int = 200_000,
        max_ended_logs: int = 1_000,
        max_ended_events: int = 1_000_000,
        keep_ended_s: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_events = max_events
        self._max_ended_logs = max_ended_logs
        self._max_ended_events = max_ended_events
        self._keep_ended_s = keep_ended_s
        self._clock = clock
        self._logs: dict[str, _Log] = {}
        self._ended: dict[str, float] = {}  # in order of their end
        self._ended_events = 0
        self._dropped: dict[str, None] = {}  # run ids whose logs are gone, newest last
        self._watches: dict[str, list[_LocalWatch]] = {}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Everyone who waits hears that there is nothing more to come."""
        for log in self._logs.values():
            log.cut = True
            log.wake()
        for watches in self._watches.values():
            for watch in watches:
                watch.stop()
        self._logs.clear()
        self._ended.clear()
        self._ended_events = 0
        self._watches.clear()

    def emit(self, run_id: str, token: int, seq: int, events: Sequence[Event]) -> bool:
        """As in Bus. After a jump in `seq` the earlier events are gone: better than an unseen gap."""
        log = self._logs.get(run_id)
        if log is None or log.token != token:
            log = self._writable(run_id, token, log)
            if log is None:
                return False
        stored = log.events
        end = log.base + len(stored)
        if seq != end:
            if seq < end:
                events = events[end - seq :]
            else:
                stored.clear()
                log.base = seq
        if not events:
            return True
        if log.ended:
            return False
        stored.extend(events)
        if log.waiters:
            log.wake()
        if len(stored) > self._max_events:
            surplus = len(stored) - self._max_events + self._max_events // 8
            del stored[:surplus]
            log.base += surplus
        if type(events[-1]) is RunEnded:
            self._end(log)
        return True

    async def read(self, run_id: str, after: int = 0, limit: int = 1000) -> EventPage:
        log = self._logs.get(run_id)
        if log is None or after < log.base:
            return EventPage((), after, gone=True)
        start = after - log.base
        page = tuple(log.events[start : start + limit])
        return EventPage(page, after + len(page))

    def subscribe(self, run_id: str, after: int = 0) -> "_LocalSubscription":
        """A run that has not emitted yet is waited for; one whose log was dropped is a LookupError."""
        log = self._logs.get(run_id)
        if log is None:
            log = _Log(run_id)
            if run_id in self._dropped:
                log.cut = True
            else:
                self._logs[run_id] = log
        log.readers += 1
        return _LocalSubscription(self, log, after)

    def forget(self, run_id: str) -> None:
        log = self._logs.get(run_id)
        if log is None:
            return
        log.forgotten = True
        if log.ended or (log.token == _NO_TOKEN and not log.readers):
            self._drop(log)

    def signal(self, run_id: str, signal: Signal) -> None:
        self.ring(f"signal:{run_id}:{signal}")

    def ring(self, topic: str) -> None:
        watches = self._watches.get(topic)
        if watches is not None:
            for watch in watches:
                watch.hear()

    def watch(self, topic: str) -> "_LocalWatch":
        watch = _LocalWatch(self, topic)
        self._watches.setdefault(topic, []).append(watch)
        return watch

    def _writable(self, run_id: str, token: int, log: "_Log | None") -> "_Log | None":
        """The log of a holder that is new to it; None when it has been dropped or has a newer holder."""
        if log is None:
            if run_id in self._dropped:
                return None
            self._evict()
            log = self._logs[run_id] = _Log(run_id)
        elif token < log.token:
            return None
        elif log.token != _NO_TOKEN:
            self._restart(log)
        log.token = token
        return log

    def _unwatch(self, watch: "_LocalWatch") -> None:
        watches = self._watches.get(watch.topic)
        if watches is not None and watch in watches:
            watches.remove(watch)
            if not watches:
                del self._watches[watch.topic]

    def _left(self, log: "_Log") -> None:
        log.readers -= 1
        if log.token == _NO_TOKEN and not log.readers and self._logs.get(log.run_id) is log:
            del self._logs[log.run_id]

    def _restart(self, log: "_Log") -> None:
        if self._ended.pop(log.run_id, None) is not None:
            self._ended_events -= len(log.events)
        log.ended = False
        log.base = 0
        log.events = []

    def _end(self, log: "_Log") -> None:
        log.ended = True
        if log.forgotten:
            self._drop(log)
            return
        self._ended[log.run_id] = self._clock()
        self._ended_events += len(log.events)
        self._evict()

    def _evict(self) -> None:
        """Drop ended logs, oldest first, until the bounds hold. Lazy: called when logs come and end."""
        oldest_kept = self._clock() - self._keep_ended_s
        while self._ended:
            run_id, ended_at = next(iter(self._ended.items()))
            if (
                ended_at > oldest_kept
                and len(self._ended) <= self._max_ended_logs
                and self._ended_events <= self._max_ended_events
            ):
                return
            self._drop(self._logs[run_id])

    def _drop(self, log: "_Log") -> None:
        del self._logs[log.run_id]
        if self._ended.pop(log.run_id, None) is not None:
            self._ended_events -= len(log.events)
        self._dropped[log.run_id] = None
        if len(self._dropped) > 4 * self._max_ended_logs:
            del self._dropped[next(iter(self._dropped))]


class _Log:
    """Events with indices `base` to `base + len(events)` of one run, and who waits for more."""

    __slots__ = ("base", "cut", "ended", "events", "forgotten", "readers", "run_id", "token", "waiters")

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.token = _NO_TOKEN
        self.base = 0
        self.events: list[Event] = []
        self.ended = False
        self.cut = False
        self.forgotten = False
        self.readers = 0
        self.waiters: list[asyncio.Future[bool]] = []

    def wake(self) -> None:
        for waiter in self.waiters:
            _settle(waiter, result=True)
        self.waiters.clear()


class _LocalSubscription:
    __slots__ = ("_bus", "_closed", "_log", "_next", "_token", "_waiter")

    def __init__(self, bus: LocalBus, log: _Log, after: int) -> None:
        self._bus = bus
        self._log = log
        self._token = log.token
        self._next = after
        self._closed = False
        self._waiter: asyncio.Future[bool] | None = None

    async def batch(self, wait_s: float | None = None) -> Sequence[Event]:
        log = self._log
        while True:
            if self._token != log.token:
                if self._token != _NO_TOKEN:
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
                if not await _wait(loop, waiter, wait_s):
                    return ()
            finally:
                if waiter in log.waiters:  # nobody woke it: the time is up or the reader was cancelled
                    log.waiters.remove(waiter)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._bus._left(self._log)
            if self._waiter is not None:
                _settle(self._waiter, result=True)


class _LocalWatch:
    """One listener at one door bell; one task at a time may wait on it."""

    __slots__ = ("_bus", "_rung", "_stopped", "_waiter", "topic")

    def __init__(self, bus: LocalBus, topic: str) -> None:
        self._bus = bus
        self.topic = topic
        self._rung = False
        self._stopped = False
        self._waiter: asyncio.Future[bool] | None = None

    def hear(self) -> None:
        if self._waiter is None or not _settle(self._waiter, result=True):
            self._rung = True

    def stop(self) -> None:
        self._stopped = True
        if self._waiter is not None:
            _settle(self._waiter, result=False)

    async def ring(self, wait_s: float | None = None) -> bool:
        if self._rung:
            self._rung = False
            return True
        if self._stopped or (wait_s is not None and wait_s <= 0):
            return False
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        try:
            return await _wait(loop, waiter, wait_s)
        except asyncio.CancelledError:
            # A ring that came in the same breath as the cancellation is kept for the next wait.
            if waiter.done() and not waiter.cancelled():
                self._rung = waiter.result()
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        self.stop()
        self._bus._unwatch(self)


async def _wait(
    loop: asyncio.AbstractEventLoop, waiter: "asyncio.Future[bool]", wait_s: float | None
) -> bool:
    if wait_s is None:
        return await waiter
    timer = loop.call_later(wait_s, _expire, waiter)
    try:
        return await waiter
    finally:
        timer.cancel()


def _expire(waiter: "asyncio.Future[bool]") -> None:
    _settle(waiter, result=False)


def _settle(waiter: "asyncio.Future[bool]", *, result: bool) -> bool:
    if waiter.done():
        return False
    waiter.set_result(result)
    return True
