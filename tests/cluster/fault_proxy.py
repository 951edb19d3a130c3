"""A TCP proxy that is the network between a replica and an engine, and does to it what it is told meanwhile.

It knows bytes and connections, no protocol. As in a network, of what a connection carries nothing is ever
missing: what is lost is sent again, so that it comes late, or, as long as the way is cut, not at all. What a
way that is cut holds back comes when it is mended, and so does the news that an end has closed.
"""

import asyncio
import contextlib
import random
import socket
import struct
from types import TracebackType
from typing import Literal, Self

from msgspec import Struct

# "up" is from the replica to the engine.
Direction = Literal["up", "down"]
DIRECTIONS: tuple[Direction, ...] = ("up", "down")
How = Literal["lost", "silent", "unheard", "deaf"]
HOW: tuple[How, ...] = ("lost", "silent", "unheard", "deaf")
_PIECE_BYTES = 1 << 16
_PIECES = 64


class Network(Struct, frozen=True):
    """What the network does. Each piece comes after `delay_s` ± `spread_s`; the share `loss` of pieces is
    lost once and sent again after `again_s`; on the ways in `cut` nothing comes. With `refuses` new
    connections are reset."""

    delay_s: float = 0.0
    spread_s: float = 0.0
    loss: float = 0.0
    again_s: float = 0.2
    cut: tuple[Direction, ...] = ()
    refuses: bool = False


class Strike:
    """One connection of a network is struck: the one on which the `nth` piece goes up, over all the networks
    that share this. `lost`: it never arrives, and the connection breaks. `silent`: it never arrives, and
    nobody is told. `unheard`: it arrives, and the connection breaks before its answer. `deaf`: it arrives,
    and its answer never does."""

    def __init__(self, nth: int, how: How) -> None:
        self.how = how
        self.has_fallen = False
        self._left = nth

    def falls(self) -> bool:
        self._left -= 1
        self.has_fallen = self.has_fallen or self._left == 0
        return self._left == 0


PASS = Network()
SLOW = Network(delay_s=0.3, spread_s=0.1)
LOSSY = Network(loss=0.02)
SLOW_AND_LOSSY = Network(delay_s=0.3, spread_s=0.1, loss=0.02)
BLACK_HOLE = Network(cut=DIRECTIONS)
HALF_OPEN_UP = Network(cut=("up",))
HALF_OPEN_DOWN = Network(cut=("down",))
REFUSED = Network(refuses=True)


class FaultProxy:
    """Use as an async context manager; it listens on 127.0.0.1 at `port`. The target is a port of this
    machine, or the path of a Unix socket."""

    def __init__(self, target: int | str, chance: random.Random | None = None) -> None:
        self._target = target
        self._chance = chance or random.Random(1)  # noqa: S311
        self._network = PASS
        self.strike: Strike | None = None
        self._open: dict[Direction, asyncio.Event] = {}
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self.port = 0
        # How many connections came, and how many were reset.
        self.came = 0
        self.resets = 0

    async def __aenter__(self) -> Self:
        self._open = {direction: asyncio.Event() for direction in DIRECTIONS}
        self.turn(self._network)
        self._server = await asyncio.start_server(self._came, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        serving = list(self._connections)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def network(self) -> Network:
        return self._network

    @property
    def connections(self) -> int:
        return len(self._connections)

    def turn(self, network: Network) -> None:
        """From now on the network is like this, for connections that there are as well."""
        self._network = network
        for direction, way in self._open.items():
            if direction in network.cut:
                way.clear()
            else:
                way.set()

    def reset(self) -> None:
        """RST to both ends of every connection that there is."""
        for task, writers in self._connections.items():
            self.resets += 1
            for writer in writers:
                _reset(writer)
            task.cancel()

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        if self._network.refuses:
            self.resets += 1
            _reset(writer)
            return
        writers = [writer]
        task = asyncio.create_task(self._serve(reader, writer, writers), name="fault_proxy.connection")
        self._connections[task] = writers
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        for each in self._connections.pop(task):
            each.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, writers: list[asyncio.StreamWriter]
    ) -> None:
        try:
            await self._joined(reader, writer, writers)
        except* OSError:
            # An end has gone: so does the other.
            pass

    async def _joined(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, writers: list[asyncio.StreamWriter]
    ) -> None:
        # Where one way is cut no connection comes about.
        for way in self._open.values():
            await way.wait()
        if isinstance(self._target, str):
            there, to = await asyncio.open_unix_connection(self._target)
        else:
            there, to = await asyncio.open_connection("127.0.0.1", self._target)
        writers.append(to)
        struck = _Struck()
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(self._pump("up", reader, to, struck))
            pumps.create_task(self._pump("down", there, writer, struck))

    async def _pump(
        self,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        struck: "_Struck",
    ) -> None:
        """Pieces on their way are a queue, so that a slow network is late, and not narrow."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_PIECES)
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._sent(reader, under_way))
            ends.create_task(self._arriving(direction, under_way, writer, struck))

    async def _sent(
        self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        loop = asyncio.get_running_loop()
        piece = b"?"
        while piece:
            try:
                piece = await reader.read(_PIECE_BYTES)
            except OSError:
                piece = b""
            await under_way.put((loop.time() + self._late_s(), piece))

    async def _arriving(
        self,
        direction: Direction,
        under_way: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        struck: "_Struck",
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, piece = await under_way.get()
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            await self._open[direction].wait()
            if piece and direction == "up" and self.strike is not None and self.strike.falls():
                struck.how = self.strike.how
            if piece:
                await struck.passed(direction)
            if not piece:
                if not writer.is_closing() and writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()

    def _late_s(self) -> float:
        network = self._network
        late = network.delay_s + network.spread_s * (2 * self._chance.random() - 1)
        if network.loss and self._chance.random() < network.loss:
            late += network.again_s
        return late


class _Struck:
    """What has befallen one connection."""

    def __init__(self) -> None:
        self.how: How | None = None

    async def passed(self, direction: Direction) -> None:
        """Raises ConnectionResetError where the connection breaks; never returns where nothing comes."""
        match self.how, direction:
            case ("lost", _) | ("unheard", "down"):
                raise ConnectionResetError
            case ("silent", _) | ("deaf", "down"):
                await asyncio.Event().wait()
            case _:
                pass


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, without what was not sent yet."""
    end = writer.get_extra_info("socket")
    if end is not None and end.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
