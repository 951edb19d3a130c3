"""Balancer: one port in front of several replicas on one machine, without sticky sessions.

Each request goes to the next replica that is ready; what comes is passed on as it comes, and after an upgrade
both ways until one of them ends. A replica is out of it while its `/ready` is not 200. One that cannot be
reached has received nothing, so another one is asked; and also where one says 503 because it is about to
leave. A client that leaves ends the request it left. For tests and for trying: a real proxy does more.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial

from msgspec import Struct

from openclaw_gateway.testing.framing import BadMessage
from openclaw_gateway.testing.passing import (
    MOST_HEAD_BYTES,
    Asked,
    Client,
    Incoming,
    Left,
    Lost,
    NotReady,
    Unreachable,
)

_LOOK_S = 0.2
# So long that a busy machine is not taken for a replica that is silent: all of them would be at once.
_LOOK_DEADLINE_S = 5.0
_GONE_S = 10.0
_MOST_CONNECTIONS = 10_000
_READY = b"GET /ready HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n"


class Place(Struct, frozen=True):
    """Where a replica listens."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Place":
        """Of `http://host:port`."""
        host, _, port = url.removeprefix("http://").rstrip("/").rpartition(":")
        return cls(host, int(port))


class Replica:
    """What is known of one of them. `asked` are the requests it works on."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.ready = False
        self.asked: set[Asked] = set()
        self.heard_at = 0.0


class Balancer:
    """`look_s` is how often each replica is asked whether it is ready. One that has not said anything for
    `gone_s` loses the requests it works on, so that their clients may ask another one."""

    def __init__(
        self, replicas: Sequence[Place], *, look_s: float = _LOOK_S, gone_s: float = _GONE_S
    ) -> None:
        self._replicas = [Replica(place) for place in replicas]
        self._look_s = look_s
        self._gone_s = gone_s
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._looking: list[asyncio.Task[None]] = []
        self._clients: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    async def open(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """The URL, without a slash at its end. Every replica has been asked once. Raises OSError."""
        self._server = await asyncio.start_server(self._came, host, port, limit=MOST_HEAD_BYTES)
        await asyncio.gather(*map(self._look, self._replicas))
        self._looking = [
            asyncio.create_task(self._keep_looking(replica), name="balancer.look")
            for replica in self._replicas
        ]
        bound = self._server.sockets[0].getsockname()[1]
        return f"http://{host}:{bound}"

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = [*self._looking, *self._clients]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def ready(self) -> tuple[Place, ...]:
        """Those that are given requests now."""
        return tuple(replica.place for replica in self._replicas if replica.ready)

    async def wait_ready(self, count: int, *, deadline_s: float = 30) -> None:
        """Wait until exactly so many replicas are given requests. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s), self._changed:
            await self._changed.wait_for(lambda: len(self.ready) == count)

    async def _keep_looking(self, replica: Replica) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            await self._look(replica)

    async def _look(self, replica: Replica) -> None:
        now = asyncio.get_running_loop().time
        status = await _status(replica.place)
        if status is not None:
            replica.heard_at = now()
        elif now() - replica.heard_at > self._gone_s:
            for asked in tuple(replica.asked):
                asked.abort()
        await self._set_ready(replica, ready=status == 200)

    async def _leaves(self, replica: Replica) -> bool:
        await self._look(replica)
        return not replica.ready and any(other.ready for other in self._replicas)

    async def _set_ready(self, replica: Replica, *, ready: bool) -> None:
        if replica.ready is not ready:
            replica.ready = ready
            async with self._changed:
                self._changed.notify_all()

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= _MOST_CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(Client(reader, writer)), name="balancer.client")
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, client: Client) -> None:
        try:
            while client.stays:
                await self._answer(client, await client.next())
        except BadMessage as wrong:
            client.refuse(400, str(wrong))
        except (Left, ConnectionError, TimeoutError):
            pass
        finally:
            await client.close()

    async def _answer(self, client: Client, incoming: Incoming) -> None:
        """By the first replica that does. Raises Left, BadMessage, ConnectionError."""
        for replica in self._in_turn():
            asked = Asked(client, incoming, partial(self._leaves, replica))
            replica.asked.add(asked)
            try:
                return await asked.of(replica.place.host, replica.place.port)
            except Unreachable:
                await self._set_ready(replica, ready=False)
            except NotReady:
                pass  # what it looks like now was asked before
            except Lost:
                return client.refuse(502, "The replica that had the request has gone, maybe with it done.")
            finally:
                replica.asked.discard(asked)
        return client.refuse(503, "No replica is ready. Ask again in a moment.")

    def _in_turn(self) -> Iterator[Replica]:
        """Each that is ready when its turn comes, once."""
        self._turn += 1
        first = self._turn % len(self._replicas)
        for replica in (*self._replicas[first:], *self._replicas[:first]):
            if replica.ready:
                yield replica


async def _status(place: Place) -> int | None:
    """What it says to `/ready`; None = nothing."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(_LOOK_DEADLINE_S):
            reader, writer = await asyncio.open_connection(place.host, place.port)
            writer.write(_READY % f"{place.host}:{place.port}".encode())
            return int((await reader.read()).split(maxsplit=2)[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return None
    finally:
        if writer is not None:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def balancing(
    urls: Sequence[str], *, port: int = 0, look_s: float = _LOOK_S, gone_s: float = _GONE_S
) -> AsyncIterator[tuple[str, Balancer]]:
    """The URL in front of the replicas at `urls`, for as long as the block lasts."""
    balancer = Balancer([Place.of(url) for url in urls], look_s=look_s, gone_s=gone_s)
    try:
        yield await balancer.open(port=port), balancer
    finally:
        await balancer.close()
