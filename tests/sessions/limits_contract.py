"""What every SharedLimits must do. `there` is where others hear of what is done `here`."""

import time

import pytest

from openclaw_gateway.sessions.limits import LockOutRule, SharedLimits


class LimitsContract:
    @pytest.fixture
    async def here(self) -> SharedLimits:
        raise NotImplementedError

    @pytest.fixture
    async def there(self, here: SharedLimits) -> SharedLimits:
        return here

    async def test_places_are_those_of_all(self, here: SharedLimits, there: SharedLimits) -> None:
        first, second = await here.enter("runs", 2), await there.enter("runs", 2)
        assert first and second and first != second
        assert await here.enter("runs", 2) is None
        assert await there.enter("runs", 2) is None
        assert await there.enter("others", 1)

    async def test_a_place_that_is_given_back_is_free(self, here: SharedLimits, there: SharedLimits) -> None:
        place = await here.enter("runs", 1)
        assert place
        here.leave("runs", place)
        here.leave("runs", place)
        here.leave("runs", "unknown")
        here.leave("unknown", place)
        again = await here.enter("runs", 1)
        assert again
        here.leave("runs", again)

    async def test_of_none_nobody_has_one(self, here: SharedLimits) -> None:
        assert await here.enter("runs", 0) is None

    async def test_together_a_limit_is_whole(self, here: SharedLimits) -> None:
        assert await here.enter("runs", 1)
        assert here.share(10) == 10

    async def test_whoever_has_not_failed_is_not_locked_out(self, here: SharedLimits) -> None:
        here.failed("somebody", LockOutRule(2, 60, 60))
        here.succeeded("somebody")
        here.succeeded("nobody")
        assert here.locked_for("nobody", time.monotonic()) == 0
