"""What processes tell each other and may lose: rings, signals, announcements, and who has taken over a run.

One channel for each gateway, and one connection of this process that listens there: what is sent there is
everybody's, whichever database of the server is chosen. What is sent comes back to its sender, who knows it
by its name. Knows no log.
"""

import asyncio
from collections.abc import Callable

import msgspec
import structlog
from msgspec import Struct

from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.redis.link import Away, Command, Link, Pace
from openclaw_gateway.sessions.redis.outage import Outage, Patience
from openclaw_gateway.sessions.redis.places import Places

log = structlog.get_logger()


class Rung(Struct, frozen=True, tag="r", array_like=True):
    topic: str


class Signalled(Struct, frozen=True, tag="s", array_like=True):
    run_id: str
    signal: Signal


class Announced(Struct, frozen=True, tag="a", array_like=True):
    news: bytes


class TookOver(Struct, frozen=True, tag="t", array_like=True):
    """The run has a newer holder, with this token."""

    run_id: str
    token: int


class LockedOut(Struct, frozen=True, tag="l", array_like=True):
    """Nobody lets a subject try again for so long; `name` is what it is called at the server."""

    name: str
    seconds: float


class Followed(Struct, frozen=True, tag="f", array_like=True):
    """Somebody elsewhere reads the run's log from now on. Where this gets lost, or who holds the run is of an
    older release, the log only comes a little later."""

    run_id: str


News = Rung | Signalled | Announced | TookOver | LockedOut | Followed


class _Letter(Struct, frozen=True, array_like=True):
    sender: str
    news: News


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder[_Letter](_Letter).decode


def channel(gateway: str) -> bytes:
    """Where the processes of a gateway hear each other, and no others."""
    return b"ocgw:bell:" + gateway.encode()


def letter(to: bytes, sender: str, news: News) -> Command:
    return [b"PUBLISH", to, _encode(_Letter(sender, news))]


class Listener:
    """`heard` is called for the news of others in the channel `there`, `back` when it listens again after a
    while that it could not."""

    def __init__(
        self,
        there: bytes,
        me: str,
        places: Places,
        outage: Outage,
        pace: Pace,
        *,
        heard: Callable[[News], None],
        back: Callable[[], None],
    ) -> None:
        self._there = there
        self._me = me
        self._places = places
        self._outage = outage
        self._pace = pace
        self._heard = heard
        self._back = back
        self._deaf = False
        self.name = "bells"
        self.tried = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled; `tried` is set when it first listens, or cannot."""
        patience = Patience()
        while True:
            try:
                link = await self._places.open(0)
                try:
                    await self._listen(link, patience)
                finally:
                    link.close()
                    self._deaf = True
            except (Away, ValueError) as error:
                self._deaf = True
                self._outage.failed(self.name, str(error))
                self.tried.set()
                await asyncio.sleep(patience.next_wait())

    async def _listen(self, link: Link, patience: Patience) -> None:
        """Raises Away, and ValueError for what makes no sense."""
        link.send(b"SUBSCRIBE", self._there)
        said = await link.heard(self._pace.answer_s)
        if not isinstance(said, list) or said[:1] != [b"subscribe"]:
            raise Away("the server does not let us listen")
        self._outage.well(self.name)
        patience.reset()
        self.tried.set()
        if self._deaf:
            self._deaf = False
            self._back()
        while True:
            said = await link.heard(self._pace.quiet_s)
            if said is None:
                link.send(b"PING")
                said = await link.heard(self._pace.answer_s)
            match said:
                case None:
                    raise Away("the server says nothing any more")
                case [b"message", _, bytes(payload)]:
                    self._read(payload)
                case [b"pong", *_]:
                    pass
                case _:
                    raise ValueError("this is nothing that a channel says")

    def _read(self, payload: bytes) -> None:
        try:
            told = _decode(payload)
        except (ValueError, RecursionError):
            # Of a newer version, or of somebody who has no business there.
            log.debug("bus.unreadable")
            return
        if told.sender != self._me:
            self._heard(told.news)
