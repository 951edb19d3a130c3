"""Which days a client asks about, in which time zone. Pure but for the system's table of zones.

Params as OpenClaw's programs send them: a first and a last day, a range, or a number of days up to today.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Annotated, Literal

from msgspec import Meta, Struct

from openclaw_gateway.agents.zone import zone_of
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.gateway.spending import Day

MOST_DAYS = 366
_USUAL_DAYS = 30
_RANGES = {"7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": MOST_DAYS}
_OFFSET = re.compile(r"UTC([+-])(\d{1,2})(?::([0-5]\d))?")
_LONGEST_OFFSET = timedelta(hours=14)
_Date = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class DaysParams(Struct, frozen=True, rename="camel"):
    """`mode`: days of UTC (as without one), of this machine's zone, or of the zone that is named."""

    start_date: _Date | None = None
    end_date: _Date | None = None
    range: Literal["7d", "30d", "90d", "1y", "all"] | None = None
    days: Annotated[int, Meta(ge=1)] | None = None
    mode: Literal["utc", "gateway", "specific"] | None = None
    utc_offset: Annotated[str, Meta(max_length=16)] | None = None
    time_zone: Annotated[str, Meta(max_length=64)] | None = None


def days_of(method: str, params: DaysParams, now: datetime) -> tuple[Day, ...]:
    """At least one, at most `MOST_DAYS`, the earliest first. `now` knows its zone. Raises InvalidRequest."""
    zone = _zone(method, params)
    first, last = _bounds(method, params, now.astimezone(zone).date())
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise invalid(method, f"startDate to endDate must be 1 to {MOST_DAYS} days", "startDate")
    dates = [first + timedelta(days=number) for number in range(count + 1)]
    begins = [_begin_ms(each, zone) for each in dates]
    return tuple(Day(day.isoformat(), begins[at], begins[at + 1]) for at, day in enumerate(dates[:-1]))


def _bounds(method: str, params: DaysParams, today: date) -> tuple[date, date]:
    if params.start_date is not None and params.end_date is not None:
        return (
            _date(method, params.start_date, "startDate"),
            _date(method, params.end_date, "endDate"),
        )
    if params.start_date is not None or params.end_date is not None:
        raise invalid(method, "startDate and endDate must be given together", "startDate")
    count = _RANGES[params.range] if params.range else min(params.days or _USUAL_DAYS, MOST_DAYS)
    return today - timedelta(days=count - 1), today


def _date(method: str, text: str, param: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise invalid(method, f"{param} must be a day, such as 2026-01-31", param) from None
    if not 1971 <= found.year <= 9000:
        raise invalid(method, f"{param} must be a day between 1971 and 9000", param)
    return found


def _zone(method: str, params: DaysParams) -> tzinfo | None:
    """None = this machine's."""
    if params.mode == "gateway":
        return None
    if params.mode != "specific":
        return UTC
    if params.time_zone and (zone := zone_of(params.time_zone)) is not None:
        return zone
    if params.utc_offset is None:
        if params.time_zone:
            raise invalid(method, "timeZone is no time zone, such as Europe/Berlin", "timeZone")
        return UTC
    match = _OFFSET.fullmatch(params.utc_offset)
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0)) if match else None
    if match is None or offset is None or offset > _LONGEST_OFFSET:
        raise invalid(method, "utcOffset must be UTC-12:00 to UTC+14:00", "utcOffset")
    return timezone(-offset if match[1] == "-" else offset)


def _begin_ms(day: date, zone: tzinfo | None) -> int:
    """When a day begins; where midnight is skipped, right after it."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000
