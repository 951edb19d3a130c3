"""What goes out to the bus at once, and what goes with it: here nothing goes by itself for an hour."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.sessions.redis import entries, publisher
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.link import Reply
from openclaw_gateway.sessions.redis.urls import parsed
from tests.engines.valkey import Valkey
from tests.sessions.bus_contract import ENDED, SOON, STARTED, read_all, texts
from tests.sessions.test_redis_bus import ends


@pytest.fixture(autouse=True)
def _an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "UNHURRIED_S", 3600.0)


@pytest.fixture
async def pair(valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
    async with ends(valkey.url, 2) as pair:
        yield pair


async def _written(bus: RedisBus, run_id: str) -> Reply:
    """What is in a log's stream; the question itself is in a hurry."""
    key = entries.log_key(run_id)
    return await bus._publishers[entries.bucket_of(run_id)].ask([b"XLEN", key])


async def test_a_log_that_nobody_reads_goes_with_what_is_in_a_hurry(pair: list[RedisBus]) -> None:
    here, there = pair
    here.emit("r", 1, 0, [STARTED, *texts("a")])
    assert await _written(there, "r") == 0
    here.signal("another", "abort")
    async with asyncio.timeout(SOON):
        while not await _written(there, "r"):
            pass


async def test_a_log_that_somebody_reads_elsewhere_is_in_a_hurry(pair: list[RedisBus]) -> None:
    here, there = pair
    here.emit("r", 1, 0, [STARTED])
    reader = there.subscribe("r")
    assert list(await reader.batch(SOON)) == [STARTED]
    here.emit("r", 1, 1, texts("a"))
    assert list(await reader.batch(SOON)) == texts("a")
    here.emit("r", 1, 2, [ENDED])
    assert await read_all(reader) == [ENDED]
    reader.close()
    async with asyncio.timeout(SOON):
        while here._followed:
            await _written(here, "r")


async def test_a_log_that_somebody_waits_for_before_it_begins_is_in_a_hurry(pair: list[RedisBus]) -> None:
    here, there = pair
    reader = there.subscribe("r")
    async with asyncio.timeout(SOON):
        while "r" not in here._followed:
            await _written(there, "r")
    here.emit("r", 1, 0, [STARTED])
    assert list(await reader.batch(SOON)) == [STARTED]
    reader.close()


async def test_who_reads_a_log_says_so_again_when_the_bus_is_back(pair: list[RedisBus]) -> None:
    here, there = pair
    reader = there.subscribe("r")
    for _ in range(2):
        async with asyncio.timeout(SOON):
            while "r" not in here._followed:
                await _written(there, "r")
        here._followed.clear()
        # Both would have to come back in this order: what is said before the other one listens is lost.
        there._back()
    reader.close()


async def test_announcements_go_in_order_with_what_is_in_a_hurry(pair: list[RedisBus]) -> None:
    here, there = pair
    heard: asyncio.Queue[bytes | str] = asyncio.Queue()
    there.hear(heard.put_nowait)
    there.heed(lambda run_id, _: heard.put_nowait(run_id))
    here.announce(b"1")
    here.announce(b"2")
    await _written(there, "r")
    assert heard.empty()
    here.signal("r", "abort")
    async with asyncio.timeout(SOON):
        assert [await heard.get() for _ in range(3)] == [b"1", b"2", "r"]


async def test_what_is_not_in_a_hurry_is_sent_before_the_end(valkey: Valkey) -> None:
    async with ends(valkey.url, 1) as (there,):
        bus = RedisBus(parsed(valkey.url))
        await bus.open()
        bus.emit("r", 1, 0, [STARTED])
        await bus.close()
        assert await _written(there, "r") == 1
