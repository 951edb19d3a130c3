"""What the SQLite store keeps under a name for somebody to come back to, written on the writer thread.

Every function is one operation inside somebody else's transaction.
"""

import sqlite3

_ROWS_AT_ONCE = 32

# Came later than the others, and an earlier release does not look at it: it needs no version of its own.
TABLE = """
    CREATE TABLE IF NOT EXISTS kept (
        number INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        kept_ms INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (owner, name)
    ) STRICT
    """
INDEX = "CREATE INDEX IF NOT EXISTS kept_by_age ON kept (kept_ms)"


def keep(db: sqlite3.Cursor, owner: str, name: str, body: bytes, now_ms: int) -> None:
    db.execute(
        "INSERT INTO kept (owner, name, kept_ms, body) VALUES (?, ?, ?, ?)", (owner, name, now_ms, body)
    )


def kept(db: sqlite3.Cursor, owner: str, name: str) -> bytes | None:
    row = db.execute("SELECT body FROM kept WHERE owner = ? AND name = ?", (owner, name)).fetchone()
    return None if row is None else bytes(row[0])


def forget(db: sqlite3.Cursor, owner: str, name: str) -> bool:
    db.execute("DELETE FROM kept WHERE owner = ? AND name = ?", (owner, name))
    return db.rowcount > 0


def drop(db: sqlite3.Cursor, before_ms: int) -> int:
    """Some of what was kept before then; how many."""
    db.execute(
        "DELETE FROM kept WHERE number IN (SELECT number FROM kept WHERE kept_ms < ? LIMIT ?)",
        (before_ms, _ROWS_AT_ONCE),
    )
    return db.rowcount
