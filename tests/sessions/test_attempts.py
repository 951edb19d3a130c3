"""What the first attempt of a request has begun, as other processes find it at their server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.sessions.redis import attempts
from openclaw_gateway.sessions.redis.bus import RedisBus
from tests.engines.valkey import Valkey
from tests.sessions.test_redis_outage import ends

REQUEST, OTHER = b"\0" * 16, b"\xff" * 16


@pytest.fixture
async def pair(valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
    async with ends(valkey.url, valkey.url) as pair:
        yield pair


async def until(bus: RedisBus, name: str | None) -> None:
    async with asyncio.timeout(10):
        while await bus.attempts.begun(REQUEST) != name:
            pass


async def test_the_newest_is_found_by_all(pair: list[RedisBus]) -> None:
    here, there = (bus.attempts for bus in pair)
    assert await there.begun(REQUEST) is None
    here.began(REQUEST, "chatcmpl_1")
    assert await here.begun(REQUEST) == "chatcmpl_1"
    assert await there.begun(REQUEST) == "chatcmpl_1"
    assert await there.begun(OTHER) is None
    there.began(REQUEST, "chatcmpl_2")
    await until(pair[0], "chatcmpl_2")


async def test_it_is_forgotten_in_time(pair: list[RedisBus]) -> None:
    pair[0].attempts.began(REQUEST, "chatcmpl_1", keep_s=0.05)
    await until(pair[1], None)


async def test_while_the_server_says_nothing_nobody_waits_for_long(
    pair: list[RedisBus], valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "WAIT_S", 0.05)
    valkey.pause()
    try:
        pair[0].attempts.began(REQUEST, "chatcmpl_1")
        async with asyncio.timeout(10):
            assert await pair[1].attempts.begun(REQUEST) is None
    finally:
        valkey.resume()
    await until(pair[1], "chatcmpl_1")
