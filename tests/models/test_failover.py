"""When a failed call is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.errors import PROVIDER_REASONS, ProviderError, ProviderReason
from openclaw_gateway.models.failover import RetryPolicy, wait_before_retry

POLICY = RetryPolicy()
REASONS: list[ProviderReason] = list(PROVIDER_REASONS)


def wait(
    reason: ProviderReason = "overloaded",
    *,
    attempt: int = 1,
    elapsed_s: float = 0.0,
    jitter: float = 0.0,
    retry_after: float | None = None,
) -> float | None:
    return wait_before_retry(
        ProviderError(reason, "x", retry_after=retry_after),
        attempt=attempt,
        elapsed_s=elapsed_s,
        jitter=jitter,
        policy=POLICY,
    )


@pytest.mark.parametrize("reason", REASONS)
def test_only_what_may_pass_by_itself_is_tried_again(reason: ProviderReason) -> None:
    retryable = {"rate_limit", "timeout", "overloaded", "server_error", "unreachable", "cut", "empty"}
    assert (wait(reason) is not None) == (reason in retryable)


def test_who_has_nothing_to_say_is_asked_once_more() -> None:
    assert wait("empty") is not None
    assert wait("empty", attempt=2) is None


def test_two_retries_that_wait_longer() -> None:
    assert wait(attempt=1) == 0.25
    assert wait(attempt=1, jitter=0.999) == pytest.approx(0.5, rel=0.01)
    assert wait(attempt=2) == 1.0
    assert wait(attempt=3) is None


def test_a_first_cut_is_most_often_an_old_connection() -> None:
    assert wait("cut") == 0.05
    assert wait("cut", attempt=2) == 1.0


def test_retry_after_is_kept_to_or_passed_on() -> None:
    assert wait(retry_after=3) == 3
    assert wait(retry_after=3, elapsed_s=7.1) is None
    assert wait(retry_after=0) == 0
    assert wait(retry_after=60) is None


@given(
    st.sampled_from(REASONS),
    st.integers(1, 5),
    st.floats(0, 20),
    st.none() | st.floats(0, 100),
)
def test_never_beyond_the_limits(
    reason: ProviderReason, attempt: int, elapsed_s: float, retry_after: float | None
) -> None:
    for jitter in (0.0, 0.5, 0.999):
        seconds = wait(
            reason,
            attempt=attempt,
            elapsed_s=elapsed_s,
            jitter=jitter,
            retry_after=retry_after,
        )
        if seconds is not None:
            assert attempt <= 2
            assert seconds >= (retry_after or 0)
            assert elapsed_s + seconds < 10
