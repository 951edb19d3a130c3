"""The rows of a SQLite store, read and written as rows of any store. Blocking; on the caller's connection.

An entry's place is one number in the file (schema.py) and two columns here. What is large lies in files
beside it. Raises what SQLite and the machine raise. Names in statements are those of our own tables.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.copying.ends import PART_BYTES, PART_ROWS
from openclaw_gateway.sessions.copying.tables import (
    CONTENTS,
    ENTRIES,
    KEPT,
    SUMMARIES,
    Key,
    Numbers,
    Row,
    Table,
)
from openclaw_gateway.sessions.sqlite import blob_files
from openclaw_gateway.sessions.sqlite.schema import entry_id, seq_of, session_of

_LABELS = "SELECT number, label FROM kept_labels WHERE number BETWEEN ? AND ?"
_GIVEN = (
    "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = ?1), 0), "
    "ifnull((SELECT max(number) FROM {table}), 0))"
)


def count(db: sqlite3.Connection, table: Table) -> int:
    query = (
        "SELECT count(DISTINCT digest) FROM blobs"
        if table is CONTENTS
        else f"SELECT count(*) FROM {table.name}"  # noqa: S608
    )
    found: int = db.execute(query).fetchone()[0]
    return found


def rows(db: sqlite3.Connection, blobs: Path, table: Table, after: Key) -> list[Row]:
    """The next ones behind a key, at most about PART_BYTES of them, and at least one where there is one."""
    part: list[Row] = []
    size = 0
    for row in _behind(db, blobs, table, after):
        part.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if size >= PART_BYTES or len(part) == PART_ROWS:
            break
    return _labelled(db, part) if table is KEPT else part


def _behind(db: sqlite3.Connection, blobs: Path, table: Table, after: Key) -> Iterator[Row]:
    if table in (ENTRIES, SUMMARIES):
        session, seq = map(int, after)
        others = ", ".join(table.columns[2:])
        place = entry_id(session, seq) if session >= 0 else -1
        found = db.execute(f"SELECT id, {others} FROM {table.name} WHERE id > ? ORDER BY id", (place,))  # noqa: S608
        for number, *values in found:
            yield (session_of(number), seq_of(number), *values)
    elif table is CONTENTS:
        query = "SELECT digest, max(size) FROM blobs WHERE digest > ? GROUP BY digest ORDER BY digest"
        for digest, size in db.execute(query, after):
            yield (digest, size, _content(blobs, digest))
    else:
        columns = ", ".join(column for column in table.columns if column != "labels")
        key = ", ".join(table.key)
        places = ", ".join("?" * len(after))
        query = f"SELECT {columns} FROM {table.name} WHERE ({key}) > ({places}) ORDER BY {key}"  # noqa: S608
        yield from db.execute(query, after)


def _content(blobs: Path, digest: str) -> bytes | None:
    try:
        return blob_files.read(blobs, digest).encode("ascii")
    except StoreError:
        return None  # it is lost, and stays so


def _labelled(db: sqlite3.Connection, part: list[Row]) -> list[Row]:
    if not part:
        return part
    labels: dict[int, list[str]] = {}
    for number, label in db.execute(_LABELS, (part[0][0], part[-1][0])):
        labels.setdefault(number, []).append(label)
    return [(*row, tuple(sorted(labels.get(row[0], ())))) for row in part]


def write(db: sqlite3.Connection, blobs: Path, table: Table, part: Sequence[Row]) -> None:
    """Inside a transaction that the caller commits."""
    if table is CONTENTS:
        for digest, _, body in part:
            if body is not None:
                blob_files.put(blobs, digest, body)
        return
    if table in (ENTRIES, SUMMARIES):
        places = [(entry_id(row[0], row[1]), *row[2:]) for row in part]
        _insert(db, table.name, ("id", *table.columns[2:]), places)
        return
    if table is KEPT:
        _insert(db, table.name, table.columns[:-1], [row[:-1] for row in part])
        labelled = [(row[1], label, row[0]) for row in part for label in row[-1]]
        _insert(db, "kept_labels", ("owner", "label", "number"), labelled)
        return
    _insert(db, table.name, table.columns, part)


def _insert(db: sqlite3.Connection, name: str, columns: Sequence[str], part: Sequence[Row]) -> None:
    places = ", ".join("?" * len(columns))
    db.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})", part)  # noqa: S608


def numbers(db: sqlite3.Connection) -> Numbers:
    given = (
        db.execute(_GIVEN.format(table=name), (name,)).fetchone()[0]
        for name in ("sessions", "runs", "kept", "ledger")
    )
    sessions, runs, kept, ledger = given
    (token,) = db.execute("SELECT ifnull(max(token), 0) FROM sessions").fetchone()
    return Numbers(sessions, max(runs, token), kept, ledger)


def set_numbers(db: sqlite3.Connection, given: Numbers) -> None:
    """So that none is given again. Those of `kept` and `ledger` are only places in an order."""
    for name, number in (("sessions", given.sessions), ("runs", given.runs)):
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, number))
