"""SocketBus: the contract at one end, across two and three, and with a real second process."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.testing.socket_bus import SocketBus
from tests.sessions.bus_contract import ENDED, SOON, STARTED, BusContract, read_all, texts

_OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from openclaw_gateway.testing.socket_bus import SocketBus
from openclaw_gateway.wire.events import RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.run import RunResult

async def main():
    bus = SocketBus(Path(sys.argv[1]), host=False)
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
async def ends(path: Path, joining: int) -> AsyncIterator[list[SocketBus]]:
    """The host and those that joined it, all linked."""
    buses = [
        SocketBus(path / "bus", host=True),
        *(SocketBus(path / "bus", host=False) for _ in range(joining)),
    ]
    for bus in buses:
        await bus.open()
    await buses[0].linked(joining)
    try:
        yield buses
    finally:
        for bus in reversed(buses):
            await bus.close()


class TestOneEnd(BusContract):
    @pytest.fixture
    async def bus(self, tmp_path: Path) -> AsyncIterator[Bus]:
        async with ends(tmp_path, 0) as (bus,):
            yield bus


class TestFromHostToJoined(BusContract):
    @pytest.fixture
    async def both(self, tmp_path: Path) -> AsyncIterator[list[SocketBus]]:
        async with ends(tmp_path, 1) as both:
            yield both

    @pytest.fixture
    async def bus(self, both: list[SocketBus]) -> Bus:
        return both[0]

    @pytest.fixture
    async def far(self, both: list[SocketBus]) -> Bus:
        return both[1]


class TestFromJoinedToJoined(BusContract):
    @pytest.fixture
    async def all_three(self, tmp_path: Path) -> AsyncIterator[list[SocketBus]]:
        async with ends(tmp_path, 2) as all_three:
            yield all_three

    @pytest.fixture
    async def bus(self, all_three: list[SocketBus]) -> Bus:
        return all_three[1]

    @pytest.fixture
    async def far(self, all_three: list[SocketBus]) -> Bus:
        return all_three[2]


async def test_two_processes(tmp_path: Path) -> None:
    async with ends(tmp_path, 0) as (bus,):
        reader = bus.subscribe("r")
        path = str(tmp_path / "bus")
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", _OTHER_PROCESS, path)
        try:
            assert list(await reader.batch(SOON)) == [STARTED, *texts("a")]
            bus.signal("r", "abort")
            assert await read_all(reader) == [ENDED]
            assert await asyncio.wait_for(other.wait(), SOON) == 0
            async with asyncio.timeout(SOON):
                await bus.linked(0)
        finally:
            if other.returncode is None:
                other.kill()
                await other.wait()
