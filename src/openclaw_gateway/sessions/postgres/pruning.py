"""What goes beyond a retention, in the PostgreSQL store: little by little, in short transactions.

Several replicas may do this at the same time: each drops rows that no other has in hand, and looks anew at
what there is before it drops more sessions. Knows nothing of pools.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from asyncpg import Connection

from openclaw_gateway.sessions.postgres import blobs, kept, ledger
from openclaw_gateway.sessions.retention import Pruned, Retention, surplus

_SESSIONS_AT_ONCE = 5_000
_BURIED_AT_ONCE = 100
_RUNS_AT_ONCE = 500
_RESULTS_AT_ONCE = 100
_NOW = "SELECT now_ms($1)"
_FREE = "waiting = 0 AND lease_until_ms IS NULL"
# All of them and the oldest, in one moment: what another replica drops between would still be counted, but
# stand no more among the oldest, and as many again would be dropped in its place.
_OLDEST = """
    SELECT number, updated_ms, oldest.size, count, whole.size
    FROM (SELECT number, updated_ms, size FROM sessions ORDER BY updated_ms, number LIMIT $1) AS oldest,
        (SELECT count(*), coalesce(sum(size), 0)::bigint AS size FROM sessions) AS whole
    ORDER BY updated_ms, number
"""
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
# A run was begun by the clock of its process, and ended by that of the database.
_NEXT_RUNS = """
    SELECT number, least(created_ms, ended_ms) FROM (
        SELECT number, created_ms, ended_ms FROM runs WHERE number > $1 ORDER BY number LIMIT $2
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

P = ParamSpec("P")
R = TypeVar("R")
ClearAway = Callable[[Connection], Awaitable[bool]]
"""Some of what deleted sessions have left; True while there is more."""


class Does(Protocol):
    """What an act gives that is done on a connection, as a transaction of its own."""

    async def __call__(
        self, act: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **named: P.kwargs
    ) -> R: ...


async def prune(do: Does, retention: Retention, now_ms: int | None, clear_away: ClearAway) -> Pruned:
    at = await do(_now, now_ms)
    sessions = await _prune_sessions(do, retention, at) if retention.bounds_sessions else 0
    while await do(clear_away):
        pass
    while await do(blobs.sweep, now_ms):
        pass
    results = await _repeated(do, drop_results, _before(at, retention.results_s))
    runs = await _prune_runs(do, _before(at, retention.runs_s))
    rows = await _repeated(do, ledger.drop, _before(at, retention.ledger_s))
    answers = await _repeated(do, kept.drop, _before(at, retention.kept_s))
    below = await do(kept.without_room, retention.kept_bytes)
    if below is not None:
        answers += await _repeated(do, kept.drop_below, below)
    return Pruned(sessions, runs, results, rows, answers)


async def _now(db: Connection, now_ms: int | None) -> int:
    at: int = await db.fetchval(_NOW, now_ms)
    return at


async def drop_results(db: Connection, before_ms: int) -> int:
    """Some of the results kept before then; how many."""
    gone: int = await db.fetchval(_DROP_RESULTS, before_ms, _RESULTS_AT_ONCE)
    return gone


async def _prune_sessions(do: Does, retention: Retention, at: int) -> int:
    dropped = 0
    while found := await do(_beyond, retention, at):
        before = dropped
        for start in range(0, len(found), _BURIED_AT_ONCE):
            dropped += await do(_bury, found[start : start + _BURIED_AT_ONCE])
        if dropped == before:
            break  # all of them are in use, or another replica drops them
    return dropped


async def _beyond(db: Connection, retention: Retention, at: int) -> list[tuple[int, int]]:
    """The sessions to be dropped, (number, when last changed), oldest first; a bounded number of them."""
    found = await db.fetch(_OLDEST, _SESSIONS_AT_ONCE)
    if not found:
        return []
    count, size = found[0][3:]
    return surplus(retention, [tuple(row)[:3] for row in found], count=count, size=size, now_ms=at)


async def _bury(db: Connection, some: Sequence[tuple[int, int]]) -> int:
    numbers, changed = zip(*some, strict=True)
    buried: int = await db.fetchval(_BURY, numbers, changed)
    return buried


async def _prune_runs(do: Does, before_ms: int) -> int:
    """Those that ended before then and have no result. What was said in them stays."""
    dropped: int = 0
    after = 0
    while True:
        row = await do(_next_runs, after)
        if row is None:
            return dropped
        last, at_ms = row
        dropped += await do(_drop_runs, after, last, before_ms)
        if at_ms >= before_ms:
            return dropped
        after = last


async def _next_runs(db: Connection, after: int) -> tuple[int, int] | None:
    """Of the last of the next ones: its number, and the earlier of when it was begun and when it ended."""
    row = await db.fetchrow(_NEXT_RUNS, after, _RUNS_AT_ONCE)
    return None if row is None else (row[0], row[1])


async def _drop_runs(db: Connection, after: int, last: int, before_ms: int) -> int:
    gone: int = await db.fetchval(_DROP_RUNS, after, last, before_ms)
    return gone


async def _repeated(do: Does, drop: Callable[[Connection, int], Awaitable[int]], before_ms: int) -> int:
    dropped = 0
    while some := await do(drop, before_ms):
        dropped += some
    return dropped


def _before(now_ms: int, kept_s: float) -> int:
    return now_ms - int(kept_s * 1000)
