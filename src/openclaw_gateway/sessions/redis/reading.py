"""Who reads which log in this process: one of its own, or the mirror of one that another process writes.

A reader is moved from the one to the other when the run is. Knows no connection.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.local.log import EventLog
from openclaw_gateway.sessions.redis import entries
from openclaw_gateway.sessions.redis.link import Away
from openclaw_gateway.sessions.redis.mirror import BusReader, Mirror
from openclaw_gateway.sessions.redis.publisher import Publisher
from openclaw_gateway.sessions.redis.puller import Puller
from openclaw_gateway.wire.events import Event

# Of a log, for a reader who is behind what is in memory.
_PAGE_ENTRIES = 4


class Reading:
    """`pullers` and `publishers` are by bucket: who fetches what is new, and who asks for what is older.
    `follows` is called with each run that another process writes, when it is first read here."""

    def __init__(
        self,
        local: LocalBus,
        pullers: Mapping[int, Puller],
        publishers: Mapping[int, Publisher],
        follows: Callable[[str], None],
    ) -> None:
        self._local = local
        self._follows = follows
        self._pullers = pullers
        self._publishers = publishers
        self.mirrors: dict[str, Mirror] = {}
        self.readers: dict[str, set[BusReader]] = {}

    def subscribe(self, run_id: str, after: int, *, here: bool, late: bool) -> BusReader:
        if here or self._local.find(run_id) is not None:
            reader = BusReader(self._local.joined(run_id), after, self._local.left, self._gone, self._pages)
            self.readers.setdefault(run_id, set()).add(reader)
            return reader
        mirror, is_new = self._mirror(run_id)
        # Then it does not matter whether it was given up before.
        mirror.fresh = mirror.fresh and not late
        reader = BusReader(mirror.log, after, _nothing, self._gone, self._pages)
        self._reflect(reader, mirror)
        if is_new:
            self._puller(run_id).watch(mirror)
        return reader

    def knows_newer(self, run_id: str, token: int) -> bool:
        """Whether what is read of a run here has a newer holder than this."""
        mirror = self.mirrors.get(run_id)
        return mirror is not None and mirror.log.token > token

    def came_here(self, log: EventLog) -> None:
        """This process holds the run now."""
        mirror = self.mirrors.pop(log.run_id, None)
        if mirror is None:
            return
        self._puller(log.run_id).leave(mirror)
        for reader in mirror.readers:
            reader.mirror = None
            log.readers += 1
            reader.move_to(log, self._local.left)

    def went_elsewhere(self, run_id: str) -> None:
        """Another process does."""
        readers = [each for each in self.readers.get(run_id, ()) if each.mirror is None]
        if not readers:
            return
        mirror, is_new = self._mirror(run_id)
        # It begins under another token, whatever of it has been given up by now.
        mirror.fresh = False
        for reader in readers:
            reader.move_to(mirror.log, _nothing)
            self._reflect(reader, mirror)
        if is_new:
            self._puller(run_id).watch(mirror)

    def close(self) -> None:
        """Everyone who waits hears that there is nothing more to come."""
        for mirror in self.mirrors.values():
            mirror.lose()

    def _mirror(self, run_id: str) -> tuple[Mirror, bool]:
        mirror = self.mirrors.get(run_id)
        if mirror is not None:
            return mirror, False
        mirror = self.mirrors[run_id] = Mirror(run_id, self._puller(run_id).stir)
        self._follows(run_id)
        return mirror, True

    def _reflect(self, reader: BusReader, mirror: Mirror) -> None:
        reader.mirror = mirror
        mirror.readers.add(reader)
        self.readers.setdefault(mirror.run_id, set()).add(reader)

    def _gone(self, reader: BusReader) -> None:
        """It is closed."""
        run_id, mirror = reader.run_id, reader.mirror
        readers = self.readers.get(run_id)
        if readers is not None:
            readers.discard(reader)
            if not readers:
                del self.readers[run_id]
        if mirror is not None:
            mirror.readers.discard(reader)
            if not mirror.readers and self.mirrors.get(run_id) is mirror:
                del self.mirrors[run_id]
                self._puller(run_id).leave(mirror)

    async def _pages(self, run_id: str, token: int, seq: int) -> Sequence[Event]:
        """What comes next of a log, for a reader who is behind what is in memory; nothing when that is not
        kept any more, or cannot be had."""
        key, publisher = entries.log_key(run_id), self._publishers[entries.bucket_of(run_id)]
        with suppress(Away, ValueError):
            found = entries.entries_of(await publisher.ask(entries.page(key, token, seq, _PAGE_ENTRIES)))
            if not found or found[0].seq != seq:
                # It stands within an entry.
                found = entries.entries_of(await publisher.ask(entries.holding(key, token, seq)))
            events: list[Event] = []
            for entry in found:
                at = seq + len(events)
                if entry.seq is None or not entry.seq <= at < entry.end:
                    break
                events += entry.decoded()[at - entry.seq :]
            return events
        return ()

    def _puller(self, run_id: str) -> Puller:
        return self._pullers[entries.bucket_of(run_id)]


def _nothing(_: EventLog) -> None:
    """A mirror is left by its readers, not by their number."""
