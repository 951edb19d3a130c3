"""What goes beyond a retention, in the SQLite store: found on the reader thread, dropped on the writer's.

Every function is one operation inside somebody else's transaction, and does only so much that a commit
does not wait for it. Knows nothing of threads, event loops or files.
"""

import sqlite3

from openclaw_gateway.sessions.retention import Retention, surplus

_SESSIONS_AT_ONCE = 5_000
_RUNS_AT_ONCE = 200
_RESULTS_AT_ONCE = 32


def beyond(db: sqlite3.Cursor, retention: Retention, now_ms: int) -> list[tuple[int, int]]:
    """The sessions to be dropped, (number, when last changed), oldest first; a bounded number of them."""
    count, size = db.execute("SELECT count(*), ifnull(sum(size), 0) FROM sessions").fetchone()
    oldest = db.execute(
        "SELECT number, updated_ms, size FROM sessions ORDER BY updated_ms, number LIMIT ?",
        (_SESSIONS_AT_ONCE,),
    )
    return surplus(retention, oldest, count=count, size=size, now_ms=now_ms)


def drop_results(db: sqlite3.Cursor, before_ms: int) -> int:
    """Some of the results kept before then; how many."""
    db.execute(
        "DELETE FROM results WHERE number IN (SELECT number FROM results WHERE kept_ms < ? LIMIT ?)",
        (before_ms, _RESULTS_AT_ONCE),
    )
    return db.rowcount


def drop_runs(db: sqlite3.Cursor, before_ms: int, after: int) -> tuple[int, int | None]:
    """Of some runs behind the number `after`, those that ended before then and have no result.

    (how many; the number to go on behind, None at the end). What was said in them stays.
    """
    looked_at = db.execute(
        "SELECT number, created_ms FROM runs WHERE number > ? ORDER BY number LIMIT ?", (after, _RUNS_AT_ONCE)
    ).fetchall()
    if not looked_at:
        return 0, None
    last, created_ms = looked_at[-1]
    db.execute(
        "DELETE FROM runs WHERE number > ? AND number <= ? AND ended_ms < ? "
        "AND NOT EXISTS (SELECT 1 FROM results WHERE results.number = runs.number)",
        (after, last, before_ms),
    )
    return db.rowcount, last if created_ms < before_ms else None
