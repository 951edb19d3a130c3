"""The user's time zone from its name. Pure but for the system's table of zones."""

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str | None) -> tzinfo | None:
    """None for no name or an unknown one: then the machine's own zone applies."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
