"""The SQLite file itself: permissions, foreign and damaged files, a full disk, old runs, kill -9."""

import asyncio
import os
import resource
import signal
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openclaw_gateway.errors import StoreError, StoreFull
from openclaw_gateway.sessions.sqlite import reads
from openclaw_gateway.sessions.sqlite.schema import SCHEMA_VERSION
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Queued
from openclaw_gateway.sessions.wanted import WantedSessions
from openclaw_gateway.wire.messages import UserMessage
from tests.sessions.sqlite_file import check, runs
from tests.sessions.store_contract import LEASE, ME, USAGE, Clock, S, claimed, ending, new_run, said

LOAD = Path(__file__).with_name("sqlite_load.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "gateway" / "sessions.sqlite"


def limit_pages(db: sqlite3.Cursor, pages: int) -> None:
    """What a full disk looks like to SQLite, and its end."""
    db.execute(f"PRAGMA max_page_count = {pages}").fetchone()


def page_count(db: sqlite3.Cursor) -> int:
    return int(db.execute("PRAGMA page_count").fetchone()[0])


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def content(path: Path) -> bytes:
    return path.read_bytes()


def open_to_all(path: Path) -> None:
    path.chmod(0o666)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_only_the_owner_can_read(path: Path) -> None:
    old_mask = os.umask(0)
    try:
        store = SqliteStore(path)
        await store.open()
        await said(store, "r1")
        modes = {file.name: mode(file) for file in path.parent.iterdir()}
        directories = [mode(part) for part in (path.parent, path.parent.parent)]
        await store.close()
    finally:
        os.umask(old_mask)
    assert modes == dict.fromkeys(["sessions.sqlite", "sessions.sqlite-wal", "sessions.sqlite-shm"], 0o600)
    assert directories == [0o700, 0o700]
    assert [file.name for file in path.parent.iterdir()] == ["sessions.sqlite"], "closing leaves one file"


async def test_a_file_that_was_open_to_others_is_closed_to_them(path: Path) -> None:
    write(path, b"")
    open_to_all(path)
    store = SqliteStore(path)
    await store.open()
    await store.close()
    assert mode(path) == 0o600


async def refused(path: Path) -> StoreError:
    store = SqliteStore(path)
    with pytest.raises(StoreError) as caught:
        await store.open()
    await store.close()
    assert str(path.parent) not in caught.value.message
    return caught.value


@pytest.mark.promise("error.store_too_new")
async def test_a_newer_schema_is_left_alone(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    before = content(path)
    error = await refused(path)
    assert error.code == "store_too_new"
    assert "newer release" in error.message
    assert content(path) == before


@pytest.mark.promise("error.store_foreign")
async def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    write(path, b"")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = content(path)
    assert (await refused(path)).code == "store_foreign"
    assert content(path) == before


@pytest.mark.promise("error.store_corrupt")
async def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    write(path, b"this was a database once" * 400)
    assert (await refused(path)).code == "store_corrupt"


async def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = await refused(tmp_path / "file" / "gateway" / "sessions.sqlite")
    assert "state directory" in error.message


@pytest.mark.promise("error.store_full")
async def test_a_full_disk_loses_nothing_and_heals(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await said(store, "r0")
    pages = await store._writer.submit(page_count)
    await store._writer.submit(limit_pages, pages + 40)
    big = (UserMessage("x" * 8000),)
    acked = 0
    with pytest.raises(StoreFull) as caught:
        while True:
            claim = await claimed(store, f"b{acked}", f"agent:main:{acked}")
            await store.finish(claim, ending(big, "completed", USAGE))
            acked += 1
    assert acked > 5
    assert str(path) not in caught.value.message
    for n in range(acked):
        assert [e.message for e in await store.transcript(ME, f"agent:main:{n}")] == list(big)
    health = await store.health()
    await store._writer.submit(limit_pages, 1_000_000)
    assert (await store.health()).ok
    claim_again = await store.begin(new_run("after"), lease_s=LEASE)
    assert isinstance(claim_again, Claimed)
    await store.finish(claim_again.claim, ending(big, "completed", USAGE))
    await store.close()
    assert health.ok or "disk" in health.detail
    check(path)


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """No file of this process may grow beyond so many bytes: the kernel refuses the write itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_writes_the_kernel_refuses_lose_nothing_and_heal(
    path: Path, file_size_limit: Callable[[int], None]
) -> None:
    """Here it is the write-ahead log that cannot grow."""
    store = SqliteStore(path)
    await store.open()
    await said(store, "r0")
    file_size_limit(1_000_000)
    acked = 0
    with pytest.raises(StoreFull):
        while True:
            claim = await claimed(store, f"b{acked}", f"agent:main:{acked}")
            await store.finish(claim, ending((UserMessage("x" * 8000),), "completed", USAGE))
            acked += 1
    assert acked > 5
    file_size_limit(4096)  # now not even the probe of `health` fits
    health = await store.health()
    assert (health.ok, "disk" in health.detail) == (False, True)
    assert len(await store.transcript(ME, f"agent:main:{acked - 1}")) == 1
    file_size_limit(resource.RLIM_INFINITY)
    assert (await store.health()).ok
    await said(store, "after", "agent:main:after")
    await store.close()
    check(path)


async def test_a_jump_of_the_wall_clock_takes_no_session_away(path: Path) -> None:
    clock = Clock()
    store = SqliteStore(path, clock=clock)
    await store.open()
    claim = await claimed(store, "r1")
    clock.pass_s(24 * 3600)
    assert await store.begin(new_run("r2"), lease_s=LEASE) == Queued(1)
    clock.pass_s(-48 * 3600)
    assert not await store.renew(claim, lease_s=LEASE)
    assert await store.claim("r2", lease_s=LEASE) is None
    await store.close()


@pytest.mark.promise("error.store_rejected")
async def test_text_that_is_not_unicode_is_refused_whole(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    claim = await claimed(store, "r1")
    with pytest.raises(StoreError) as caught:
        await store.finish(claim, ending((UserMessage("fine"), UserMessage("\ud800")), "completed", USAGE))
    assert caught.value.code == "store_rejected"
    with pytest.raises(StoreError):
        await store.begin(new_run("r2", "agent:main:\ud800"), lease_s=LEASE)
    assert await store.transcript(ME, S) == ()
    assert (await store.finish(claim, ending((), "failed", USAGE))).last_seq == 0
    await store.close()


@pytest.mark.promise("kill-9", "turn-before-end")
@pytest.mark.parametrize("acks", [1, 50, 400])
async def test_kill_9_loses_no_answered_run_and_leaves_no_half_turn(path: Path, acks: int) -> None:
    load = await asyncio.create_subprocess_exec(
        sys.executable, str(LOAD), str(path), stdout=asyncio.subprocess.PIPE
    )
    assert load.stdout is not None
    answered = [(await load.stdout.readline()).decode().split() for _ in range(acks)]
    load.send_signal(signal.SIGKILL)
    rest = (await load.stdout.read()).decode()
    await load.wait()
    answered += [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    store = SqliteStore(path)
    await store.open()
    assert not {"running", "queued"} & set(runs(path).values())
    recorded: set[str] = set()
    for session in await store.list_sessions(ME, limit=1000):
        assert session.active_run is None
        entries = await store.transcript(ME, session.key, limit=100_000)
        assert [entry.seq for entry in entries] == list(range(1, session.last_seq + 1))
        by_run = [entry.run_id for entry in entries]
        assert by_run == [run_id for run_id in dict.fromkeys(by_run) for _ in range(3)], "turns are whole"
        recorded.update(by_run)
    assert {run_id for (run_id,) in answered} <= recorded
    completed = {run_id for run_id, status in runs(path).items() if status == "completed"}
    assert completed == recorded
    await said(store, "after", "agent:main:0")
    await store.close()
    check(path)


async def test_a_list_and_a_count_look_at_no_more_than_they_show(path: Path) -> None:
    """However many sessions there are: 200,000 of three agents here, and SQLite's own count of its steps."""
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000) "
            "INSERT INTO sessions (owner, key, agent, created_ms, updated_ms) "
            "SELECT 'o', 'k' || x, 'a' || (x % 3), x, x FROM n"
        )
        db.commit()
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 100
            return 0

        db.set_progress_handler(step, 100)
        cursor = db.cursor()
        newest = reads.list_sessions(cursor, WantedSessions("o", None, 100, 0))
        assert [record.updated_ms for record in newest] == list(range(200_000, 199_900, -1))
        paged = reads.list_sessions(cursor, WantedSessions("o", None, 3, 98))
        assert paged[:2] == newest[98:]
        mine = reads.list_sessions(cursor, WantedSessions("o", "a1", 100, 0))
        assert {record.agent for record in mine} == {"a1"}
        assert reads.list_sessions(cursor, WantedSessions("o", "a9", 100, 0)) == ()
        assert reads.count_sessions(cursor, "o", None) == 200_000
        assert reads.count_sessions(cursor, "o", "a2") == 66_667
        assert steps < 30_000
        cursor.execute("UPDATE sessions SET agent = 'b' || (number % 700) WHERE agent = 'a1'")
        cursor.execute(
            "INSERT INTO counts SELECT 'o', agent, count(*) FROM sessions GROUP BY 2 HAVING agent > 'b'"
        )
        many = reads.list_sessions(cursor, WantedSessions("o", None, 100, 0))
        assert [record.updated_ms for record in many] == list(range(200_000, 199_900, -1)), "of 702 agents"
        cursor.close()
