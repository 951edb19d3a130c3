"""How long what is stored is kept.

Pure. Knows nothing of configuration files or stores: the caller translates the one, a store carries it
out (`Store.prune`).
"""

from collections.abc import Iterable

from msgspec import Struct

_DAY_S = 24 * 3600.0


class Retention(Struct, frozen=True):
    """Seconds, a number, bytes. Sessions are kept for good unless one of their three bounds is set: what goes
    beyond it is dropped, the session that was not used for longest first. Of what is kept under a name the
    oldest goes when all of it together is more than `kept_bytes`; what is kept beside a session is not
    counted, and goes with the session."""

    sessions_s: float | None = None
    max_sessions: int | None = None
    max_bytes: int | None = None
    runs_s: float = 7 * _DAY_S
    results_s: float = _DAY_S
    ledger_s: float = 30 * _DAY_S
    kept_s: float = 30 * _DAY_S
    kept_bytes: int = 4 << 30

    @property
    def bounds_sessions(self) -> bool:
        return self.sessions_s is not None or self.max_sessions is not None or self.max_bytes is not None


def surplus(
    retention: Retention, oldest: Iterable[tuple[int, int, int]], *, count: int, size: int, now_ms: int
) -> list[tuple[int, int]]:
    """Which sessions are dropped, (number, when last changed), of the `oldest`, (number, when last changed,
    size): the first of them, until what is left of all `count`, of `size` bytes, may stay."""
    found: list[tuple[int, int]] = []
    for number, updated_ms, its_size in oldest:
        if not _is_too_much(retention, now_ms - updated_ms, count, size):
            break
        found.append((number, updated_ms))
        count -= 1
        size -= its_size
    return found


def _is_too_much(retention: Retention, idle_ms: int, count: int, size: int) -> bool:
    if retention.sessions_s is not None and idle_ms > retention.sessions_s * 1000:
        return True
    if retention.max_sessions is not None and count > retention.max_sessions:
        return True
    return retention.max_bytes is not None and size > retention.max_bytes


class Pruned(Struct, frozen=True):
    """How many were dropped."""

    sessions: int = 0
    runs: int = 0
    results: int = 0
    ledger: int = 0
    kept: int = 0
