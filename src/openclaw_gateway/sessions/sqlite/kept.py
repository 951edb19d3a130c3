"""What the SQLite store keeps under a name for somebody to come back to, written on the writer thread.

What has labels is also found by them, in the order in which it was kept: a list is a range of the labels'
table. Every function is one operation inside somebody else's transaction.
"""

import sqlite3
from typing import NamedTuple

from openclaw_gateway.sessions.store import BESIDE
from openclaw_gateway.sessions.wanted import Given, WantedNames

_ROWS_AT_ONCE = 32
_SIZES_AT_ONCE = 5_000

# Came later than the others, and an earlier release does not look at it: it needs no version of its own.
TABLES = (
    """
    CREATE TABLE IF NOT EXISTS kept (
        number INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        kept_ms INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (owner, name)
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS kept_by_age ON kept (kept_ms)",
    """
    CREATE TABLE IF NOT EXISTS kept_labels (
        owner TEXT NOT NULL, label TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (owner, label, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS kept_labels_by_number ON kept_labels (number)",
    # Also where an earlier release drops something.
    """
    CREATE TRIGGER IF NOT EXISTS kept_dropped AFTER DELETE ON kept BEGIN
        DELETE FROM kept_labels WHERE number = old.number;
    END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS kept_beside AFTER DELETE ON sessions BEGIN
        DELETE FROM kept WHERE owner = old.owner AND name = '{BESIDE}' || old.key;
    END
    """,  # noqa: S608 - of a constant
)
# CROSS: the first label's range is what is walked.
_NAMES = (
    "SELECT kept.name FROM kept_labels AS first CROSS JOIN kept ON kept.number = first.number "
    "WHERE first.owner = ? AND first.label = ?"
)
_HAS_LABEL = " AND EXISTS (SELECT 1 FROM kept_labels WHERE owner = ? AND label = ? AND number = first.number)"


class Room(NamedTuple):
    """For what stands below a number (None = for all): so many bytes. Less than none: there is no room."""

    size: int
    below: int | None = None


def keep(db: sqlite3.Cursor, given: Given, now_ms: int) -> None:
    db.execute(
        "INSERT INTO kept (owner, name, kept_ms, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (given.owner, given.name, now_ms, given.body),
    )
    if given.labels and db.rowcount:
        _label(db, given, db.lastrowid)


def rekeep(db: sqlite3.Cursor, given: Given, anew_ms: int | None = None) -> bool:
    """`anew_ms`: from then on it counts as kept."""
    number = _number(db, given.owner, given.name)
    if number is None:
        return False
    db.execute(
        "UPDATE kept SET body = ?, kept_ms = ifnull(?, kept_ms) WHERE number = ?",
        (given.body, anew_ms, number),
    )
    db.execute("DELETE FROM kept_labels WHERE number = ?", (number,))
    _label(db, given, number)
    return True


def kept(db: sqlite3.Cursor, owner: str, name: str) -> bytes | None:
    row = db.execute("SELECT body FROM kept WHERE owner = ? AND name = ?", (owner, name)).fetchone()
    return None if row is None else bytes(row[0])


def names(db: sqlite3.Cursor, wanted: WantedNames) -> tuple[str, ...] | None:
    """None where there is nothing of the name `after`."""
    owner, labels, after, limit, newest_first = wanted
    place = None if after is None else _number(db, owner, after)
    if place is None and after is not None:
        return None
    compared, order = ("<", "DESC") if newest_first else (">", "ASC")
    first, *others = labels
    behind = "" if place is None else f" AND first.number {compared} ?"
    found = db.execute(
        f"{_NAMES}{behind}{_HAS_LABEL * len(others)} ORDER BY first.number {order} LIMIT ?",
        (
            owner,
            first,
            *(() if place is None else (place,)),
            *(value for label in others for value in (owner, label)),
            limit,
        ),
    )
    return tuple(name for (name,) in found)


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


def room_below(db: sqlite3.Cursor, room: Room) -> Room | None:
    """What is left for those below some of the newest; None where all there is has room. What is kept beside
    a session takes none: it is small, and bounded by the sessions."""
    size, last = room.size, room.below
    if room.below is None:
        file_size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        if db.execute(file_size).fetchone()[0] <= size:
            return None
    for number, its_size in db.execute(
        "SELECT number, length(body) FROM kept WHERE (?1 IS NULL OR number < ?1) "
        "AND substr(name, 1, ?2) <> ?3 ORDER BY number DESC LIMIT ?4",
        (room.below, len(BESIDE), BESIDE, _SIZES_AT_ONCE),
    ):
        size -= its_size
        if size < 0:
            return Room(size, number + 1)
        last = number
    return None if last == room.below else Room(size, last)


def drop_below(db: sqlite3.Cursor, number: int) -> int:
    """Some of what was kept before that, the oldest first, but for what is kept beside sessions; how many."""
    db.execute(
        "DELETE FROM kept WHERE number IN (SELECT number FROM kept WHERE number < ? "
        "AND substr(name, 1, ?) <> ? ORDER BY number LIMIT ?)",
        (number, len(BESIDE), BESIDE, _ROWS_AT_ONCE),
    )
    return db.rowcount


def _number(db: sqlite3.Cursor, owner: str, name: str) -> int | None:
    row = db.execute("SELECT number FROM kept WHERE owner = ? AND name = ?", (owner, name)).fetchone()
    return None if row is None else int(row[0])


def _label(db: sqlite3.Cursor, given: Given, number: int | None) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO kept_labels (owner, label, number) VALUES (?, ?, ?)",
        [(given.owner, label, number) for label in given.labels],
    )
