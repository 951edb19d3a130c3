"""The writer thread: one commit for many, failures that stay where they belong, a bounded queue."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from openclaw_gateway.errors import SessionBusy, StoreError, StoreFull
from openclaw_gateway.sessions.sqlite.endings import EndingWrites
from openclaw_gateway.sessions.sqlite.errors import translated
from openclaw_gateway.sessions.sqlite.runs import RunWrites
from openclaw_gateway.sessions.sqlite.schema import connect
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.sqlite.thread import SqliteThread
from openclaw_gateway.sessions.store import Claimed, Released
from tests.sessions.sqlite_file import runs
from tests.sessions.store_contract import LEASE, ME, Clock, S, ending, new_run, said, turn


def notes(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("CREATE TABLE IF NOT EXISTS notes (x TEXT PRIMARY KEY)")
    db.execute("CREATE TABLE IF NOT EXISTS orphans (x REFERENCES notes (x) DEFERRABLE INITIALLY DEFERRED)")
    return db


def note(db: sqlite3.Cursor, text: str) -> str:
    db.execute("INSERT INTO notes VALUES (?)", (text,))
    return text


def note_and_refuse(db: sqlite3.Cursor, text: str) -> str:
    note(db, text)
    raise SessionBusy("not now")


def note_what_no_commit_takes(db: sqlite3.Cursor) -> None:
    db.execute("INSERT INTO orphans VALUES ('nobody')")


def read(db: sqlite3.Cursor) -> list[str]:
    return [text for (text,) in db.execute("SELECT x FROM notes ORDER BY rowid").fetchall()]


def wait_for(_: sqlite3.Cursor, entered: Callable[[], object], gate: threading.Event) -> None:
    entered()
    gate.wait(30)


async def outcomes(results: list[Awaitable[object]]) -> list[object]:
    return list(await asyncio.gather(*results, return_exceptions=True))


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[SqliteThread]:
    thread = SqliteThread("test", lambda: notes(tmp_path / "db"), group_commit=True, max_waiting=5)
    await thread.start()
    yield thread
    await thread.stop(10)


@pytest.fixture
async def together(thread: SqliteThread) -> AsyncIterator[Callable[[], None]]:
    """Holds the thread, so that what is submitted meanwhile makes one batch; call it to let go."""
    gate, entered = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    held = thread.submit(wait_for, lambda: loop.call_soon_threadsafe(entered.set), gate)
    await entered.wait()
    yield gate.set
    gate.set()
    await held


async def test_a_failing_operation_undoes_only_itself(
    thread: SqliteThread, together: Callable[[], None]
) -> None:
    results: list[Awaitable[object]] = [
        thread.submit(note, "a"),
        thread.submit(note_and_refuse, "b"),
        thread.submit(note, "a"),
        thread.submit(note, "c"),
    ]
    together()
    a, b, again, c = await outcomes(results)
    assert (a, c) == ("a", "c")
    assert isinstance(b, SessionBusy)
    assert isinstance(again, StoreError)
    assert await thread.submit(read) == ["a", "c"]


async def test_a_commit_that_fails_fails_its_whole_batch(
    thread: SqliteThread, together: Callable[[], None]
) -> None:
    results: list[Awaitable[object]] = [
        thread.submit(note, "a"),
        thread.submit(note_and_refuse, "b"),
        thread.submit(note_what_no_commit_takes),
        thread.submit(note, "c"),
    ]
    together()
    a, b, orphan, c = await outcomes(results)
    assert isinstance(b, SessionBusy), "what was refused anyway says why"
    for failed in (a, orphan, c):
        assert type(failed) is StoreError
    assert thread.trouble is not None
    assert await thread.submit(read) == []
    assert await thread.submit(note, "later") == "later"
    assert thread.trouble is None


async def test_trouble_is_over_when_something_is_written_and_not_before(thread: SqliteThread) -> None:
    with pytest.raises(StoreError):
        await thread.submit(note_what_no_commit_takes)
    await thread.submit(read)
    with pytest.raises(SessionBusy):
        await thread.submit(note_and_refuse, "undone")
    assert thread.trouble is not None, "nothing has been written"
    await thread.submit(note, "a")
    assert thread.trouble is None


@pytest.mark.promise("error.store_busy")
async def test_a_full_queue_refuses(thread: SqliteThread, together: Callable[[], None]) -> None:
    results = [thread.submit(note, str(n)) for n in range(5)]
    with pytest.raises(StoreError) as caught:
        await thread.submit(note, "too much")
    assert caught.value.code == "store_busy"
    together()
    assert await asyncio.gather(*results) == ["0", "1", "2", "3", "4"]


async def test_a_cancelled_wait_harms_nobody(thread: SqliteThread, together: Callable[[], None]) -> None:
    left, stayed = thread.submit(note, "a"), thread.submit(note, "b")
    left.cancel()
    together()
    assert await stayed == "b"
    assert await thread.submit(read) == ["a", "b"]


async def test_stopping_has_a_deadline_and_can_be_repeated(tmp_path: Path) -> None:
    thread = SqliteThread("test", lambda: notes(tmp_path / "db"), group_commit=True)
    await thread.start()
    gate = threading.Event()
    held = thread.submit(wait_for, gate.is_set, gate)
    with pytest.raises(StoreError, match="did not finish"):
        await thread.stop(0.01)
    gate.set()
    await thread.stop(10)
    await held
    await thread.stop(10)
    assert not [alive for alive in threading.enumerate() if alive.name == "test"]


async def test_a_thread_that_cannot_open_ends(tmp_path: Path) -> None:
    thread = SqliteThread("test", lambda: notes(tmp_path), group_commit=True)
    with pytest.raises(StoreError):
        await thread.start()
    assert not [alive for alive in threading.enumerate() if alive.name == "test"]


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk /home/ada/x is odd")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "word"),
    [
        (sqlite3.SQLITE_FULL, StoreFull, "disk"),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFull, "disk"),
        (sqlite3.SQLITE_IOERR_READ, StoreError, "SQLITE"),
        (sqlite3.SQLITE_CORRUPT, StoreError, "damaged"),
        (sqlite3.SQLITE_READONLY, StoreError, "permissions"),
        (sqlite3.SQLITE_BUSY, StoreError, "locked"),
    ],
)
def test_what_sqlite_says_is_said_in_our_words(code: int, kind: type[StoreError], word: str) -> None:
    ours = translated(sqlite_error(code))
    assert type(ours) is kind
    assert word in ours.message
    assert "ada" not in ours.message


class BrittleCursor(sqlite3.Cursor):
    """Fails at the n-th statement from now and whenever that comes again, as a bad disk would; 0 = never."""

    fail_at = 0
    broken: str | None = None

    @classmethod
    def fail(cls, nth: int) -> None:
        cls.fail_at, cls.broken = nth, None

    def execute(self, sql: str, parameters: tuple[object, ...] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        if BrittleCursor.fail_at:
            BrittleCursor.fail_at -= 1
            if not BrittleCursor.fail_at:
                BrittleCursor.broken = sql
        if sql == BrittleCursor.broken:
            raise sqlite_error(sqlite3.SQLITE_IOERR)
        return super().execute(sql, parameters)


class BrittleConnection(sqlite3.Connection):
    def cursor(self, factory: object = None) -> sqlite3.Cursor:  # type: ignore[override]
        return super().cursor(BrittleCursor)


async def test_whichever_statement_fails_nothing_is_half_done(tmp_path: Path) -> None:
    """For n = 1, 2, … until nothing fails: an error means nothing happened, and the same call works then."""
    path = tmp_path / "sessions.sqlite"
    connect(path, tmp_path / "blobs").close()
    clock = Clock()
    writes = RunWrites(max_queued=64, clock=clock, lease_clock=clock)
    endings = EndingWrites(clock=clock)
    thread = SqliteThread(
        "test",
        lambda: sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=BrittleConnection
        ),
        group_commit=True,
    )
    await thread.start()
    turns = failures = 0
    for nth in range(1, 40):
        run = new_run(f"r{nth}", key=f"k{nth}")
        BrittleCursor.fail(nth)
        try:
            begun = await thread.submit(writes.begin, run, LEASE)
        except StoreError:
            failures += 1
            BrittleCursor.fail(0)
            begun = await thread.submit(writes.begin, run, LEASE)
        assert isinstance(begun, Claimed)
        assert begun.transcript is not None
        assert [entry.seq for entry in begun.transcript.entries] == list(range(1, 2 * turns + 1))
        end = ending(turn(run.id), result=b"r")
        BrittleCursor.fail(nth)
        try:
            released = await thread.submit(endings.finish, begun.claim, end)
        except StoreError:
            failures += 1
            BrittleCursor.fail(0)
            released = await thread.submit(endings.finish, begun.claim, end)
        turns += 1
        assert released == Released(2 * turns, None)
    BrittleCursor.fail(0)
    await thread.stop(10)
    assert failures > 12
    store = SqliteStore(path, clock=clock)
    await store.open()
    entries = await store.transcript(ME, S, limit=1000)
    assert [entry.seq for entry in entries] == list(range(1, 2 * turns + 1))
    assert runs(path).keys() == {entry.run_id for entry in entries}
    await said(store, "after")
    await store.close()
