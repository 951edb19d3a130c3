"""What all processes of a gateway count together: in one process, and at a server that may go away."""

import time
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.config.schema import RateLimitConfig
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.sessions.limits import LockOutRule, SharedLimits
from openclaw_gateway.sessions.local.limits import LocalLimits
from openclaw_gateway.sessions.redis import limits
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.urls import parsed
from tests.engines.valkey import Valkey
from tests.sessions.limits_contract import LimitsContract
from tests.sessions.test_redis_outage import ends, until

STRANGER = Caller("10.0.0.1", "10.0.0.1")
RULE = LockOutRule(3, 60, 300)


class TestLocal(LimitsContract):
    @pytest.fixture
    async def here(self) -> SharedLimits:
        return LocalLimits()


class TestOverRedis(LimitsContract):
    @pytest.fixture
    async def pair(self, valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
        async with ends(valkey.url, valkey.url) as pair:
            yield pair

    @pytest.fixture
    async def here(self, pair: list[RedisBus]) -> SharedLimits:
        return pair[0].limits


class TestOverACluster(TestOverRedis):
    @pytest.fixture
    async def pair(self, valkeys: list[Valkey]) -> AsyncIterator[list[RedisBus]]:
        url = f"redis+cluster://127.0.0.1:{valkeys[0].port}"
        async with ends(url, url) as pair:
            yield pair


@pytest.fixture
async def three(valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
    async with ends(*[valkey.url] * 3) as three:
        yield three


def locked(bus: RedisBus, subject: str = "somebody") -> float:
    return bus.limits.locked_for(subject, time.monotonic())


async def test_failures_are_counted_over_all_processes(three: list[RedisBus]) -> None:
    for bus in three[:2]:
        bus.limits.failed("somebody", RULE)
    three[0].limits.failed("somebody else", RULE)
    three[2].limits.failed("somebody", RULE)
    for bus in three:
        await until(lambda bus=bus: 299 < locked(bus) <= 300)  # type: ignore[misc]
        assert not locked(bus, "somebody else")


async def test_who_comes_later_learns_of_a_lock_out_by_the_next_failure(
    valkey: Valkey, three: list[RedisBus]
) -> None:
    for bus in three:
        bus.limits.failed("somebody", RULE)
    await until(lambda: locked(three[0]) > 0)
    async with ends(valkey.url) as (late,):
        assert not locked(late)
        late.limits.failed("somebody", RULE)
        await until(lambda: 0 < locked(late) <= 300)


async def test_who_succeeds_begins_again(three: list[RedisBus]) -> None:
    bus = three[0]
    for _ in range(2):
        bus.limits.failed("somebody", RULE)
    await _counted(bus)
    bus.limits.succeeded("somebody")
    for _ in range(2):
        bus.limits.failed("somebody", RULE)
    await _counted(bus)
    assert not locked(bus)
    bus.limits.failed("somebody", RULE)
    await until(lambda: locked(bus) > 0)


async def _counted(bus: RedisBus) -> None:
    await until(lambda: not bus.limits._telling)


@pytest.mark.parametrize(
    ("rule", "is_locked"),
    [
        (LockOutRule(0, 60, 60), True),
        (LockOutRule(1.5, 60, 60), False),
        (LockOutRule(2, 0, 60), False),
        (LockOutRule(1, 60, 0), False),
        (LockOutRule(1, float("inf"), 1e300), True),
        (LockOutRule(float("inf"), 1e300, 1e300), False),
    ],
)
async def test_any_number_means_what_it_means_for_one_process(
    three: list[RedisBus], rule: LockOutRule, is_locked: bool
) -> None:
    bus = three[0]
    bus.limits.failed("somebody", rule)
    await _counted(bus)
    assert bool(locked(bus)) == is_locked
    assert not bus.limits._is_alone


async def test_nothing_stays_at_the_server_for_longer_than_it_matters(
    valkey: Valkey, three: list[RedisBus]
) -> None:
    three[0].limits.failed("somebody", RULE)
    await _counted(three[0])
    assert await three[0].limits.runs.enter(5)
    keys = [key for key in valkey.say("KEYS", "ocgw:*").split(b"\r\n") if key.startswith(b"ocgw")]
    kinds = {key.split(b":")[1] for key in keys}
    assert kinds == {b"tries", b"places", b"holders", b"held"}
    assert b"somebody" not in b" ".join(keys)
    for key in keys:
        assert 0 < int(valkey.say("PTTL", key.decode()).strip(b":\r\n")) <= 60_000


async def test_another_gateway_at_the_same_server_counts_its_own(
    valkey: Valkey, three: list[RedisBus]
) -> None:
    theirs = RedisBus(parsed(valkey.url), gateway="another")
    await theirs.open()
    try:
        for _ in range(3):
            three[0].limits.failed("somebody", RULE)
        await _counted(three[0])
        assert locked(three[0])
        theirs.limits.failed("somebody", RULE)
        await _counted(theirs)
        assert not locked(theirs)
        names = {bus.limits.runs._name for bus in (*three, theirs)}
        assert len(names) == 2, "and places, too"
    finally:
        await theirs.close()


async def test_ever_new_subjects_do_not_fill_the_server(
    three: list[RedisBus], valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_SUBJECTS", 10)
    for n in range(50):
        three[0].limits.failed(f"subject {n}", RULE)
    await _counted(three[0])
    assert valkey.say("KEYS", "ocgw:tries:*").startswith(b"*10\r\n")
    for n in range(50):
        three[0].limits.lock(f"subject {n}", 10)
    assert len(three[0].limits._locked) == 10


@pytest.mark.promise("lock-out-share")
async def test_a_server_that_is_away_leaves_each_process_its_share(own_valkey: Valkey) -> None:
    async with ends(*[own_valkey.url] * 3) as three:
        # The first of them hears of the last one only when it says again that it is there.
        for bus in (*three, *three):
            await bus.limits._renew()
        own_valkey.pause()
        try:
            for bus in three:
                bus.limits.failed("somebody", RULE)
            for bus in three:
                await until(lambda bus=bus: bus.limits.share(10) == 3)  # type: ignore[misc]
                assert bus.limits.share(2) == 1
                limiter = FailureLimiter(RateLimitConfig(max_attempts=7), shared=bus.limits)
                assert limiter.failed(STRANGER, 1.0) is None
                assert limiter.failed(STRANGER, 1.0) is not None
        finally:
            own_valkey.resume()
        for bus in three:
            await until(lambda bus=bus: bus.health().connected)  # type: ignore[misc]
            await bus.limits._renew()
        # On a busy machine an answer of the one that was away may come later still.
        await until(lambda: three[0].limits.share(10) == 10)


async def test_a_limiter_heeds_what_other_processes_counted(three: list[RedisBus]) -> None:
    limiters = [FailureLimiter(RateLimitConfig(max_attempts=3), shared=bus.limits) for bus in three]
    for limiter in limiters:
        assert limiter.failed(STRANGER, time.monotonic()) is None
    for limiter in limiters:
        await until(lambda limiter=limiter: limiter.locked_for(STRANGER, time.monotonic()) > 0)  # type: ignore[misc]
    other = Caller("10.0.0.2", "10.0.0.2")
    assert limiters[0].locked_for(other, time.monotonic()) == 0
