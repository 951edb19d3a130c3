"""The ledger of the SQLite store: what every run was and cost, written and forgotten on the writer thread.

Every function is one operation inside somebody else's transaction.
"""

import sqlite3
from collections.abc import Sequence
from itertools import groupby

from msgspec.structs import astuple

from openclaw_gateway.sessions.store import LedgerRow

_ROWS_AT_ONCE = 500
# A NULL that is bound costs as much as five texts. Most rows end so: cost, error_code, parent, three counts.
_ENDING = (None, None, None, 0, 0, 0)
_USUAL = len(LedgerRow.__struct_fields__) - len(_ENDING)
_INSERT = (
    "INSERT INTO ledger (run, owner, agent, session, model, door, status, started_ms, duration_ms, "
    "prompt_tokens, completion_tokens, cost, error_code, parent, cached_tokens, cache_write_tokens, called) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_USUAL = (
    "INSERT INTO ledger (run, owner, agent, session, model, door, status, started_ms, duration_ms, "
    "prompt_tokens, completion_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def record(db: sqlite3.Cursor, ledger_rows: Sequence[LedgerRow]) -> None:
    for is_usual, some in groupby(map(astuple, ledger_rows), _is_usual):
        if is_usual:
            db.executemany(_INSERT_USUAL, [row[:_USUAL] for row in some])
        else:
            db.executemany(_INSERT, some)


def _is_usual(row: tuple[object, ...]) -> bool:
    return row[_USUAL:] == _ENDING


def drop(db: sqlite3.Cursor, before_ms: int) -> int:
    """Some of the rows of runs started before then; how many."""
    db.execute(
        "DELETE FROM ledger WHERE number IN (SELECT number FROM ledger WHERE started_ms < ? LIMIT ?)",
        (before_ms, _ROWS_AT_ONCE),
    )
    return db.rowcount
