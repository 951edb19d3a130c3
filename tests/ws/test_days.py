"""Which days a client means, in which zone."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from openclaw_gateway.doors.ws.days import DaysParams, days_of
from openclaw_gateway.errors import InvalidRequest

NOW = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)
HOUR = 3_600_000


def days(**params: object) -> list[tuple[str, int]]:
    """(date, hours) of each."""
    wanted = DaysParams(**params)  # type: ignore[arg-type]
    return [(day.date, (day.until_ms - day.since_ms) // HOUR) for day in days_of("m", wanted, NOW)]


def test_today_is_the_last_and_thirty_the_usual() -> None:
    assert days(days=2) == [("2026-03-28", 24), ("2026-03-29", 24)]
    assert len(days()) == 30
    assert len(days(range="7d")) == 7
    assert len(days(range="all")) == len(days(days=10_000)) == 366


def test_a_day_is_one_of_the_zone_that_is_asked_for() -> None:
    # There it is past midnight already, and the clocks went forward the day before.
    berlin = days(days=2, mode="specific", time_zone="Europe/Berlin")
    assert berlin == [("2026-03-29", 23), ("2026-03-30", 24)]
    assert days(days=1, mode="specific", utc_offset="UTC+0:30") == [("2026-03-30", 24)]
    assert days(days=1, mode="specific", utc_offset="UTC-9") == [("2026-03-29", 24)]
    (day,) = days_of("m", DaysParams(days=1, mode="specific", utc_offset="UTC-9"), NOW)
    assert day.since_ms == datetime(2026, 3, 29, 9, tzinfo=UTC).timestamp() * 1000
    # What is named counts only when it is asked for.
    assert days(days=1, time_zone="Europe/Berlin") == [("2026-03-29", 24)]


def test_the_days_follow_each_other_without_a_gap() -> None:
    found = days_of("m", DaysParams(start_date="2026-03-01", end_date="2026-03-31", mode="gateway"), NOW)
    assert len(found) == 31
    assert all(one.until_ms == next_.since_ms for one, next_ in pairwise(found))


@pytest.mark.parametrize(
    "params",
    [
        {"start_date": "2026-03-01"},
        {"end_date": "2026-03-01"},
        {"start_date": "2026-03-02", "end_date": "2026-03-01"},
        {"start_date": "2026-02-30", "end_date": "2026-03-01"},
        {"start_date": "2024-01-01", "end_date": "2026-03-01"},
        {"start_date": "9999-12-31", "end_date": "9999-12-31"},
        {"mode": "specific", "time_zone": "Mars/Olympus"},
        {"mode": "specific", "utc_offset": "UTC+15"},
        {"mode": "specific", "utc_offset": "noon"},
    ],
)
def test_what_is_no_day_is_refused(params: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        days(**params)
