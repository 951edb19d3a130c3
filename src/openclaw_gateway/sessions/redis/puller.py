"""What comes in from one server: one XREAD over all logs that somebody here reads and another process writes.

It waits at the server, and is woken by an entry in a stream of its own when there is another log to be read.
Each connection begins with the question how far each log is there, so that after an outage nothing is missed,
also where the log was written anew with its entries cut elsewhere. Knows no reader.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from openclaw_gateway.sessions.local.log import NO_TOKEN, settle
from openclaw_gateway.sessions.redis import entries
from openclaw_gateway.sessions.redis.link import Away, ErrorReply, Link, Pace, Reply
from openclaw_gateway.sessions.redis.mirror import Mirror
from openclaw_gateway.sessions.redis.outage import Outage, Patience
from openclaw_gateway.sessions.redis.places import Places

# How many entries of each log are asked for at once: few of those of which nothing is known, then more while
# they are small.
_FEWEST, _MOST = 4, 1024
_SMALL_BYTES, _LARGE_BYTES = 64 << 10, 1 << 20
_START = b"0-0"


class Puller:
    """`wake_key` is a stream of this process; `wake` has an entry written to it."""

    def __init__(
        self,
        name: str,
        bucket: int,
        places: Places,
        outage: Outage,
        *,
        wake_key: bytes,
        wake: Callable[[], None],
        pace: Pace,
    ) -> None:
        self.name = name
        self._bucket = bucket
        self._places = places
        self._outage = outage
        self._wake_key = wake_key
        self._wake = wake
        self._pace = pace
        self._woken_at = _START
        self._count = _FEWEST
        self._mirrors: dict[bytes, Mirror] = {}
        self._is_reading = False
        self._idle: asyncio.Future[bool] | None = None

    def watch(self, mirror: Mirror) -> None:
        self._mirrors[mirror.key] = mirror
        self.stir()

    def leave(self, mirror: Mirror) -> None:
        if self._mirrors.get(mirror.key) is mirror:
            del self._mirrors[mirror.key]

    def stir(self) -> None:
        """What is to be read has changed."""
        if self._idle is not None:
            settle(self._idle, result=True)
        elif self._is_reading:
            self._is_reading = False
            self._wake()

    async def run(self) -> None:
        """Until it is cancelled."""
        patience = Patience()
        while True:
            # Nothing is opened before there is something to read; from then on the link stays.
            while not self._mirrors:
                self._outage.gone(self.name)
                await self._stirred()
            try:
                link = await self._places.open(self._bucket)
                try:
                    await self._follow(link, patience)
                finally:
                    link.close()
            except (Away, ValueError) as error:
                self._outage.failed(self.name, str(error))
                await asyncio.sleep(patience.next_wait())

    async def _stirred(self) -> None:
        self._idle = asyncio.get_running_loop().create_future()
        try:
            await self._idle
        finally:
            self._idle = None

    async def _follow(self, link: Link, patience: Patience) -> None:
        """Raises Away, and ValueError for answers that make no sense."""
        for mirror in self._mirrors.values():
            mirror.position = None
        self._woken_at = _START
        while True:
            # Others may come to be read meanwhile.
            while await self._attach(link):
                pass
            self._outage.well(self.name)
            patience.reset()
            read = [
                each for each in self._mirrors.values() if each.position is not None and not each.is_full()
            ]
            self._is_reading = True
            try:
                reply = await link.ask(*self._command(read), within=self._pace.quiet_s + self._pace.answer_s)
            finally:
                self._is_reading = False
            self._feed(reply)

    def _command(self, read: Sequence[Mirror]) -> list[bytes]:
        command = [b"XREAD", b"COUNT", b"%d" % self._count, b"BLOCK", b"%d" % (self._pace.quiet_s * 1000)]
        command += [b"STREAMS", self._wake_key, *(mirror.key for mirror in read)]
        return [*command, self._woken_at, *(mirror.position or _START for mirror in read)]

    def _feed(self, reply: Reply) -> None:
        largest = 0
        for key, items, last in _streams(reply):
            if key == self._wake_key:
                self._woken_at = last
                continue
            mirror = self._mirrors.get(key)
            if mirror is None:
                continue
            found = entries.entries_of(items)
            mirror.position = last
            largest = max(largest, sum(len(entry.events) for entry in found))
            mirror.feed(found)
        if largest > _LARGE_BYTES:
            self._count = max(_FEWEST, self._count // 4)
        elif largest < _SMALL_BYTES:
            self._count = min(_MOST, self._count * 2)

    async def _attach(self, link: Link) -> bool:
        """Find out where reading goes on in those logs of which that is not known; False: there are none."""
        unknown = [mirror for mirror in self._mirrors.values() if mirror.position is None]
        if not unknown:
            return False
        self._count = _FEWEST
        replies = await link.call(
            [command for each in unknown for command in (entries.newest(each.key), entries.life(each.key))]
        )
        inside: list[tuple[Mirror, int, int]] = []
        for mirror, reply, left_ms in zip(unknown, replies[::2], replies[1::2], strict=True):
            if isinstance(reply, ErrorReply):
                raise Away(str(reply))
            newest = next(iter(entries.entries_of(reply)), None)
            if newest is not None and newest.seq is None and mirror.is_late(entries.given_up_ms(left_ms)):
                mirror.lose()
                token, at = newest.token, entries.LAST
            else:
                token, at = _place(mirror, newest)
                if at and newest is not None and token == newest.token:
                    inside.append((mirror, token, at))
                at = 0
            mirror.position = entries.position(token, at) if token > NO_TOKEN else _START
            mirror.fresh = False
        if inside:
            await self._attach_inside(link, inside)
        return True

    async def _attach_inside(self, link: Link, inside: Sequence[tuple[Mirror, int, int]]) -> None:
        """Of logs whose beginning nobody wants: from the entry on that has what comes next."""
        replies = await link.call([entries.holding(mirror.key, token, at) for mirror, token, at in inside])
        for (mirror, token, _), reply in zip(inside, replies, strict=True):
            if isinstance(reply, ErrorReply):
                raise Away(str(reply))
            for entry in entries.entries_of(reply):
                if entry.seq is not None:
                    mirror.position = entries.position(token, entry.seq)


def _place(mirror: Mirror, newest: entries.Entry | None) -> tuple[int, int]:
    """Under which token reading goes on, and with which event."""
    if newest is None or newest.token < mirror.log.token:
        return mirror.log.token, mirror.end
    if mirror.log.token == NO_TOKEN:
        return newest.token, mirror.wanted()
    return newest.token, mirror.end if newest.token == mirror.log.token else 0


def _streams(reply: Reply) -> list[tuple[bytes, Reply, bytes]]:
    """Of XREAD: keys, what came in each, and the last id of it. Raises ValueError for anything else."""
    with contextlib.suppress(TypeError, ValueError, IndexError):
        return [(entries.as_bytes(key), items, entries.as_bytes(items[-1][0])) for key, items in reply or ()]
    raise ValueError("this is no answer of XREAD")
