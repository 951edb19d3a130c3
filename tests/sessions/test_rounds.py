"""Rounds that wait for clients: kept by one process, and at a server for several."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.sessions.local.rounds import LocalRounds
from openclaw_gateway.sessions.redis import rounds
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.rounds import KEEP_S, MOST_CHARS, MOST_KEPT, Calls, KeptRounds, Messages
from openclaw_gateway.wire.messages import Image, ToolMessage
from tests.doors.logged import logged
from tests.engines.valkey import Valkey
from tests.sessions.rounds_contract import CALLS, ME, SAID, RoundsContract, found
from tests.sessions.test_redis_outage import QUICK, ends, until


class TestLocal(RoundsContract):
    @pytest.fixture
    async def here(self) -> KeptRounds:
        return LocalRounds()


class TestOverRedis(RoundsContract):
    @pytest.fixture
    async def pair(self, valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
        async with ends(valkey.url, valkey.url) as pair:
            yield pair

    @pytest.fixture
    async def here(self, pair: list[RedisBus]) -> KeptRounds:
        return pair[0].rounds

    @pytest.fixture
    async def there(self, pair: list[RedisBus]) -> KeptRounds:
        return pair[1].rounds


class TestOverACluster(TestOverRedis):
    @pytest.fixture
    async def pair(self, valkeys: list[Valkey]) -> AsyncIterator[list[RedisBus]]:
        url = f"redis+cluster://127.0.0.1:{valkeys[0].port}"
        async with ends(url, url) as pair:
            yield pair


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def numbered(number: int) -> Calls:
    return frozenset({f"call {number}"})


async def test_after_ten_minutes_it_is_gone() -> None:
    clock = Clock()
    kept = LocalRounds(clock)
    await kept.keep(ME, CALLS, SAID)
    clock.now += KEEP_S - 1
    assert kept.known(ME, CALLS) == SAID
    clock.now += 1
    assert kept.known(ME, CALLS) is None
    await kept.keep(ME, numbered(1), SAID)
    assert len(kept) == 1


@pytest.mark.parametrize("is_picture", [False, True])
@pytest.mark.parametrize(("size", "kept"), [(10, MOST_KEPT), (MOST_CHARS // 4 + 1, 3), (MOST_CHARS + 1, 0)])
async def test_the_number_and_the_size_are_bounded_and_the_oldest_go_first(
    size: int, kept: int, *, is_picture: bool
) -> None:
    gone: list[Calls] = []
    local = LocalRounds(dropped=lambda _, calls: gone.append(calls))
    data = "x" * size
    pictured = ToolMessage("r", "ok", images=(Image("image/png", data),))
    said: Messages = (pictured if is_picture else ToolMessage("r", data),)
    many = kept + 2
    for number in range(many):
        # The same once more takes no room.
        for _ in range(2):
            await local.keep(ME, numbered(number), said)
    assert len(local) == kept
    left = [number for number in range(many) if local.known(ME, numbered(number))]
    assert left == [number for number in range(many) if number >= many - kept]
    assert set(gone) == {numbered(number) for number in range(many - kept)}


async def test_at_the_server_it_ends_by_itself_and_its_name_tells_nothing(valkey: Valkey) -> None:
    async with ends(valkey.url) as (bus,):
        await bus.rounds.keep(ME, CALLS, SAID)
        (key,) = [key for key in valkey.say("KEYS", "ocgw:rounds:*").split(b"\r\n") if b"rounds" in key]
        assert b"main" not in key
        left_ms = int(valkey.say("PTTL", key.decode()).strip(b":\r\n"))
        assert KEEP_S * 1000 - 60_000 < left_ms <= KEEP_S * 1000
        valkey.say("FLUSHALL")


async def test_what_a_process_has_no_room_for_is_not_at_the_server_either(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_gateway.sessions.local.rounds.MOST_KEPT", 2)
    async with ends(valkey.url, valkey.url) as (here, there):
        for number in range(4):
            await here.rounds.keep(ME, numbered(number), SAID)
        # One pipeline after the other: this one comes behind what was taken away.
        await here.rounds.found(ME, [numbered(9)])
        several = [numbered(number) for number in range(4)]
        assert list(await there.rounds.found(ME, several)) == several[2:]


async def test_what_is_too_large_is_kept_here_alone(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_BYTES", 100)
    async with ends(valkey.url, valkey.url) as (here, there):
        with logged() as log:
            await here.rounds.keep(ME, CALLS, SAID)
            half: Messages = (ToolMessage("r", "\ud800"),)
            await here.rounds.keep(ME, numbered(1), half)
            assert len(log.lines("rounds.not_shared")) == 2
        assert await found(here.rounds) == SAID
        assert here.rounds.known(ME, numbered(1)) == half
        assert await found(there.rounds) is None


@pytest.mark.parametrize("body", ["", "no json", "{}", "[" * 100_000, '{"asker": 1}'])
async def test_what_cannot_be_read_is_as_if_it_were_not_there(valkey: Valkey, body: str) -> None:
    async with ends(valkey.url, valkey.url) as (here, there):
        await here.rounds.keep(ME, CALLS, SAID)
        (key,) = [key for key in valkey.say("KEYS", "ocgw:rounds:*").split(b"\r\n") if b"rounds" in key]
        valkey.say("SET", key.decode(), body)
        assert await found(there.rounds) is None


async def test_a_server_that_gives_another_s_gives_nothing(valkey: Valkey) -> None:
    async with ends(valkey.url, valkey.url) as (here, there):
        _, (mine, other) = here.rounds._keys(ME, [CALLS, numbered(1)])
        await here.rounds.keep(ME, CALLS, SAID)
        valkey.say("COPY", mine.decode(), other.decode())
        assert await found(there.rounds, calls=numbered(1)) is None
        assert await found(there.rounds) == SAID


async def test_a_server_that_hangs_is_waited_for_once(own_valkey: Valkey) -> None:
    async with ends(own_valkey.url, own_valkey.url) as (here, there):
        await here.rounds.keep(ME, CALLS, SAID)
        own_valkey.pause()
        try:
            with logged() as log:
                for number in range(20):
                    await here.rounds.keep(ME, numbered(number), SAID)
                    assert await found(there.rounds, calls=numbered(number)) is None
                    assert await found(here.rounds, calls=numbered(number)) == SAID
                waited = [line for line in log.all() if line.get("reason") == "no answer in time"]
                assert {line["event"] for line in waited} <= {"rounds.not_shared", "rounds.not_looked_up"}
                assert 0 < len(waited) < 20, "of 40 times"
        finally:
            own_valkey.resume()
        await until(lambda: here.health().connected and there.health().connected)
        async with asyncio.timeout(10):
            while await found(there.rounds, calls=numbered(20)) is None:
                await here.rounds.keep(ME, numbered(20), SAID)
                # While its server is away neither waits for anything.
                await asyncio.sleep(0)


async def test_a_server_that_is_away_is_not_waited_for(own_valkey: Valkey) -> None:
    async with ends(own_valkey.url, pace=QUICK) as (here,):
        await here.rounds.keep(ME, CALLS, SAID)
        own_valkey.kill()
        await until(lambda: not here.health().connected)
        await here.rounds.keep(ME, numbered(1), SAID)
        assert await found(here.rounds) == SAID
        assert await here.rounds.found(ME, [numbered(2)]) == {}
