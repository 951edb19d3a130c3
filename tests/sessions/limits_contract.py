"""What every SharedLimits must do."""

import time

import pytest

from openclaw_gateway.sessions.limits import LockOutRule, SharedLimits


class LimitsContract:
    @pytest.fixture
    async def here(self) -> SharedLimits:
        raise NotImplementedError

    async def test_whoever_has_not_failed_is_not_locked_out(self, here: SharedLimits) -> None:
        here.failed("somebody", LockOutRule(2, 60, 60))
        here.succeeded("somebody")
        here.succeeded("nobody")
        assert here.locked_for("nobody", time.monotonic()) == 0
