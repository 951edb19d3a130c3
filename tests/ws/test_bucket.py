"""The token bucket: a burst, then the rate, and never more than the burst saved up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.doors.ws.bucket import TokenBucket


def test_a_burst_then_the_rate() -> None:
    bucket = TokenBucket(50, 100, now=0)
    assert all(bucket.take(0) for _ in range(100))
    assert not bucket.take(0)
    assert bucket.take(0.02)
    assert not bucket.take(0.02)
    assert sum(bucket.take(1000) for _ in range(1000)) == 100


@pytest.mark.promise("limit.wsMessagesPerSecond", "limit.wsBurst")
@given(st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_rate_and_burst_allow(gaps: list[float]) -> None:
    bucket = TokenBucket(5, 10, now=0)
    now, taken = 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
    assert taken <= 10 + 5 * now + 1
