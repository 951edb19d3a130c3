"""LocalBus: the Bus of one process. Event logs, doorbells and signals are lists and bare futures.

Belongs to one event loop; no threads, no IO. Knows nothing of what events mean, but that RunEnded is
the last one. Memory is bounded: a log keeps its newest events up to a number and a size; logs that ended
stay until somebody forgets them, or until they are too old, too many or together too large. A reader
holds its log by reference, so dropping a log never cuts a reader that is still at work.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from openclaw_gateway.sessions.bus import BusHealth, Hear, Heed, Signal
from openclaw_gateway.sessions.local.log import NO_TOKEN, EventLog, LogReader, settle, wait
from openclaw_gateway.wire.events import Event, RunEnded

_MIB = 1 << 20


class LocalBus:
    """The bounds are for tests to lower; sizes are bytes of memory, `clock` is monotonic seconds.

    `grown` is called with each log that has new events, also one that is dropped with them.

    The size of a log that still grows is looked at every `weigh_every` events. Logs that end are looked at
    when there are more than `max_unweighed`: nearly all are forgotten before.
    """

    def __init__(
        self,
        *,
        max_events: int = 200_000,
        max_bytes: int = 64 * _MIB,
        max_ended_logs: int = 1_000,
        max_ended_bytes: int = 128 * _MIB,
        keep_ended_s: float = 600.0,
        weigh_every: int = 64,
        max_unweighed: int = 32,
        clock: Callable[[], float] = time.monotonic,
        grown: Callable[[EventLog], None] | None = None,
    ) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._max_ended_logs = max_ended_logs
        self._max_ended_bytes = max_ended_bytes
        self._keep_ended_s = keep_ended_s
        self._weigh_every = weigh_every
        self._max_unweighed = max_unweighed
        self._clock = clock
        self._grown = grown
        self._since_ms = int(time.time() * 1000)
        self._logs: dict[str, EventLog] = {}
        self._ended: dict[str, float] = {}  # in order of their end
        self._ended_bytes = 0
        self._unweighed: dict[str, EventLog] = {}
        self._dropped: dict[str, int] = {}  # run id -> token of logs that are gone, newest last
        self._watches: dict[str, list[LocalWatch]] = {}
        self._heeding: list[Heed] = []

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Everyone who waits hears that there is nothing more to come."""
        for log in self._logs.values():
            log.cut = True
            log.wake()
        self._logs.clear()
        self._ended.clear()
        self._unweighed.clear()
        self._ended_bytes = 0
        for watches in self._watches.values():
            for watch in watches:
                watch.stop()
        self._watches.clear()
        self._heeding.clear()

    def emit(self, run_id: str, token: int, seq: int, events: Sequence[Event]) -> bool:
        """As in Bus. After a jump in `seq` the earlier events are gone: better than an unseen gap."""
        log = self._logs.get(run_id)
        if log is None or log.token != token:
            log = self._writable(run_id, token, log)
            if log is None:
                return False
        end = log.base + len(log.events)
        if seq != end:
            if seq < end:
                events = events[end - seq :]
            else:
                log.clear(seq)
        if not events:
            return True
        if log.ended:
            return False
        log.events.extend(events)
        if log.waiters:
            log.wake()
        if type(events[-1]) is RunEnded:
            self._end(log)
        elif len(log.events) >= log.weigh_at:
            self._bound(log)
        if self._grown is not None:
            self._grown(log)
        return True

    def subscribe(self, run_id: str, after: int = 0, *, here: bool = False, late: bool = False) -> LogReader:
        """As in Bus; one whose log was dropped raises at its first read."""
        return LogReader(self.joined(run_id), after, self.left)

    def find(self, run_id: str) -> EventLog | None:
        return self._logs.get(run_id)

    def joined(self, run_id: str) -> EventLog:
        """The log for one reader more, who calls `left` when it is done."""
        log = self._logs.get(run_id)
        if log is None:
            log = EventLog(run_id)
            if run_id in self._dropped:
                log.cut = True
            else:
                self._logs[run_id] = log
        log.readers += 1
        return log

    def left(self, log: EventLog) -> None:
        log.readers -= 1
        if log.token == NO_TOKEN and not log.readers and self._logs.get(log.run_id) is log:
            del self._logs[log.run_id]

    def hand_over(self, run_id: str, token: int) -> None:
        """Another process holds the run under this token: what is emitted here under an older one, or under
        this one, is refused from now on."""
        log = self._logs.get(run_id)
        if log is not None and log.token <= token:
            self._drop(log)
        self._remember(run_id, max(token, self._dropped.get(run_id, NO_TOKEN)))

    def forget(self, run_id: str) -> None:
        log = self._logs.get(run_id)
        if log is None:
            return
        log.forgotten = True
        if log.ended or (log.token == NO_TOKEN and not log.readers):
            self._drop(log)

    def went_elsewhere(self, run_id: str, token: int) -> None:
        """Nothing comes here from other processes: who reads it has read all there is."""

    def keep_here(self, run_id: str) -> None:
        """Nothing goes to other processes."""

    def signal(self, run_id: str, signal: Signal) -> None:
        for heard in tuple(self._heeding):
            heard(run_id, signal)

    def heed(self, heard: Heed) -> Callable[[], None]:
        self._heeding.append(heard)

        def ignore() -> None:
            if heard in self._heeding:
                self._heeding.remove(heard)

        return ignore

    def announce(self, news: bytes) -> None:
        """There is no other process."""

    def hear(self, heard: Hear) -> Callable[[], None]:
        """Nothing will be heard."""
        return _nothing

    def ring(self, topic: str) -> None:
        for watch in self._watches.get(topic, ()):
            watch.hear()

    def ring_all(self) -> None:
        """For who may have missed something."""
        for topic in tuple(self._watches):
            self.ring(topic)

    def health(self) -> BusHealth:
        return BusHealth("local", connected=True, since_ms=self._since_ms)

    def watch(self, topic: str) -> "LocalWatch":
        """A topic nobody watches costs nothing."""
        watch = LocalWatch(topic, self._unwatch)
        self._watches.setdefault(topic, []).append(watch)
        return watch

    def _unwatch(self, watch: "LocalWatch") -> None:
        watches = self._watches.get(watch.topic)
        if watches is not None and watch in watches:
            watches.remove(watch)
            if not watches:
                del self._watches[watch.topic]

    def _writable(self, run_id: str, token: int, log: EventLog | None) -> EventLog | None:
        """The log of a holder that is new to it; None when it has been dropped or has a newer holder."""
        if log is None:
            if token <= self._dropped.get(run_id, NO_TOKEN):
                return None
            self._evict()
            log = self._logs[run_id] = EventLog(run_id)
        elif token < log.token:
            return None
        elif log.token != NO_TOKEN:
            self._restart(log)
        log.token = token
        return log

    def _bound(self, log: EventLog) -> None:
        if log.weigh_at:
            log.weigh()
            if log.size > self._max_bytes or len(log.events) > self._max_events:
                # Somewhat below the bounds, so that it is not done again for the next event.
                log.trim(self._max_events - self._max_events // 8, self._max_bytes - self._max_bytes // 8)
        log.weigh_at = min(len(log.events) + self._weigh_every, self._max_events + 1)

    def _restart(self, log: EventLog) -> None:
        self._unlist(log)
        log.ended = False
        log.clear(0)

    def _end(self, log: EventLog) -> None:
        log.ended = True
        if log.forgotten:
            self._drop(log)
            return
        self._ended[log.run_id] = self._clock()
        self._unweighed[log.run_id] = log
        if len(self._unweighed) > self._max_unweighed:
            self._weigh_ended()
        self._evict()

    def _evict(self) -> None:
        """Drop ended logs, oldest first, until the bounds hold. Lazy: called when logs come and end."""
        oldest_kept = self._clock() - self._keep_ended_s
        while self._ended:
            run_id, ended_at = next(iter(self._ended.items()))
            if (
                ended_at > oldest_kept
                and len(self._ended) <= self._max_ended_logs
                and self._ended_bytes <= self._max_ended_bytes
            ):
                return
            self._drop(self._logs[run_id])

    def _drop(self, log: EventLog) -> None:
        del self._logs[log.run_id]
        self._unlist(log)
        self._remember(log.run_id, log.token)

    def _remember(self, run_id: str, token: int) -> None:
        self._dropped[run_id] = token
        if len(self._dropped) > 4 * self._max_ended_logs:
            del self._dropped[next(iter(self._dropped))]

    def _weigh_ended(self) -> None:
        for log in self._unweighed.values():
            log.weigh()
            self._ended_bytes += log.size
        self._unweighed.clear()

    def _unlist(self, log: EventLog) -> None:
        """It is none of the ended logs any more."""
        if self._ended.pop(log.run_id, None) is not None and self._unweighed.pop(log.run_id, None) is None:
            self._ended_bytes -= log.size


class LocalWatch:
    """One listener at one doorbell; one task at a time may wait. A ring is kept once for who is busy."""

    __slots__ = ("_left", "_rung", "_stopped", "_waiter", "topic")

    def __init__(self, topic: str, left: "Callable[[LocalWatch], None]") -> None:
        self.topic = topic
        self._left = left
        self._rung = False
        self._stopped = False
        self._waiter: asyncio.Future[bool] | None = None

    def hear(self) -> None:
        if self._waiter is None or not settle(self._waiter, result=True):
            self._rung = True

    def stop(self) -> None:
        """Whoever waits hears False."""
        self._stopped = True
        if self._waiter is not None:
            settle(self._waiter, result=False)

    async def ring(self, wait_s: float | None = None) -> bool:
        if self._rung:
            self._rung = False
            return True
        if self._stopped or (wait_s is not None and wait_s <= 0):
            return False
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        try:
            return await wait(loop, waiter, wait_s)
        except asyncio.CancelledError:
            # A ring that came in the same breath as the cancellation is kept for the next wait.
            if waiter.done() and not waiter.cancelled():
                self._rung = waiter.result()
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        self.stop()
        self._left(self)


def _nothing() -> None:
    """There is nothing to undo."""
