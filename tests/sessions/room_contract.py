"""What every Room must do. `there` is where others take places of the same ones as `here`."""

import asyncio

import pytest

from openclaw_gateway.sessions.room import Room
from tests.sessions.bus_contract import SOON


class RoomContract:
    @pytest.fixture
    async def here(self) -> Room:
        raise NotImplementedError

    @pytest.fixture
    async def there(self, here: Room) -> Room:
        return here

    async def test_places_are_those_of_all(self, here: Room, there: Room) -> None:
        assert await here.enter(2)
        assert await there.enter(2)
        assert await is_full(here, 2)
        assert await is_full(there, 2)
        assert not here.take(2)
        assert not there.take(2)

    async def test_a_place_that_is_given_back_is_free_for_all(self, here: Room, there: Room) -> None:
        assert await here.enter(1)
        here.give_back()
        assert await eventually(there, 1)
        assert await is_full(here, 1)
        there.give_back()
        assert await eventually(here, 1)

    async def test_of_none_nobody_has_one(self, here: Room) -> None:
        assert await is_full(here, 0)
        assert not here.take(0)

    async def test_a_limit_may_change_under_those_who_are_in(self, here: Room, there: Room) -> None:
        for _ in range(2):
            assert await here.enter(2)
        assert await is_full(there, 1)
        assert await there.enter(3)
        here.give_back()
        assert await is_full(there, 2)
        here.give_back()
        assert await eventually(there, 2)

    async def test_together_a_limit_is_whole(self, here: Room) -> None:
        assert await here.enter(1)
        assert here.share(10) == 10

    async def test_never_more_than_there_are_places(self, here: Room, there: Room) -> None:
        """However many want one at the same time, at both, each for a moment."""
        at_work = most = 0

        async def come_and_go(room: Room) -> None:
            nonlocal at_work, most
            await eventually(room, 3)
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= 1
            room.give_back()

        await asyncio.gather(*(come_and_go(room) for room in (here, there) for _ in range(50)))
        assert most <= 3
        assert not at_work


async def is_full(room: Room, most: int) -> bool:
    return not await room.enter(most, patient=False)


async def eventually(room: Room, most: int) -> bool:
    """A place there, as soon as one is free. What others have given back is known a moment later."""
    async with asyncio.timeout(SOON):
        while not await room.enter(most):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
    return True
