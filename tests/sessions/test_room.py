"""Places that processes share: of one process, and at a server that may go away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.sessions.local.room import LocalRoom
from openclaw_gateway.sessions.redis import room as redis_room
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.link import Command, Reply
from openclaw_gateway.sessions.redis.room import RedisRoom
from openclaw_gateway.sessions.redis.spare import is_uneven, share, spare
from openclaw_gateway.sessions.room import Room
from tests.engines.valkey import Valkey
from tests.sessions.bus_contract import SOON
from tests.sessions.room_contract import RoomContract, eventually, is_full
from tests.sessions.test_redis_outage import ends, until


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has much else to do is not taken for a server that is away."""
    monkeypatch.setattr(redis_room, "WAIT_S", SOON)


class TestLocal(RoomContract):
    @pytest.fixture
    async def here(self) -> Room:
        return LocalRoom()


class TestOverRedis(RoomContract):
    @pytest.fixture
    async def pair(self, valkey: Valkey, slowly: None) -> AsyncIterator[list[RedisBus]]:
        async with ends(valkey.url, valkey.url) as pair:
            yield pair

    @pytest.fixture
    async def here(self, pair: list[RedisBus]) -> Room:
        return pair[0].limits.runs

    @pytest.fixture
    async def there(self, pair: list[RedisBus]) -> Room:
        return pair[1].limits.runs


class TestOverACluster(TestOverRedis):
    @pytest.fixture
    async def pair(self, valkeys: list[Valkey], slowly: None) -> AsyncIterator[list[RedisBus]]:
        url = f"redis+cluster://127.0.0.1:{valkeys[0].port}"
        async with ends(url, url) as pair:
            yield pair


@pytest.mark.parametrize(
    ("most", "others", "used", "processes", "held"),
    [
        (2048, 0, 0, 1, 64),
        (2048, 0, 0, 2, 32),
        (2048, 0, 0, 100, 0),
        (2048, 1000, 1000, 2, 6),
        (2048, 2048, 0, 2, 0),
        (2048, 2048, 5, 2, 0),
        (63, 0, 0, 2, 0),
        (64, 0, 0, 2, 1),
        (1, 0, 0, 1, 0),
        (0, 0, 0, 0, 0),
    ],
)
def test_what_is_spare_is_little_and_nothing_of_few(
    most: int, others: int, used: int, processes: int, held: int
) -> None:
    assert spare(most, others, used, processes) == held


@pytest.mark.parametrize(
    ("held", "used", "wanted", "uneven"),
    [
        (0, 0, 0, False),
        (1, 0, 0, True),
        (42, 10, 32, False),
        (26, 10, 32, False),
        (25, 10, 32, True),
        (74, 10, 32, False),
        (75, 10, 32, True),
        (3, 5, 0, True),
    ],
)
def test_the_server_is_told_of_what_is_far_from_what_is_wanted(
    held: int, used: int, wanted: int, *, uneven: bool
) -> None:
    assert is_uneven(held, used, wanted) == uneven


@pytest.mark.parametrize(
    ("most", "processes", "part"), [(10, 3, 3), (2, 3, 1), (10, 0, 10), (10, 1, 10), (0, 2, 1)]
)
def test_a_share_is_at_least_one(most: int, processes: int, part: int) -> None:
    assert share(most, processes) == part


@pytest.fixture
async def three(valkey: Valkey, slowly: None) -> AsyncIterator[list[RedisBus]]:
    async with ends(*[valkey.url] * 3) as three:
        yield three


def rooms(buses: list[RedisBus]) -> list[RedisRoom]:
    return [bus.limits.runs for bus in buses]


async def known(room: RedisRoom, most: int, lease_s: float = 15.0) -> None:
    """Wait until the server knows of a room, and the room of the others."""
    room.beat(most, lease_s)
    assert await eventually(room, most)
    room.give_back()
    await until(lambda: not room._beats and not room._due.is_set())


