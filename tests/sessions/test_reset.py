"""Daily and idle resets, over midnight and over clock changes."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from openclaw_gateway.sessions.reset import ResetPolicy, is_stale

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str, zone: ZoneInfo | timezone = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def test_without_a_policy_or_a_past_nothing_is_stale() -> None:
    assert not is_stale(None, 0, ms("2026-01-01T00:00"), UTC)
    assert not is_stale(ResetPolicy(), 0, ms("2026-01-01T00:00"), UTC)
    assert not is_stale(ResetPolicy(at_hour=4, idle_minutes=1), None, ms("2026-01-01T00:00"), UTC)


@pytest.mark.parametrize(
    ("previous", "now", "stale"),
    [
        ("2026-05-01T03:59", "2026-05-01T04:00", True),
        ("2026-05-01T04:00", "2026-05-01T23:00", False),
        ("2026-05-01T04:00", "2026-05-02T03:59", False),
        ("2026-05-01T23:00", "2026-05-02T04:01", True),
        ("2026-04-01T23:00", "2026-05-02T01:00", True),
        ("2026-05-02T05:00", "2026-05-02T04:30", False),  # the clock went back
        ("2026-03-29T01:30", "2026-03-29T04:00", True),  # the night that lacks an hour
        ("2026-10-25T03:30", "2026-10-25T04:00", True),  # the night with one more
        ("2026-10-24T04:00", "2026-10-25T03:59", False),
    ],
)
def test_a_daily_reset_is_at_the_hour_on_the_wall(previous: str, now: str, *, stale: bool) -> None:
    policy = ResetPolicy(at_hour=4)
    assert is_stale(policy, ms(previous, BERLIN), ms(now, BERLIN), BERLIN) is stale


def test_an_idle_reset_counts_minutes() -> None:
    policy = ResetPolicy(idle_minutes=60)
    then = ms("2026-05-01T12:00")
    assert not is_stale(policy, then, then + 60 * 60_000, UTC)
    assert is_stale(policy, then, then + 60 * 60_000 + 1, UTC)
    assert not is_stale(policy, then, then - 1, UTC)


def test_either_rule_is_enough_and_the_zone_may_be_the_machines_own() -> None:
    policy = ResetPolicy(at_hour=0, idle_minutes=60)
    now = int(datetime.now().astimezone().replace(hour=12).timestamp() * 1000)
    assert is_stale(policy, now - int(timedelta(days=1).total_seconds() * 1000), now)
    assert is_stale(policy, now - 61 * 60_000, now)
    assert not is_stale(policy, now - 59 * 60_000, now)
