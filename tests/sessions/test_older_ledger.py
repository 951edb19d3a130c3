"""A file of schema 3 opens under this release, and its ledger goes on.

`data/schema_3.sqlite` was written by commit 4442a02: one session with one turn, and two rows of the ledger.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.spending import SpendingWanted, Spent
from openclaw_gateway.sessions.sqlite import migration
from openclaw_gateway.sessions.sqlite.schema import SCHEMA_VERSION
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import LedgerRow
from openclaw_gateway.wire.messages import UserMessage, assistant

OLD = Path(__file__).with_name("data") / "schema_3.sqlite"
ALL = SpendingWanted("operator", 0, 1 << 50)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "sessions.sqlite"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        found: int = db.execute("PRAGMA user_version").fetchone()[0]
    return found


def shape(path: Path) -> list[tuple[str, str]]:
    """The columns of the ledger, with their types."""
    with closing(sqlite3.connect(path)) as db:
        return [(row[1], row[2]) for row in db.execute("PRAGMA table_info(ledger)")]


async def test_what_it_knows_is_summed_with_what_comes(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    try:
        entries = await store.transcript("operator", "agent:main:main")
        assert [entry.message for entry in entries] == [UserMessage("Hi."), assistant("Hello.")]
        row = LedgerRow("r3", "operator", "main", None, "mock/m", "http", "completed", 3000, 1, 20, 1, 0.5)
        await store.record([replace(row, cached_tokens=8, cache_write_tokens=2, called=3)])
        assert await store.spent(ALL) == (
            Spent("main", "mock/m", None, 3, 1, 1, 30, 6, 0.75, 1000, 3000, 8, 2, 3),
        )
        assert version(path.with_name("sessions.sqlite.bak")) == 3
    finally:
        await store.close()
    assert version(path) == SCHEMA_VERSION


async def test_it_is_then_as_a_new_one(path: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh" / "sessions.sqlite"
    for each in (path, fresh):
        store = SqliteStore(each)
        await store.open()
        await store.close()
    assert shape(path) == shape(fresh)


async def test_one_that_is_cut_off_in_the_middle_is_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "_COUNTED", ("cached_tokens", "run"))  # the second is there
    with pytest.raises((sqlite3.Error, StoreError)):
        await SqliteStore(path).open()
    assert (version(path), shape(path)) == (3, shape(OLD))
    monkeypatch.undo()
    store = SqliteStore(path)
    await store.open()
    await store.close()
    assert version(path) == SCHEMA_VERSION
