"""The logs of runs that other processes execute, as far as they are in memory here, and who reads them.

Of such a log there is a window: what its readers have not read yet, up to a bound, beyond which no more is
fetched until one of them asks for it; and a little of what they have, for the slower ones. Who is behind the
window fetches pages for himself. Knows no connection.
"""

import time
from collections.abc import Awaitable, Callable, Sequence

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.sessions.local.log import NO_TOKEN, EventLog, LogReader
from openclaw_gateway.sessions.redis.entries import Entry, log_key
from openclaw_gateway.wire.events import Event, RunEnded

# Of memory, in bytes: how much of what has been read stays, and how much of what has not is fetched.
WINDOW_BYTES = 1 << 20
AHEAD_BYTES = 1 << 20

Pages = Callable[[str, int, int], Awaitable[Sequence[Event]]]


class Mirror:
    """`position` is where XREAD goes on, None = where is not known yet; `fresh`: nothing is known of it."""

    __slots__ = ("_ahead", "_resumed", "_since", "fresh", "key", "log", "position", "readers", "run_id")

    def __init__(self, run_id: str, resumed: Callable[[], None]) -> None:
        self._since = time.monotonic()
        self.run_id = run_id
        self.key = log_key(run_id)
        self.log = EventLog(run_id)
        self.position: bytes | None = None
        self.fresh = True
        self.readers: set[BusReader] = set()
        self._ahead = 0
        self._resumed = resumed

    @property
    def end(self) -> int:
        return self.log.base + len(self.log.events)

    def wanted(self) -> int:
        """The index from which on readers want it, before anything is known of it."""
        return min((reader.place for reader in self.readers), default=0)

    def is_late(self, given_up_ms: int) -> bool:
        """Whether the log was given up, so long ago, before anybody here came to read it."""
        return self.fresh and given_up_ms > (time.monotonic() - self._since) * 1000

    def is_full(self) -> bool:
        """Whether all its readers have enough to read."""
        if self._ahead > AHEAD_BYTES and any(reader.place >= self.end for reader in self.readers):
            self._ahead = 0
        return self._ahead > AHEAD_BYTES

    def read_up(self) -> None:
        """A reader has read all there is."""
        if self._ahead > AHEAD_BYTES:
            self._ahead = 0
            self._resumed()

    def feed(self, entries: Sequence[Entry]) -> None:
        """What comes next of the log; what it has already is passed over. Its readers are woken once."""
        log = self.log
        self._make_room()
        for entry in entries:
            if entry.token < log.token:
                continue
            if entry.token > log.token:
                self._renew(entry.token)
            if entry.seq is None:
                log.cut = True
            elif not log.ended:
                self._append(entry, entry.seq)
        if entries and log.waiters:
            log.wake()

    def lose(self) -> None:
        """Nobody knows what comes next."""
        self.log.cut = True
        self.log.wake()

    def _renew(self, token: int) -> None:
        log = self.log
        if log.token != NO_TOKEN:
            log.clear(0)
            log.ended = log.cut = False
            self._ahead = 0
        log.token = token

    def _append(self, entry: Entry, seq: int) -> None:
        log = self.log
        try:
            events: Sequence[Event] = entry.decoded()
        except ValueError:
            log.cut = True
            return
        if seq > self.end:
            # What lies between is not kept anywhere, or nobody here wanted it.
            log.clear(seq)
        events = events[self.end - seq :]
        if not events:
            return
        log.events.extend(events)
        self._ahead += len(entry.events)
        log.ended = type(events[-1]) is RunEnded

    def _make_room(self) -> None:
        log = self.log
        if len(log.events) > log.weighed:
            log.weigh()
        if log.size <= WINDOW_BYTES:
            return
        read = max((reader.place for reader in self.readers), default=self.end) - log.base
        if read > 0:
            kept = EventLog(log.run_id)
            kept.events = log.events[:read]
            kept.weigh()
            unread = log.size - kept.size
            log.trim(len(log.events), unread + WINDOW_BYTES // 2)


class BusReader(LogReader):
    """A reader of a log of this process or, with `mirror`, of another one's; it may become the other."""

    __slots__ = ("_gone", "_pages", "mirror")

    def __init__(
        self,
        log: EventLog,
        after: int,
        left: Callable[[EventLog], None],
        gone: "Callable[[BusReader], None]",
        pages: Pages,
    ) -> None:
        super().__init__(log, after, left)
        self.mirror: Mirror | None = None
        self._gone = gone
        self._pages = pages

    @property
    def run_id(self) -> str:
        return self._log.run_id

    @property
    def place(self) -> int:
        """The index of what it reads next."""
        return self._next

    def close(self) -> None:
        if not self._closed:
            self._gone(self)
        super().close()

    async def _older(self) -> Sequence[Event]:
        if self.mirror is None:
            return await super()._older()
        events = await self._pages(self.run_id, self._token, self._next)
        if not events:
            raise EventsGone("The events of this run are not kept any more. Ask again.")
        return events

    def _expect(self, until: float) -> None:
        if self.mirror is not None:
            self.mirror.read_up()
        super()._expect(until)
