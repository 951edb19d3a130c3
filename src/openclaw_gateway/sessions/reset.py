"""When a conversation has grown stale and starts anew (`session.reset` of the configuration).

Pure. Knows nothing of configuration files or stores: the caller translates the one and empties the
other. Without a policy nothing is ever stale.
"""

from datetime import datetime, timedelta, tzinfo

from msgspec import Struct


class ResetPolicy(Struct, frozen=True):
    """Both rules may apply. `at_hour` (0 to 23) is local time of day; None = no such rule."""

    at_hour: int | None = None
    idle_minutes: int | None = None


def is_stale(
    policy: ResetPolicy | None, previous_ms: int | None, now_ms: int, tz: tzinfo | None = None
) -> bool:
    """Whether a session that last changed at `previous_ms` starts anew at `now_ms` (Unix milliseconds).

    `tz` None is the machine's own zone. A clock that went backwards makes nothing stale.
    """
    if policy is None or previous_ms is None:
        return False
    if policy.idle_minutes is not None and now_ms - previous_ms > policy.idle_minutes * 60_000:
        return True
    return policy.at_hour is not None and previous_ms < _last_boundary_ms(policy.at_hour, now_ms, tz)


def _last_boundary_ms(at_hour: int, now_ms: int, tz: tzinfo | None) -> float:
    """The newest `at_hour` o'clock on the wall that is not in the future. Wall clocks jump: only a day
    is counted on the wall, the comparison is made on the time line."""
    now = datetime.fromtimestamp(now_ms / 1000, tz)
    boundary = now.replace(hour=at_hour, minute=0, second=0, microsecond=0, fold=0)
    if boundary.timestamp() * 1000 > now_ms:
        boundary -= timedelta(days=1)
    return boundary.timestamp() * 1000
