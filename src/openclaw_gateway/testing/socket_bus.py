"""SocketBus: a Bus over a Unix socket between processes of one machine, for tests of many processes.

Every end has a replica of all logs: what is emitted, forgotten, rung or signalled at one end is done there
and told to the others, in order. One end hosts and passes on between those that joined. What was before an
end joined it does not have, and a lost link is not mended: live things may be lost, and who reads them
must bear it. Limits each end counts for itself. Not for production: nothing is authenticated, every end holds
everything.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from openclaw_gateway.sessions.bus import BusHealth, Hear, Heed, Signal, Subscription, Watch
from openclaw_gateway.sessions.limits import SharedLimits
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.local.limits import LocalLimits
from openclaw_gateway.wire.events import Event

log = structlog.get_logger()

_LENGTH_BYTES = 4
_MOST_UNSENT_BYTES = 64 << 20


class _Emitted(Struct, frozen=True, tag="emit"):
    run_id: str
    token: int
    seq: int
    events: tuple[Event, ...]


class _Forgotten(Struct, frozen=True, tag="forget"):
    run_id: str


class _Signalled(Struct, frozen=True, tag="signal"):
    run_id: str
    signal: Signal


class _Rung(Struct, frozen=True, tag="ring"):
    topic: str


class _Announced(Struct, frozen=True, tag="announce"):
    news: bytes


_News = _Emitted | _Forgotten | _Signalled | _Rung | _Announced
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder[_News](_News).decode


class SocketBus:
    """`path` is the socket's; `host` says which end listens there. The others open after it."""

    def __init__(self, path: Path, *, host: bool) -> None:
        self._path = path
        self._host = host
        self._replica = LocalBus()
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._changed = asyncio.Condition()
        self._hearing: list[Hear] = []
        self._kept_here: set[str] = set()
        self.limits: SharedLimits = LocalLimits()

    async def open(self) -> None:
        """Raises OSError when the host is not there, or its path is taken."""
        if self._host:
            self._server = await asyncio.start_unix_server(self._joined, self._path)
        else:
            await self._joined(*await asyncio.open_unix_connection(self._path))

    async def linked(self, others: int) -> None:
        """Wait until this end has links to so many others."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._links) == others)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        links = dict(self._links)
        for writer in links:
            writer.close()
        await asyncio.gather(*links.values(), return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._path.unlink(missing_ok=True)
        await self._replica.close()

    def emit(self, run_id: str, token: int, seq: int, events: Sequence[Event]) -> bool:
        taken = self._replica.emit(run_id, token, seq, events)
        if taken and events and run_id not in self._kept_here:
            self._tell(_Emitted(run_id, token, seq, tuple(events)))
        return taken

    def subscribe(
        self, run_id: str, after: int = 0, *, here: bool = False, late: bool = False
    ) -> Subscription:
        return self._replica.subscribe(run_id, after, here=here)

    def forget(self, run_id: str) -> None:
        self._replica.forget(run_id)
        self._kept_here.discard(run_id)
        self._tell(_Forgotten(run_id))

    def went_elsewhere(self, run_id: str, token: int) -> None:
        """All logs are everybody's here: the newer holder's begins in the place of this one's."""

    def keep_here(self, run_id: str) -> None:
        self._kept_here.add(run_id)

    def signal(self, run_id: str, signal: Signal) -> None:
        self._replica.signal(run_id, signal)
        self._tell(_Signalled(run_id, signal))

    def heed(self, heard: Heed) -> Callable[[], None]:
        return self._replica.heed(heard)

    def announce(self, news: bytes) -> None:
        self._tell(_Announced(news))

    def hear(self, heard: Hear) -> Callable[[], None]:
        self._hearing.append(heard)

        def ignore() -> None:
            if heard in self._hearing:
                self._hearing.remove(heard)

        return ignore

    def ring(self, topic: str) -> None:
        self._replica.ring(topic)
        self._tell(_Rung(topic))

    def watch(self, topic: str) -> Watch:
        return self._replica.watch(topic)

    def health(self) -> BusHealth:
        return self._replica.health()

    def _tell(self, news: _News) -> None:
        if self._links:
            self._send(_encode(news), None)

    def _send(self, news: bytes, source: asyncio.StreamWriter | None) -> None:
        """To every other end but the one it came from."""
        for writer in self._links:
            if writer is source or writer.is_closing():
                continue
            if writer.transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
                log.warning("socket_bus.slow_end_dropped")
                writer.transport.abort()
                continue
            writer.write(len(news).to_bytes(_LENGTH_BYTES) + news)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links[writer] = asyncio.create_task(self._listen(reader, writer), name="socket_bus.link")
        async with self._changed:
            self._changed.notify_all()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
                    news = await reader.readexactly(length)
                    self._hear(_decode(news))
                    self._send(news, writer)
        finally:
            del self._links[writer]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            async with self._changed:
                self._changed.notify_all()

    def _hear(self, news: _News) -> None:
        match news:
            case _Emitted():
                self._replica.emit(news.run_id, news.token, news.seq, news.events)
            case _Forgotten():
                self._replica.forget(news.run_id)
            case _Signalled():
                self._replica.signal(news.run_id, news.signal)
            case _Rung():
                self._replica.ring(news.topic)
            case _Announced():
                for heard in list(self._hearing):
                    heard(news.news)