async def test_places_of_a_process_that_died_are_free_after_its_lease(three: list[RedisBus]) -> None:
    dead, alive, other = rooms(three)
    dead.beat(2, 0.2)
    assert await dead.enter(2)
    assert await alive.enter(2)
    assert await is_full(other, 2)
    for task in three[0]._tasks:
        task.cancel()
    await asyncio.wait(three[0]._tasks)
    assert await eventually(other, 2)
    assert await is_full(alive, 2)


async def test_a_process_that_is_there_keeps_its_places(three: list[RedisBus]) -> None:
    """Those that it has, and does not hold for nothing: each beat is for all of them."""
    busy, other, _ = rooms(three)
    assert await busy.enter(1)
    async with asyncio.timeout(SOON):
        for _ in range(20):
            busy.beat(1, 0.2)
            assert await is_full(other, 1)


async def test_one_that_was_gone_for_longer_than_its_lease_counts_again(three: list[RedisBus]) -> None:
    paused, other, third = rooms(three)
    paused.beat(1, 0.1)
    assert await paused.enter(1)
    assert await eventually(other, 1)
    paused.beat(1, 15.0)
    await until(lambda: paused._others == 1)
    # It has what it has, and so has the other: there are more than may be, until one of them ends.
    other.give_back()
    assert await is_full(third, 1)
    paused.give_back()
    assert await eventually(third, 1)


