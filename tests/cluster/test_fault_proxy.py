"""The faulty network does what it is told, and what it carries is never cut short or in another order."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.cluster.fault_proxy import (
    BLACK_HOLE,
    HALF_OPEN_DOWN,
    HALF_OPEN_UP,
    PASS,
    REFUSED,
    SLOW,
    FaultProxy,
    Network,
)

End = tuple[asyncio.StreamReader, asyncio.StreamWriter]
DEADLINE_S = 20.0


class Echo:
    """An engine that says everything again, and remembers what it has heard."""

    def __init__(self) -> None:
        self.heard = b""
        self.news = asyncio.Condition()
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(1 << 16):
                async with self.news:
                    self.heard += piece
                    self.news.notify_all()
                writer.write(piece)
                await writer.drain()
        self.ended.set()
        writer.close()

    async def until(self, heard: bytes) -> None:
        async with self.news:
            await self.news.wait_for(lambda: self.heard == heard)


@asynccontextmanager
async def served(chance: random.Random | None = None) -> AsyncIterator[tuple[Echo, FaultProxy]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    try:
        async with (
            asyncio.timeout(DEADLINE_S),
            FaultProxy(server.sockets[0].getsockname()[1], chance) as proxy,
        ):
            yield echo, proxy
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def connected(proxy: FaultProxy) -> AsyncIterator[End]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def there_and_back(end: End, said: bytes) -> None:
    reader, writer = end
    writer.write(said)
    assert await reader.readexactly(len(said)) == said


async def elsewhere(proxy: FaultProxy) -> None:
    """What takes longer than an answer would on a way that is not cut."""
    async with FaultProxy(proxy.port) as around, FaultProxy(around.port) as other, connected(other) as end:
        end[1].write_eof()
        await end[0].read()


async def test_it_passes_bytes_on_and_tells_of_an_end() -> None:
    said = random.Random(3).randbytes(1 << 20)  # noqa: S311
    async with served() as (echo, proxy), connected(proxy) as (reader, writer):
        writer.write(said)
        writer.write_eof()
        assert await reader.read(-1) == said
        await echo.ended.wait()
        assert (proxy.came, proxy.resets) == (1, 0)


async def test_an_engine_that_is_away_is_an_end_for_who_comes() -> None:
    async with served() as (_, proxy), FaultProxy("/nonexistent") as lost:
        async with connected(lost) as (reader, _):
            with suppress(ConnectionError):
                assert await reader.read() == b""
        async with connected(proxy) as end:
            await there_and_back(end, b"here")


async def test_a_slow_network_is_late_and_not_narrow() -> None:
    loop = asyncio.get_running_loop()
    async with served() as (echo, proxy), connected(proxy) as end:
        proxy.turn(SLOW)
        began = loop.time()
        await there_and_back(end, b"slow")
        least = 2 * (SLOW.delay_s - SLOW.spread_s)
        assert loop.time() - began >= least
        proxy.turn(Network(delay_s=0.05))
        # One after the other they would take longer than the test may.
        for number in range(500):
            end[1].write(b"%03d" % number)
            await asyncio.sleep(0)
        said = b"".join(b"%03d" % number for number in range(500))
        assert await end[0].readexactly(len(said)) == said
        assert echo.heard == b"slow" + said


async def test_what_is_lost_comes_later_and_in_order() -> None:
    loop = asyncio.get_running_loop()
    async with served(random.Random(7)) as (_, proxy), connected(proxy) as end:  # noqa: S311
        proxy.turn(Network(loss=1.0, again_s=0.1))
        began = loop.time()
        await there_and_back(end, b"once")
        assert loop.time() - began >= 0.2
        proxy.turn(Network(loss=0.02, again_s=0.01))
        for number in range(300):
            await there_and_back(end, b"%03d" % number)


async def test_what_a_black_hole_holds_back_comes_when_it_is_gone() -> None:
    async with served() as (echo, proxy), connected(proxy) as end:
        await there_and_back(end, b"before ")
        proxy.turn(BLACK_HOLE)
        end[1].write(b"held ")
        # Neither does a new connection come about, nor is the end of one told.
        async with connected(proxy) as new:
            new[1].write(b"new ")
            async with served() as (_, other):
                await elsewhere(other)
            assert echo.heard == b"before "
            proxy.turn(PASS)
            assert await new[0].readexactly(4) == b"new "
        assert await end[0].readexactly(5) == b"held "


@pytest.mark.parametrize("network", [HALF_OPEN_UP, HALF_OPEN_DOWN])
async def test_a_half_open_way_carries_the_other_direction(network: Network) -> None:
    async with served() as (echo, proxy), connected(proxy) as end:
        await there_and_back(end, b"both ")
        proxy.turn(network)
        end[1].write(b"one way")
        if network is HALF_OPEN_DOWN:
            await echo.until(b"both one way")
        else:
            async with served() as (_, other):
                await elsewhere(other)
            assert echo.heard == b"both "
        answer = asyncio.create_task(end[0].readexactly(7))
        async with served() as (_, other):
            await elsewhere(other)
        assert not answer.done()
        proxy.turn(PASS)
        assert await answer == b"one way"


async def test_a_reset_is_heard_at_both_ends_and_new_connections_pass() -> None:
    async with served() as (echo, proxy):
        async with connected(proxy) as end:
            await there_and_back(end, b"x")
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                await end[0].read()
            await echo.ended.wait()
        async with connected(proxy) as end:
            await there_and_back(end, b"y")
        assert proxy.resets == 1


async def test_who_is_refused_hears_it_and_the_others_go_on() -> None:
    async with served() as (_, proxy), connected(proxy) as first:
        await there_and_back(first, b"x")
        proxy.turn(REFUSED)
        async with connected(proxy) as end:
            with suppress(ConnectionResetError):
                assert await end[0].read() == b""
        await there_and_back(first, b"y")
        proxy.turn(PASS)
        async with connected(proxy) as end:
            await there_and_back(end, b"z")


async def test_it_ends_with_connections_that_are_held_back() -> None:
    async with served() as (_, proxy), connected(proxy) as end:
        await there_and_back(end, b"x")
        proxy.turn(BLACK_HOLE)
        end[1].write(b"never heard")
        assert proxy.connections == 1
