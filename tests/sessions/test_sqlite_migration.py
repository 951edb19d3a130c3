"""A file of the release before opens under this one: nothing is lost, and there is a way back.

`data/schema_1.sqlite` was written by that release, as `kill -9` left it: the sessions of two owners with
turns of every kind, a summary, a fork, a deleted session, and one run that held its session while another
waited for it. It was made by this script with the code of commit c957a9b:

    async def run(id, owner, session, turn, status="completed", error=None, key=None):
        begun = await store.begin(NewRun(id, owner, session, session.split(":")[1], key), lease_s=30)
        await store.finish(begun.claim, turn, status, Usage(10, 5, 15, cached_tokens=2), error)

    U, A, T = UserMessage, AssistantMessage, ToolMessage
    main, large = "agent:main:main", "iVBORw0KGgo" + "A" * 90_001
    await run("gone", "operator", "agent:main:gone", (U("?"), A("!")))
    await run("r1", "operator", main, (U("Hi, ü 😀"), A("Hello.")), key="k1")
    await run("r2", "operator", main, (
        U("Look.", images=(Image("image/png", "iVBORw0KGgo="),)),
        A("", (ToolCall("c1", "read", '{"path": "a"}'),), reasoning="hm",
          blocks=(ReasoningBlock("anthropic-messages", "hm", "sig"),)),
        T("c1", "text", "read", own=True), A("It says text.")))
    await run("r3", "operator", main, (), "failed",
        ErrorInfo("It broke.", "api_error", "broken", 502, retryable=True), key="k3")
    await store.summarise(main, 2, "They met.")
    await run("r4", "operator", main, (U("And?"), A("So", aborted=True)), "aborted")
    await run("r5", "operator", "agent:main:openai-user:ada",
        (U("See.", images=(Image("image/png", large),) * 2), A("Two.")))
    await run("r6", "stranger", "agent:other:mine", (U("Whose?"), A("Mine.")), key="k1")
    await store.fork(main, 4, "agent:main:fork")
    await store.patch_session("agent:main:fork", label="A branch")
    for n in range(40):
        await run(f"s{n}", "operator", f"agent:main:openai-user:u{n}", (U(f"q{n}"), A(f"a{n}")))
    await store.delete_session("agent:main:gone")
    await store.begin(NewRun("held", "operator", main, "main", "k5"), lease_s=30)
    await store.begin(NewRun("waits", "operator", main, "main", "k6"), lease_s=30)
    os._exit(0)
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from openclaw_gateway.errors import StoreFull
from openclaw_gateway.sessions.sqlite import migration
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Summary
from openclaw_gateway.wire.messages import (
    Image,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import Usage
from tests.doors.logged import logged
from tests.sessions.sqlite_file import check, files, rows, runs
from tests.sessions.store_contract import LEASE, continued, ending, new_run
from tests.sessions.test_sqlite_file import file_size_limit

__all__ = ["file_size_limit"]

OLD = Path(__file__).with_name("data") / "schema_1.sqlite"
MAIN = "agent:main:main"
WAS_SAID = (
    UserMessage("Hi, ü 😀"),
    assistant("Hello."),
    UserMessage("Look.", images=(Image("image/png", "iVBORw0KGgo="),)),
    assistant(
        "",
        (ToolCall("c1", "read", '{"path": "a"}'),),
        reasoning="hm",
    ),
    ToolMessage("c1", "text", "read", own=True),
    assistant("It says text."),
    UserMessage("And?"),
    assistant("So", aborted=True),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "gateway").mkdir()
    return Path(shutil.copy(OLD, tmp_path / "gateway" / "sessions.sqlite"))


def bak(path: Path) -> Path:
    return path.with_name("sessions.sqlite.bak")


async def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    await store.open()
    return store


async def test_nothing_is_lost(path: Path) -> None:
    store = await opened(path)
    try:
        assert tuple(e.message for e in await store.transcript("operator", MAIN)) == WAS_SAID
        assert await store.count_sessions("operator") == 43
        assert await store.count_sessions("stranger") == 1
        record = await store.get_session("operator", MAIN)
        assert record is not None
        assert (record.agent, record.last_seq, record.total_tokens, record.user) == ("main", 8, 60, None)
        fork = await store.get_session("operator", "agent:main:fork")
        assert fork is not None
        assert (fork.label, fork.last_seq) == ("A branch", 4)
        assert len(await store.transcript("stranger", "agent:other:mine")) == 2
        failed = await store.get_run("operator", "r3")
        assert failed is not None
        assert failed.error is not None
        assert (failed.status, failed.error.code, failed.usage) == (
            "failed",
            "broken",
            Usage(10, 5, 15, cached_tokens=2),
        )
        begun = await store.begin(new_run("next", MAIN, owner="operator"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.summary == Summary(2, "They met.")
        assert [entry.seq for entry in read.entries] == [3, 4, 5, 6, 7, 8]
        assert (await store.finish(begun.claim, ending((UserMessage("On."),)))).last_seq == 9
    finally:
        await store.close()
    check(path)


async def test_what_was_open_is_interrupted_and_every_key_is_free(path: Path) -> None:
    store = await opened(path)
    for key, run_id, status in (
        ("k5", "held", "interrupted"),
        ("k6", "waits", "interrupted"),
        ("k1", "r1", "completed"),
    ):
        run = await store.run_by_key("operator", key)
        assert run is not None
        assert (run.id, run.status) == (run_id, status)
        begun = await store.begin(
            new_run(f"new {key}", f"agent:main:{key}", owner="operator", key=key), lease_s=LEASE
        )
        assert isinstance(begun, Claimed)
    theirs = await store.run_by_key("stranger", "k1")
    assert theirs is not None
    assert theirs.id == "r6"
    await store.close()


async def test_sessions_know_their_user_and_their_size(path: Path) -> None:
    store = await opened(path)
    records = await store.list_sessions("operator")
    assert {record.user for record in records} == {None, "ada", *(f"u{n}" for n in range(40))}
    assert all(record.user is None or record.key.endswith(f":{record.user}") for record in records)
    await store.close()
    sizes = rows(path, "SELECT total(length(body)) + (SELECT total(size) FROM blobs) FROM entries")[0]
    assert rows(path, "SELECT total(size) FROM sessions")[0] == sizes
    (tail,) = rows(path, "SELECT total(length(body)) FROM entries WHERE id >> 32 = 2 AND id & 0xffffffff > 2")
    assert rows(path, "SELECT tail FROM sessions WHERE key = ? AND number = 2", MAIN) == [tail]


async def test_large_images_go_beside_their_entries(path: Path) -> None:
    store = await opened(path)
    entry, _ = await store.transcript("operator", "agent:main:openai-user:ada")
    assert isinstance(entry.message, UserMessage)
    assert [image.data for image in entry.message.images] == ["", ""]
    whole = await store.whole(entry.message.images[0])
    assert whole == Image("image/png", "iVBORw0KGgo" + "A" * 90_001)
    await store.close()
    assert len(files(path)) == 1, "the same content is one file"
    assert rows(path, "SELECT max(length(body)) < 1000 FROM entries") == [(1,)]
    assert rows(path, "SELECT max(size) > 90000 FROM sessions") == [(1,)]


async def test_numbers_go_on_where_they_were(path: Path) -> None:
    """A token that was given once is never given again, though its run is long deleted."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE sqlite_sequence SET seq = 900 WHERE name = 'runs'")
        db.commit()
    store = await opened(path)
    begun = await store.begin(new_run("next"), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    assert begun.claim.token == 901
    await store.close()


async def test_the_old_file_is_kept_until_the_first_clean_stop(path: Path) -> None:
    dead = await opened(path)
    assert rows(bak(path), "PRAGMA user_version") == [(1,)]
    assert rows(bak(path), "SELECT * FROM runs ORDER BY number") == rows(
        OLD, "SELECT * FROM runs ORDER BY number"
    )
    assert rows(bak(path), "SELECT * FROM entries") == rows(OLD, "SELECT * FROM entries")
    assert bak(path).stat().st_mode & 0o777 == 0o600
    store = await opened(path)  # the first one has died
    assert bak(path).exists()
    await store.close()
    assert not bak(path).exists()
    await dead.close()
    store = await opened(path)
    assert not bak(path).exists(), "there is nothing to migrate any more"
    await store.close()


async def test_what_stood_only_in_the_write_ahead_log_is_not_lost(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE sessions SET label = 'late' WHERE key = ?", (MAIN,))
        db.commit()
        killed = tmp_path / "killed" / "sessions.sqlite"
        killed.parent.mkdir()
        for file in path.parent.iterdir():
            shutil.copy(file, killed.parent)
    assert (killed.parent / "sessions.sqlite-wal").exists()
    store = await opened(killed)
    record = await store.get_session("operator", MAIN)
    assert record is not None
    assert record.label == "late"
    assert rows(bak(killed), "SELECT label FROM sessions WHERE key = ?", MAIN) == [("late",)]
    await store.close()


async def test_a_migration_that_was_cut_short_begins_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(migration, "_measure", cut)
        with pytest.raises(Exception, match="failed"):
            await opened(path)
    assert rows(path, "PRAGMA user_version") == [(1,)]
    assert runs(path) == runs(OLD)
    store = await opened(path)
    assert await store.count_sessions("operator") == 43
    await store.close()


async def test_without_room_for_a_copy_nothing_is_touched(path: Path, file_size_limit: object) -> None:
    assert callable(file_size_limit)
    file_size_limit(100_000)
    with pytest.raises(StoreFull, match="room for a copy"):
        await opened(path)
    file_size_limit(10_000_000)
    assert rows(path, "PRAGMA user_version") == [(1,)]
    store = await opened(path)
    await store.close()


async def test_ten_thousand_sessions_open_with_a_line_about_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "WITH RECURSIVE n (x) AS (SELECT 1000 UNION ALL SELECT x + 1 FROM n WHERE x < 10999) "
            "INSERT INTO sessions (number, key, owner, agent, created_ms, updated_ms, last_seq) "
            "SELECT x, 'agent:main:n' || x, 'operator', 'main', x, x, 20 FROM n"
        )
        db.execute(
            "WITH RECURSIVE n (x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 199999) "
            "INSERT INTO entries SELECT (1000 + x / 20) << 32 | (x % 20 + 1), "
            "cast(replace(body, '\"seq\":1', '\"seq\":' || (x % 20 + 1)) AS BLOB) "
            "FROM n, entries WHERE id = 2 << 32 | 1"
        )
        db.commit()
    with logged() as log:
        store = await opened(path)
    assert log.lines("store.copying")[-1]["done"] > 1000
    told = log.lines("store.migrating")[-1]
    assert (told["done"], told["of"]) == (10_044, 10_044)
    assert await store.count_sessions("operator") == 10_043
    assert len(await store.transcript("operator", "agent:main:n5000")) == 20
    await store.close()
    check(path)
