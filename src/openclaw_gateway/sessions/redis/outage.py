"""Whether the servers of the bus can be reached, since when, and that it is said once.

Several connections of one process fail and come back by themselves; together they are one outage. Knows no
connection.
"""

import random
import time
from collections.abc import Callable

import structlog

from openclaw_gateway.sessions.bus import BusHealth

log = structlog.get_logger()

_SAY_EVERY_S = 60.0
_SHORTEST_WAIT_S = 0.1
_LONGEST_WAIT_S = 3.0


class Outage:
    """`place` is where the servers are, for the log. `clock` gives Unix seconds."""

    def __init__(self, place: str, clock: Callable[[], float] = time.time) -> None:
        self._place = place
        self._clock = clock
        self._away: dict[str, str] = {}
        self._reached: set[str] = set()
        self._since = clock()
        self._said_at = -_SAY_EVERY_S
        self._said = False

    def health(self) -> BusHealth:
        reason = next(iter(self._away.values()), None)
        return BusHealth("redis", self._is_connected(), int(self._since * 1000), reason)

    def failed(self, part: str, why: str) -> None:
        """`part` has lost its connection, or cannot make one."""
        was = self._is_connected()
        first = not self._away
        self._away[part] = why
        self._reached.discard(part)
        if was:
            self._since = self._clock()
        if first and time.monotonic() - self._said_at >= _SAY_EVERY_S:
            self._said_at = time.monotonic()
            self._said = True
            log.warning("bus.away", bus=self._place, reason=why)

    def well(self, part: str) -> None:
        was = self._is_connected()
        self._away.pop(part, None)
        self._reached.add(part)
        self._look(was=was)

    def gone(self, part: str) -> None:
        """It needs no connection any more."""
        was = self._is_connected()
        self._away.pop(part, None)
        self._reached.discard(part)
        self._look(was=was)

    def _look(self, *, was: bool) -> None:
        """Whether what one of them lacked was all that was missing."""
        if self._is_connected() and not was:
            self._since = self._clock()
            if self._said:
                self._said = False
                log.info("bus.back", bus=self._place)

    def _is_connected(self) -> bool:
        return bool(self._reached) and not self._away


class Patience:
    """How long to wait before the next attempt: longer each time, never the same in two processes."""

    def __init__(self) -> None:
        self._wait_s = _SHORTEST_WAIT_S

    def next_wait(self) -> float:
        wait, self._wait_s = self._wait_s, min(self._wait_s * 2, _LONGEST_WAIT_S)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret

    def reset(self) -> None:
        self._wait_s = _SHORTEST_WAIT_S
