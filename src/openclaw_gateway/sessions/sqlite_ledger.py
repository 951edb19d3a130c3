"""The ledger of the SQLite store: what every run was and cost, written and forgotten on the writer thread.

Every function is one operation inside somebody else's transaction.
"""

import sqlite3
from collections.abc import Sequence

from msgspec.structs import astuple

from openclaw_gateway.sessions.store import LedgerRow

_ROWS_AT_ONCE = 500
# cost, error_code, parent
_NULLS = (None, None, None)
_USUAL = len(LedgerRow.__struct_fields__) - len(_NULLS)


def record(db: sqlite3.Cursor, ledger_rows: Sequence[LedgerRow]) -> None:
    # A NULL that is bound costs as much as five texts, and most rows have all three.
    usual = [astuple(row)[:_USUAL] for row in ledger_rows if astuple(row)[_USUAL:] == _NULLS]
    others = [astuple(row) for row in ledger_rows if astuple(row)[_USUAL:] != _NULLS]
    db.executemany(
        "INSERT INTO ledger (run, owner, agent, session, model, door, status, started_ms, duration_ms, "
        "prompt_tokens, completion_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        usual,
    )
    db.executemany(
        "INSERT INTO ledger (run, owner, agent, session, model, door, status, started_ms, duration_ms, "
        "prompt_tokens, completion_tokens, cost, error_code, parent) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        others,
    )


def drop(db: sqlite3.Cursor, before_ms: int) -> int:
    """Some of the rows of runs started before then; how many."""
    db.execute(
        "DELETE FROM ledger WHERE number IN (SELECT number FROM ledger WHERE started_ms < ? LIMIT ?)",
        (before_ms, _ROWS_AT_ONCE),
    )
    return db.rowcount
