"""How long a credential rests, and which one is next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.errors import PROVIDER_REASONS, ProviderError, ProviderReason
from openclaw_gateway.models.cooldown import RESTS, Cooldowns

A, B = ("acme", 0), ("acme", 1)


def error(reason: ProviderReason = "rate_limit", retry_after: float | None = None) -> ProviderError:
    return ProviderError(reason, "x", retry_after=retry_after)


@pytest.mark.parametrize(
    ("reason", "rests"),
    [
        ("rate_limit", [30, 60, 300, 300]),
        ("auth", [30, 60, 300, 300]),
        ("billing", [600, 1200, 2400, 4800]),
    ],
)
def test_longer_each_time_until_it_works(reason: ProviderReason, rests: list[float]) -> None:
    cooldowns, now = Cooldowns(), 1000.0
    for rest in rests:
        cooldowns.failed(A, error(reason), now)
        assert cooldowns.rests(A, now + rest - 0.1)
        assert not cooldowns.rests(A, now + rest)
        now += rest
    cooldowns.succeeded(A)
    cooldowns.failed(A, error(reason), now)
    assert not cooldowns.rests(A, now + rests[0])


@pytest.mark.parametrize("reason", [reason for reason in PROVIDER_REASONS if reason not in RESTS])
def test_other_failures_are_not_the_keys_fault(reason: ProviderReason) -> None:
    cooldowns = Cooldowns()
    cooldowns.failed(A, error(reason), 0.0)
    assert not cooldowns.rests(A, 0.0)
    assert len(cooldowns) == 0


def test_runs_that_fail_together_count_once() -> None:
    cooldowns = Cooldowns()
    for _ in range(50):
        cooldowns.failed(A, error(), 0.0)
    assert not cooldowns.rests(A, 30.0)
    cooldowns.failed(A, error(), 30.0)
    assert cooldowns.rests(A, 89.0)
    assert not cooldowns.rests(A, 90.0)


@pytest.mark.parametrize(("asked", "rests"), [(None, 30), (2, 30), (120, 120), (10**6, 3600)])
def test_a_provider_may_ask_for_longer(asked: float | None, rests: float) -> None:
    cooldowns = Cooldowns()
    cooldowns.failed(A, error(retry_after=asked), 0.0)
    assert cooldowns.rests(A, rests - 0.1)
    assert not cooldowns.rests(A, rests)


def test_the_least_recently_failed_first_and_the_resting_last() -> None:
    cooldowns = Cooldowns()
    assert list(cooldowns.in_order("acme", 3, 0.0)) == [0, 1, 2]
    cooldowns.failed(A, error(), 0.0)
    assert list(cooldowns.in_order("acme", 3, 1.0)) == [1, 2, 0]
    cooldowns.failed(B, error(), 10.0)
    assert list(cooldowns.in_order("acme", 3, 11.0)) == [2, 0, 1]
    assert list(cooldowns.in_order("acme", 3, 35.0)) == [2, 0, 1]
    assert list(cooldowns.in_order("acme", 3, 99.0)) == [2, 0, 1]
    cooldowns.succeeded(A)
    assert list(cooldowns.in_order("acme", 3, 99.0)) == [0, 2, 1]
    assert list(cooldowns.in_order("other", 2, 11.0)) == [0, 1]


def test_memory_is_bounded() -> None:
    cooldowns = Cooldowns(max_known=10)
    for place in range(100):
        cooldowns.failed(("acme", place), error(), float(place))
    assert len(cooldowns) == 10
    assert cooldowns.rests(("acme", 99), 99.0)
    assert not cooldowns.rests(("acme", 0), 1.0)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from(list(PROVIDER_REASONS)), st.booleans(), st.floats(0, 1e4)
        )
    )
)
def test_every_key_keeps_its_place_in_the_order(
    history: list[tuple[int, ProviderReason, bool, float]],
) -> None:
    cooldowns, now = Cooldowns(max_known=3), 0.0
    for place, reason, works, later in history:
        now += later
        if works:
            cooldowns.succeeded(("acme", place))
        else:
            cooldowns.failed(("acme", place), error(reason), now)
    order = list(cooldowns.in_order("acme", 4, now))
    assert sorted(order) == [0, 1, 2, 3]
    resting = [cooldowns.rests(("acme", place), now) for place in order]
    assert resting == sorted(resting)
