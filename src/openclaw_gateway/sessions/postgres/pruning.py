"""What goes beyond a retention, in the PostgreSQL store: little by little, in short transactions.

Several replicas may do this at the same time: each drops rows that no other has in hand, and looks anew at
what there is before it drops more sessions. Knows nothing of pools: `prune` is given a connection of its own.
"""

from collections.abc import Awaitable, Callable

from asyncpg import Connection

from openclaw_gateway.sessions.postgres import blobs, kept, ledger
from openclaw_gateway.sessions.retention import Pruned, Retention, surplus

_SESSIONS_AT_ONCE = 5_000
_BURIED_AT_ONCE = 100
_RUNS_AT_ONCE = 500
_RESULTS_AT_ONCE = 100
_NOW = "SELECT now_ms($1)"
_FREE = "waiting = 0 AND lease_until_ms IS NULL"
_COUNT = "SELECT count(*), coalesce(sum(size), 0)::bigint FROM sessions"
_OLDEST = "SELECT number, updated_ms, size FROM sessions ORDER BY updated_ms, number LIMIT $1"
# Where nobody has come to them since. Whoever holds the row is at work with it.
_BURY = f"""
    WITH unused AS (
        SELECT number FROM sessions JOIN unnest($1::bigint[], $2::bigint[]) AS old (number, updated_ms)
            USING (number, updated_ms)
        WHERE {_FREE} FOR UPDATE OF sessions SKIP LOCKED
    ), gone AS (
        DELETE FROM sessions USING unused WHERE sessions.number = unused.number RETURNING sessions.number
    ), buried AS (INSERT INTO graves (session) SELECT number FROM gone RETURNING 1)
    SELECT count(*) FROM buried
"""  # noqa: S608 - our own text
_DROP_RESULTS = """
    WITH old AS (
        SELECT number FROM results WHERE kept_ms < $1 ORDER BY kept_ms LIMIT $2 FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM results USING old WHERE results.number = old.number RETURNING 1)
    SELECT count(*) FROM gone
"""
_NEXT_RUNS = """
    SELECT number, created_ms FROM (
        SELECT number, created_ms FROM runs WHERE number > $1 ORDER BY number LIMIT $2
    ) AS part ORDER BY number DESC LIMIT 1
"""
_DROP_RUNS = """
    WITH old AS (
        SELECT number FROM runs WHERE number > $1 AND number <= $2 AND ended_ms < $3
            AND NOT EXISTS (SELECT 1 FROM results WHERE results.number = runs.number)
        FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM runs USING old WHERE runs.number = old.number RETURNING 1)
    SELECT count(*) FROM gone
"""

ClearAway = Callable[[Connection], Awaitable[bool]]
"""Some of what deleted sessions have left; True while there is more."""


async def prune(db: Connection, retention: Retention, now_ms: int | None, clear_away: ClearAway) -> Pruned:
    at: int = await db.fetchval(_NOW, now_ms)
    sessions = await _prune_sessions(db, retention, at) if retention.bounds_sessions else 0
    while await clear_away(db):
        pass
    while await blobs.sweep(db, now_ms):
        pass
    results = await _repeated(db, drop_results, _before(at, retention.results_s))
    runs = await _prune_runs(db, _before(at, retention.runs_s))
    rows = await _repeated(db, ledger.drop, _before(at, retention.ledger_s))
    answers = await _repeated(db, kept.drop, _before(at, retention.kept_s))
    below = await kept.without_room(db, retention.kept_bytes)
    if below is not None:
        answers += await _repeated(db, kept.drop_below, below)
    return Pruned(sessions, runs, results, rows, answers)


async def drop_results(db: Connection, before_ms: int) -> int:
    """Some of the results kept before then; how many."""
    gone: int = await db.fetchval(_DROP_RESULTS, before_ms, _RESULTS_AT_ONCE)
    return gone


async def _prune_sessions(db: Connection, retention: Retention, at: int) -> int:
    dropped = 0
    while found := await _beyond(db, retention, at):
        before = dropped
        for start in range(0, len(found), _BURIED_AT_ONCE):
            numbers, changed = zip(*found[start : start + _BURIED_AT_ONCE], strict=True)
            dropped += await db.fetchval(_BURY, numbers, changed)
        if dropped == before:
            break  # all of them are in use, or another replica drops them
    return dropped


async def _beyond(db: Connection, retention: Retention, at: int) -> list[tuple[int, int]]:
    """The sessions to be dropped, (number, when last changed), oldest first; a bounded number of them.

    Both are looked at in one moment: what another replica drops between would still be counted, but stand no
    more among the oldest, and as many again would be dropped in its place.
    """
    async with db.transaction(isolation="repeatable_read", readonly=True):
        count, size = await db.fetchrow(_COUNT)
        oldest = await db.fetch(_OLDEST, _SESSIONS_AT_ONCE)
    return surplus(retention, oldest, count=count, size=size, now_ms=at)


async def _prune_runs(db: Connection, before_ms: int) -> int:
    """Those that ended before then and have no result. What was said in them stays."""
    dropped: int = 0
    after = 0
    while True:
        row = await db.fetchrow(_NEXT_RUNS, after, _RUNS_AT_ONCE)
        if row is None:
            return dropped
        last, created_ms = row
        dropped += await db.fetchval(_DROP_RUNS, after, last, before_ms)
        if created_ms >= before_ms:
            return dropped
        after = last


async def _repeated(db: Connection, drop: Callable[[Connection, int], Awaitable[int]], before_ms: int) -> int:
    dropped = 0
    while some := await drop(db, before_ms):
        dropped += some
    return dropped


def _before(now_ms: int, kept_s: float) -> int:
    return now_ms - int(kept_s * 1000)
