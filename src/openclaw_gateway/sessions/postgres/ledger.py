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
_INSERT = f"INSERT INTO ledger ({', '.join(_COLUMNS)}) VALUES ({_PLACES})"  # noqa: S608 - our own names
# What is the same row: two executions of one run differ in how long they took, or in how they ended.
_INSERT_ONCE = (
    f"INSERT INTO ledger ({', '.join(_COLUMNS)}) SELECT {_PLACES} WHERE NOT EXISTS ("  # noqa: S608 - as above
    "SELECT 1 FROM ledger WHERE started_ms = $8 AND run = $1 AND owner = $2 AND model = $5 AND status = $7 "
    "AND duration_ms = $9)"
)
_DROP = """
    WITH old AS (
        SELECT number FROM ledger WHERE started_ms < $1 ORDER BY started_ms LIMIT $2 FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM ledger USING old WHERE ledger.number = old.number RETURNING 1)
    SELECT count(*) FROM gone
"""


async def record(db: Connection, rows: Sequence[LedgerRow], *, again: bool = False) -> None:
    """All or nothing. `again`: some of them may be there, of a call of which nobody heard the answer."""
    insert = _INSERT_ONCE if again else _INSERT
    if len(rows) == 1:
        await db.execute(insert, *astuple(rows[0]))
    elif rows:
        await db.executemany(insert, [astuple(row) for row in rows])


async def drop(db: Connection, before_ms: int) -> int:
    """Some of the rows of runs started before then, the oldest first; how many."""
    gone: int = await db.fetchval(_DROP, before_ms, _ROWS_AT_ONCE)
    return gone
