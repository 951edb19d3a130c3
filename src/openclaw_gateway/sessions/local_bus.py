"""LocalBus: the Bus of one process. Event logs and doorbells are plain lists and bare futures.

Belongs to one event loop; no threads, no IO. Knows nothing of what events mean, but that RunEnded is
the last one. Memory is bounded: a log keeps its newest `max_events`; logs that ended stay until
somebody forgets them, or until they are too old, too many or together too long. A reader holds its
log by reference, so dropping a log never cuts a reader that is still at work.
"""

import time
from collections.abc import Callable, Sequence

from openclaw_gateway.sessions.bus import EventPage, Signal
from openclaw_gateway.sessions.local_doorbells import Doorbells, LocalWatch
from openclaw_gateway.sessions.local_log import NO_TOKEN, EventLog, LogReader
from openclaw_gateway.wire.events import Event, RunEnded


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
        self._logs: dict[str, EventLog] = {}
        self._ended: dict[str, float] = {}  # in order of their end
        self._ended_events = 0
        self._dropped: dict[str, None] = {}  # run ids whose logs are gone, newest last
        self._doorbells = Doorbells()

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Everyone who waits hears that there is nothing more to come."""
        for log in self._logs.values():
            log.cut = True
            log.wake()
        self._logs.clear()
        self._ended.clear()
        self._ended_events = 0
        self._doorbells.stop()

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

    def subscribe(self, run_id: str, after: int = 0) -> LogReader:
        """A run that has not emitted yet is waited for; one whose log was dropped is a LookupError."""
        log = self._logs.get(run_id)
        if log is None:
            log = EventLog(run_id)
            if run_id in self._dropped:
                log.cut = True
            else:
                self._logs[run_id] = log
        log.readers += 1
        return LogReader(log, after, self._left)

    def forget(self, run_id: str) -> None:
        log = self._logs.get(run_id)
        if log is None:
            return
        log.forgotten = True
        if log.ended or (log.token == NO_TOKEN and not log.readers):
            self._drop(log)

    def signal(self, run_id: str, signal: Signal) -> None:
        self._doorbells.ring(f"signal:{run_id}:{signal}")

    def ring(self, topic: str) -> None:
        self._doorbells.ring(topic)

    def watch(self, topic: str) -> LocalWatch:
        return self._doorbells.watch(topic)

    def _writable(self, run_id: str, token: int, log: EventLog | None) -> EventLog | None:
        """The log of a holder that is new to it; None when it has been dropped or has a newer holder."""
        if log is None:
            if run_id in self._dropped:
                return None
            self._evict()
            log = self._logs[run_id] = EventLog(run_id)
        elif token < log.token:
            return None
        elif log.token != NO_TOKEN:
            self._restart(log)
        log.token = token
        return log

    def _left(self, log: EventLog) -> None:
        log.readers -= 1
        if log.token == NO_TOKEN and not log.readers and self._logs.get(log.run_id) is log:
            del self._logs[log.run_id]

    def _restart(self, log: EventLog) -> None:
        if self._ended.pop(log.run_id, None) is not None:
            self._ended_events -= len(log.events)
        log.ended = False
        log.base = 0
        log.events = []

    def _end(self, log: EventLog) -> None:
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

    def _drop(self, log: EventLog) -> None:
        del self._logs[log.run_id]
        if self._ended.pop(log.run_id, None) is not None:
            self._ended_events -= len(log.events)
        self._dropped[log.run_id] = None
        if len(self._dropped) > 4 * self._max_ended_logs:
            del self._dropped[next(iter(self._dropped))]
