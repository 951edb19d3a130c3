"""A damaged file costs what is damaged; a file that is gone is noticed, and nothing is written beside it."""

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.sqlite import guard
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Entry, Summary
from openclaw_gateway.wire.messages import SystemMessage, UserMessage
from tests.doors.logged import logged
from tests.sessions.store_contract import LEASE, ME, S, claimed, continued, ending, new_run, said


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway" / "sessions.sqlite"


@pytest.fixture
async def store(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStore]:
    monkeypatch.setattr(guard, "_READ_EVERY_S", 0.0)
    store = SqliteStore(path)
    await store.open()
    yield store
    await store.close()


def spoil(path: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute(statement, parameters).rowcount == 1
        db.commit()


async def test_another_program_that_reads_the_file_leaves_its_log_alone(
    store: SqliteStore, path: Path
) -> None:
    """As one that makes a copy does. The last one to close a database removes the write-ahead log, and
    whether it is the last one it sees by our locks."""
    await store.begin(new_run("r1"), lease_s=LEASE)
    read = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('SELECT 1 FROM runs'); d.close()"
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", read, str(path))
    async with asyncio.timeout(30):
        assert await other.wait() == 0
    assert path.with_name("sessions.sqlite-wal").exists()
    await store.begin(new_run("r2"), lease_s=LEASE)


BODIES = [
    b"",
    b"no JSON",
    b'{"seq":2}',
    b'{"seq":2,"run_id":"r1","message":{"role":"user","content":"\xff"}}',
    b"1,2",
]


@pytest.mark.parametrize("body", BODIES)
async def test_a_damaged_row_costs_that_entry(store: SqliteStore, path: Path, body: bytes) -> None:
    for n in range(3):
        await said(store, f"r{n}")
    spoil(path, "UPDATE entries SET body = ? WHERE id & 0xffffffff = 2", body)
    with logged() as log:
        entries = await store.transcript(ME, S)
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert isinstance(entries[1].message, SystemMessage)
    assert "damaged" in entries[1].message.content
    assert entries[1].run_id == "r0"
    assert not any(isinstance(entry.message, SystemMessage) for entry in (entries[0], *entries[2:]))
    assert log.lines("store.entry_damaged")[0]["code"] == "store_corrupt"
    begun = await store.begin(new_run("r4"), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    assert (await continued(store, begun)).entries == entries
    assert (await store.finish(begun.claim, ending((UserMessage("on"),)))).last_seq == 7
    (alone,) = await store.transcript(ME, S, after=1, limit=1)
    assert (alone.seq, alone.message) == (2, entries[1].message)


async def test_a_lost_row_leaves_no_gap(store: SqliteStore, path: Path) -> None:
    await said(store, "r1")
    await said(store, "r2")
    spoil(path, "DELETE FROM entries WHERE id & 0xffffffff = 4")
    entries = await store.transcript(ME, S)
    assert [(entry.seq, entry.run_id) for entry in entries] == [(1, "r1"), (2, "r1"), (3, "r2"), (4, "r2")]
    assert isinstance(entries[3].message, SystemMessage)


async def test_a_lost_summary_says_so(store: SqliteStore, path: Path) -> None:
    await said(store, "r1")
    await store.summarise(ME, S, 2, "They met.")
    spoil(path, "DELETE FROM summaries")
    begun = await store.begin(new_run("r2"), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    summary = (await continued(store, begun)).summary
    assert isinstance(summary, Summary)
    assert "damaged" in summary.text


async def test_what_is_damaged_beside_what_was_said_costs_itself(store: SqliteStore, path: Path) -> None:
    await said(store, "r1")
    spoil(path, "UPDATE runs SET usage = x'00', error = x'7b'")
    spoil(path, "UPDATE sessions SET label = cast(x'ff41' AS TEXT)")
    run = await store.get_run(ME, "r1")
    assert run is not None
    assert (run.status, run.usage, run.error) == ("completed", None, None)
    (record,) = await store.list_sessions(ME)
    assert record.label == "\N{REPLACEMENT CHARACTER}A"


def spoil_page(path: Path, that_holds: bytes) -> None:
    at = path.read_bytes().index(that_holds)
    with path.open("r+b") as file:
        file.seek(at - at % 4096)
        file.write(b"\xee" * 4096)


async def test_a_page_that_is_no_page_costs_the_entries_on_it(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    claim = await claimed(store, "r1")
    large = tuple(UserMessage(f"{n} " + "x" * 3000) for n in range(100))
    await store.finish(claim, ending(large))
    await said(store, "else", "agent:main:else")
    await store.close()
    spoil_page(path, b'"content":"50 xxx')
    store = SqliteStore(path)
    await store.open()
    begun = await store.begin(new_run("r2"), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    read = (await store.read(begun.claim)).entries
    assert [entry.seq for entry in read] == list(range(1, 101))
    spoilt = [entry.seq for entry in read if isinstance(entry.message, SystemMessage)]
    assert 51 in spoilt
    assert len(spoilt) < 5
    assert all(entry == Entry(n, "r1", large[n - 1]) for n, entry in enumerate(read, 1) if n not in spoilt)
    assert len(await store.transcript(ME, "agent:main:else")) == 2
    assert (await store.finish(begun.claim, ending((UserMessage("on"),)))).last_seq == 101
    await store.close()


def delete(path: Path) -> None:
    path.unlink()


def delete_log(path: Path) -> None:
    path.with_name("sessions.sqlite-wal").unlink()


def replace(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy(path, other)
    other.replace(path)


def overwrite(path: Path) -> None:
    path.write_bytes(b"this is no database")


def move_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))


def move_back(path: Path) -> None:
    path.parent.with_name("moved").rename(path.parent)


@pytest.mark.parametrize("act", [delete, delete_log, replace, overwrite, move_the_folder])
async def test_files_that_are_gone_are_noticed_said_and_refused(
    store: SqliteStore, path: Path, act: Callable[[Path], None]
) -> None:
    await said(store, "before")
    claim = await claimed(store, "r1")
    with logged() as log:
        act(path)
        health = await store.health()
        assert not health.ok
        for refused in (
            store.finish(claim, ending((UserMessage("lost?"),))),
            store.begin(new_run("r2", "agent:main:other"), lease_s=LEASE),
            store.renew(claim, lease_s=LEASE),
            store.transcript(ME, S),
        ):
            with pytest.raises(StoreError) as caught:
                await refused
            assert caught.value.code == "store_lost"
            assert "start it again" in caught.value.message
            assert str(path.parent) not in caught.value.message
    assert len(log.lines("store.files_lost")) == 1


async def test_what_comes_back_does_not_undo_the_loss(store: SqliteStore, path: Path) -> None:
    """Something has been refused meanwhile; and who knows what was done to the file."""
    move_the_folder(path)
    assert not (await store.health()).ok
    move_back(path)
    assert not (await store.health()).ok


async def test_all_is_well_while_nobody_touches_them(store: SqliteStore) -> None:
    for n in range(20):
        await asyncio.gather(*(said(store, f"r{n}-{m}", f"agent:main:{m}") for m in range(20)))
    assert (await store.health()).ok
