"""A SQLite store as the end of a copy. The caller holds the lock of its folder: no gateway is at work there.

A copy is written into a file beside the place of the store, and gets its name once it is whole: a gateway
never finds half a store. All coroutines raise StoreError.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.copying import sqlite_rows
from openclaw_gateway.sessions.copying.document_files import DocumentFiles
from openclaw_gateway.sessions.copying.ends import Begun
from openclaw_gateway.sessions.copying.tables import DOCUMENTS, Key, Numbers, Row, Table
from openclaw_gateway.sessions.retention import Retention
from openclaw_gateway.sessions.sqlite.file_thread import FileThread
from openclaw_gateway.sessions.sqlite.schema import connect, connect_reader
from openclaw_gateway.sessions.sqlite.store import SqliteStore

R = TypeVar("R")

_SUFFIX = ".copy"
_STOP_S = 20.0
_EVER_S = 1e12
_ALL = Retention(runs_s=_EVER_S, results_s=_EVER_S, ledger_s=_EVER_S, kept_s=_EVER_S, kept_bytes=1 << 62)
_HOLDS_SOMETHING = ("sessions", "runs", "ledger", "kept")
_BEGUN = "CREATE TABLE begun_copies (one INTEGER PRIMARY KEY CHECK (one = 1), place BLOB NOT NULL) STRICT"
_decode_begun = msgspec.json.Decoder(Begun).decode


class _SqliteEnd:
    def __init__(self, path: Path) -> None:
        self.name = f"sqlite:{path}"
        self._path = path
        self._blobs = path.with_name("blobs")
        self._files = DocumentFiles(path.parent)
        self._thread = FileThread("store-copy")
        self._db: sqlite3.Connection | None = None

    async def close(self) -> None:
        await self._let_go()
        await self._thread.stop(_STOP_S)

    async def count(self, table: Table) -> int:
        if table is DOCUMENTS:
            return len(await self._thread.submit(self._files.there))
        return await self._on(lambda db: sqlite_rows.count(db, table))

    async def rows(self, table: Table, after: Key) -> Sequence[Row]:
        if table is DOCUMENTS:
            return await self._thread.submit(partial(self._files.rows, str(after[0])))
        return await self._on(lambda db: sqlite_rows.rows(db, self._blobs, table, after))

    async def numbers(self) -> Numbers:
        return await self._on(sqlite_rows.numbers)

    async def _on(self, work: Callable[[sqlite3.Connection], R]) -> R:
        if self._db is None:
            raise StoreError("The store is closed.")
        return await self._thread.submit(partial(work, self._db))

    async def _let_go(self) -> None:
        if self._db is not None:
            await self._thread.submit(self._db.close)
            self._db = None


class SqliteSource(_SqliteEnd):
    async def open(self) -> None:
        if not self._path.exists():
            raise StoreError(f"There is no {self._path}: nothing can be copied from it.")
        store = SqliteStore(self._path)
        await store.open()
        try:
            await store.prune(_ALL)
        finally:
            await store.close()
        self._db = await self._thread.submit(partial(connect_reader, self._path))


class SqliteTarget(_SqliteEnd):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._part = path.with_name(path.name + _SUFFIX)
        self._files = DocumentFiles(path.parent, _SUFFIX)

    async def open(self) -> None:
        """What a copy goes into is opened once it is begun."""

    async def begun(self) -> Begun | None:
        if not self._part.exists():
            return None
        self._db = await self._thread.submit(partial(connect, self._part, self._blobs))
        return await self._on(_begun)

    async def is_empty(self) -> bool:
        return await self._thread.submit(partial(_is_empty, self._path))

    async def begin(self, first: Begun) -> None:
        await self.drop()
        self._db = await self._thread.submit(partial(connect, self._part, self._blobs))
        await self._on(partial(_begin, first=first))

    async def write(self, table: Table, rows: Sequence[Row], begun: Begun) -> None:
        if table is DOCUMENTS:
            await self._thread.submit(partial(self._files.write, rows))
            rows = ()
        await self._on(partial(_write, blobs=self._blobs, table=table, rows=rows, begun=begun))

    async def drop(self) -> None:
        await self._let_go()
        await self._thread.submit(self._files.drop)
        for file in (self._part, *_beside(self._part)):
            file.unlink(missing_ok=True)

    async def finish(self, numbers: Numbers) -> None:
        await self._on(partial(_finish, given=numbers))
        await self._let_go()
        # The store comes last: what is cut off before goes on as a begun copy.
        await self._thread.submit(self._files.put_in_place)
        await self._thread.submit(partial(_put_in_place, self._part, self._path))


def _begun(db: sqlite3.Connection) -> Begun | None:
    try:
        row = db.execute("SELECT place FROM begun_copies").fetchone()
    except sqlite3.OperationalError:
        return None  # it had not come so far
    return None if row is None else _decode_begun(row[0])


def _is_empty(path: Path) -> bool:
    if not path.exists():
        return True
    with closing(connect_reader(path)) as db:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        found = (
            db.execute(f"SELECT EXISTS (SELECT 1 FROM {name})").fetchone()[0]  # noqa: S608
            for name in _HOLDS_SOMETHING
            if name in names
        )
        return not any(found)


def _begin(db: sqlite3.Connection, *, first: Begun) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute(_BEGUN)
    db.execute("INSERT INTO begun_copies VALUES (1, ?)", (msgspec.json.encode(first),))
    db.execute("COMMIT")


def _write(db: sqlite3.Connection, *, blobs: Path, table: Table, rows: Sequence[Row], begun: Begun) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        if rows:
            sqlite_rows.write(db, blobs, table, rows)
        db.execute("UPDATE begun_copies SET place = ?", (msgspec.json.encode(begun),))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _finish(db: sqlite3.Connection, *, given: Numbers) -> None:
    db.execute("BEGIN IMMEDIATE")
    sqlite_rows.set_numbers(db, given)
    db.execute("DROP TABLE begun_copies")
    db.execute("COMMIT")


def _put_in_place(part: Path, path: Path) -> None:
    """The file that was there held nothing."""
    for file in _beside(path):
        file.unlink(missing_ok=True)
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
