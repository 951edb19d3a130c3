"""RedisBus over a real server: the contract at one end, across two and three, and with a second process."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.urls import parsed
from tests.engines.valkey import Valkey
from tests.sessions.bus_contract import ENDED, SOON, STARTED, BusContract, read_all, texts

_OTHER_PROCESS = """
import asyncio, sys
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.wire.events import RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.run import RunResult

async def main():
    bus = RedisBus(parsed(sys.argv[1]))
    stop = asyncio.Event()
    bus.heed(lambda run_id, signal: stop.set() if (run_id, signal) == ("r", "abort") else None)
    await bus.open()
    bus.emit("r", 1, 0, [RunStarted("r", "main", None, 0), TextDelta("a")])
    async with asyncio.timeout(10):
        await stop.wait()
    bus.emit("r", 1, 2, [RunEnded(RunResult("completed"), 1)])
    await bus.close()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def ends(url: str, count: int) -> AsyncIterator[list[RedisBus]]:
    buses = [RedisBus(parsed(url)) for _ in range(count)]
    for bus in buses:
        await bus.open()
    try:
        yield buses
    finally:
        for bus in reversed(buses):
            await bus.close()


class TestOneEnd(BusContract):
    @pytest.fixture
    async def bus(self, valkey: Valkey) -> AsyncIterator[Bus]:
        async with ends(valkey.url, 1) as (bus,):
            yield bus


class TestTwoEnds(BusContract):
    @pytest.fixture
    async def both(self, valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
        async with ends(valkey.url, 2) as both:
            yield both

    @pytest.fixture
    async def bus(self, both: list[RedisBus]) -> Bus:
        return both[0]

    @pytest.fixture
    async def far(self, both: list[RedisBus]) -> Bus:
        return both[1]


class TestThreeEnds(BusContract):
    @pytest.fixture
    async def all_three(self, valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
        async with ends(f"unix://{valkey.socket}", 3) as all_three:
            yield all_three

    @pytest.fixture
    async def bus(self, all_three: list[RedisBus]) -> Bus:
        return all_three[1]

    @pytest.fixture
    async def far(self, all_three: list[RedisBus]) -> Bus:
        return all_three[2]


class TestCluster(BusContract):
    @pytest.fixture
    async def both(self, valkeys: list[Valkey]) -> AsyncIterator[list[RedisBus]]:
        async with ends(f"redis+cluster://127.0.0.1:{valkeys[1].port}", 2) as both:
            yield both

    @pytest.fixture
    async def bus(self, both: list[RedisBus]) -> Bus:
        return both[0]

    @pytest.fixture
    async def far(self, both: list[RedisBus]) -> Bus:
        return both[1]


async def test_two_processes(valkey: Valkey) -> None:
    async with ends(valkey.url, 1) as (bus,):
        reader = bus.subscribe("r")
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", _OTHER_PROCESS, valkey.url)
        try:
            assert list(await reader.batch(SOON)) == [STARTED, *texts("a")]
            bus.signal("r", "abort")
            assert await read_all(reader) == [ENDED]
            assert await asyncio.wait_for(other.wait(), SOON) == 0
        finally:
            if other.returncode is None:
                other.kill()
                await other.wait()
