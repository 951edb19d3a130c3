"""The ledger of the PostgreSQL store: what every run was and cost, written and forgotten.

Every function is one statement on a connection that the caller gives. A statement is whole or not there.
"""

from collections.abc import Sequence

from asyncpg import Connection
from msgspec.structs import astuple

from openclaw_gateway.sessions.store import LedgerRow

_ROWS_AT_ONCE = 2_000
_COLUMNS = (
    "run",
    "owner",
    "agent",
    "session",
    "model",
    "door",
    "status",
    "started_ms",
    "duration_ms",
    "prompt_tokens",
    "completion_tokens",
    "cost",
    "error_code",
    "parent",
    "cached_tokens",
    "cache_write_tokens",
    "called",
)
_PLACES = ", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))
# A row whose answer was lost is written again: it is there already, and counts once.
_THERE = " AND ".join(
    f"{name} = ${_COLUMNS.index(name) + 1}" for name in ("started_ms", "run", "status", "duration_ms")
)
_INSERT = f"""
    INSERT INTO ledger ({", ".join(_COLUMNS)}) SELECT {_PLACES}
    WHERE NOT EXISTS (SELECT FROM ledger WHERE {_THERE})
"""  # noqa: S608 - our own names
_DROP = """
    WITH old AS (
        SELECT number FROM ledger WHERE started_ms < $1 ORDER BY started_ms LIMIT $2 FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM ledger USING old WHERE ledger.number = old.number RETURNING 1)
    SELECT count(*) FROM gone
"""


async def record(db: Connection, rows: Sequence[LedgerRow]) -> None:
    """All or nothing; a row that is there is left as it is."""
    if len(rows) == 1:
        await db.execute(_INSERT, *astuple(rows[0]))
    elif rows:
        await db.executemany(_INSERT, [astuple(row) for row in rows])


async def drop(db: Connection, before_ms: int) -> int:
    """Some of the rows of runs started before then, the oldest first; how many."""
    gone: int = await db.fetchval(_DROP, before_ms, _ROWS_AT_ONCE)
    return gone