async def test_where_there_are_many_places_nobody_asks_for_each(
    three: list[RedisBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = rooms(three)[0]
    await known(room, 4096)
    said = 0
    say = RedisRoom._say

    async def counted(self: RedisRoom) -> None:
        nonlocal said
        said += 1
        await say(self)

    monkeypatch.setattr(RedisRoom, "_say", counted)
    for _ in range(1000):
        for _ in range(10):
            assert room.take(4096)
        for _ in range(10):
            room.give_back()
        await asyncio.sleep(0)
    assert not said
    for taken in range(1000):
        if not room.take(4096):
            assert await room.enter(4096), taken
    assert said < 1000 // 8


async def test_what_is_spare_at_one_is_not_kept_from_others_for_long(three: list[RedisBus]) -> None:
    """All places but those that are used, once every process has beaten."""
    one, other, third = rooms(three)
    for room in (one, other, third) * 2:
        await known(room, 640)
    assert one._held > 1
    taken = 0
    while await other.enter(640, patient=False):
        taken += 1
    assert taken >= 640 - 640 // 16
    async with asyncio.timeout(SOON):
        while taken < 640:
            for room in (one, third):
                room.beat(640, 15.0)
            taken += await other.enter(640, patient=False)
    assert await is_full(one, 640)
    assert await is_full(third, 640)


async def test_who_is_told_not_now_has_the_place_that_comes_free_in_time(three: list[RedisBus]) -> None:
    one, other, third = rooms(three)
    assert await one.enter(1)
    waiting = asyncio.create_task(other.enter(1))
    await until(lambda: bool(other._told))
    assert not await third.enter(1, patient=False)
    one.give_back()
    assert await waiting


async def test_who_leaves_the_line_takes_no_place_with_him(three: list[RedisBus]) -> None:
    one, other, _ = rooms(three)
    assert await one.enter(1)
    waiting = asyncio.create_task(other.enter(1))
    await until(lambda: bool(other._told))
    # At the same moment he gets it, and leaves.
    answer = next(iter(other._waiting))
    other._used += 1
    answer.set_result(True)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (other._used, other._waiting, other._told) == (0, {}, set())
    one.give_back()
    assert await eventually(other, 1)


async def test_who_has_left_the_line_is_given_nothing(
    three: list[RedisBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the server gives it to him just then."""
    one, other, third = rooms(three)
    asked = RedisRoom._asked

    async def slow(self: RedisRoom, command: Command) -> Reply:
        answer = await asked(self, command)
        waiting.cancel()
        await asyncio.wait([waiting])
        return answer

    monkeypatch.setattr(RedisRoom, "_asked", slow)
    waiting = asyncio.create_task(one.enter(1))
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    monkeypatch.undo()
    await until(lambda: not one._due.is_set())
    assert (one._used, one._waiting, one._told) == (0, {}, set())
    assert await eventually(other, 1)
    assert await is_full(third, 1)


async def test_a_line_has_an_end(three: list[RedisBus], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_room, "MOST_WAITING", 2)
    monkeypatch.setattr(redis_room, "WAIT_S", 0.5)
    one, other, _ = rooms(three)
    assert await one.enter(1)
    first = [asyncio.create_task(other.enter(1)) for _ in range(2)]
    await until(lambda: len(other._waiting) == 2)
    assert not other.may_ask
    assert not await other.enter(1)
    assert await asyncio.gather(*first) == [False, False]


async def test_all_are_told_when_a_place_comes_free_where_none_was(three: list[RedisBus]) -> None:
    one, other, _ = rooms(three)
    freed = asyncio.Event()
    one.freed = freed.set
    for room in (one, one, other):
        assert await room.enter(4)
    one.give_back()
    assert await other.enter(4)
    await known(other, 4)
    assert not freed.is_set(), "there were places before"
    assert await eventually(one, 4)
    one.give_back()
    async with asyncio.timeout(SOON):
        await freed.wait()


async def test_nobody_is_told_of_a_place_that_was_taken_for_nothing(three: list[RedisBus]) -> None:
    """Who is told looks for work, and takes a place for it: they would tell each other for ever."""
    one, other, _ = rooms(three)
    told: list[str] = []
    one.freed, other.freed = (lambda: told.append("one")), (lambda: told.append("other"))
    assert await one.enter(1)
    one.give_back(unused=True)
    assert await eventually(other, 1)
    other.give_back(unused=True)
    assert await eventually(one, 1)
    assert not told
    one.give_back()
    await until(lambda: told == ["one"])


async def test_a_server_that_is_away_leaves_each_process_its_share(own_valkey: Valkey) -> None:
    async with ends(*[own_valkey.url] * 3) as three:
        every = rooms(three)
        for room in every * 2:
            await known(room, 6)
        assert all(room._processes == 3 for room in every)
        own_valkey.pause()
        try:
            for room in every:
                assert [await room.enter(6) for _ in range(4)] == [True, True, False, False]
                assert not room.may_ask
                assert room.share(6) == 2
        finally:
            own_valkey.resume()
        # Together again, all places are known.
        for room in every:
            await until(lambda room=room: room.share(6) == 6)  # type: ignore[misc]
        for room in every:
            assert await is_full(room, 6)
        every[0].give_back()
        assert await eventually(every[1], 6)


async def test_a_server_that_comes_back_empty_is_told_at_once(own_valkey: Valkey) -> None:
    async with ends(own_valkey.url, own_valkey.url) as pair:
        one, other = rooms(pair)
        assert await one.enter(1)
        own_valkey.kill()
        own_valkey.start()
        for bus, room in zip(pair, (one, other), strict=True):
            await until(lambda bus=bus, room=room: bus.health().connected and not room._is_alone)  # type: ignore[misc]
        await until(lambda: "1" in _counts(own_valkey))
        assert await is_full(other, 1)


def _counts(server: Valkey) -> list[str]:
    """How many places each process holds, as the server has it."""
    keys = [key for key in server.say("KEYS", "ocgw:held:*").decode().split("\r\n") if "ocgw" in key]
    return [word for key in keys for word in server.say("HVALS", key).decode().split("\r\n")[2::2]]


async def test_one_that_starts_while_the_server_is_away_goes_by_who_else_is_there() -> None:
    async with ends("redis://127.0.0.1:9") as (bus,):
        room = bus.limits.runs
        room.among(3)
        assert [await room.enter(6) for _ in range(4)] == [True, True, False, False]


async def test_who_ends_in_order_leaves_nothing_behind(valkey: Valkey) -> None:
    async with ends(valkey.url) as (other,):
        async with ends(valkey.url) as (one,):
            assert await one.limits.runs.enter(1)
        assert await other.limits.runs.enter(1, patient=False)
