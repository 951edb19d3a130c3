"""How long what is stored is kept.

Pure. Knows nothing of configuration files or stores: the caller translates the one, a store carries it
out (`Store.prune`).
"""

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


class Pruned(Struct, frozen=True):
    """How many were dropped."""

    sessions: int = 0
    runs: int = 0
    results: int = 0
    ledger: int = 0
    kept: int = 0
