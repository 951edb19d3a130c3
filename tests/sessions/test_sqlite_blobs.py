"""Large images lie beside the entries: out of everybody's way, once, and as long as somebody names them."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openclaw_gateway.errors import StoreError, StoreFull
from openclaw_gateway.sessions.retention import Retention
from openclaw_gateway.sessions.sqlite import blob_files
from openclaw_gateway.sessions.sqlite.file_thread import FileThread
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Ending
from openclaw_gateway.wire.messages import Image, Message, UserMessage
from tests.sessions.sqlite_file import files, rows
from tests.sessions.store_contract import LEASE, ME, Clock, S, claimed, ending, new_run, said
from tests.sessions.test_sqlite_file import file_size_limit

__all__ = ["file_size_limit"]

LARGE = "A" * 6_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway" / "sessions.sqlite"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(path: Path, clock: Clock) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, clock=clock)
    await store.open()
    yield store
    await store.close()


def images(*contents: str) -> tuple[Message, ...]:
    return (UserMessage("look", images=tuple(Image("image/png", content) for content in contents)),)


async def sees(store: SqliteStore, run_id: str, session: str, *contents: str) -> None:
    claim = await claimed(store, run_id, session)
    await store.finish(claim, ending(images(*contents)))


def age(path: Path) -> None:
    """Nobody has touched these files for long."""
    for file in path.with_name("blobs").rglob("*"):
        os.utime(file, (1, 1))


async def test_a_large_image_never_enters_the_database(store: SqliteStore, path: Path) -> None:
    await sees(store, "r1", S, LARGE + "1", LARGE + "2", "small")
    assert sum(file.stat().st_size for file in path.parent.glob("sessions.sqlite*")) < 1_000_000
    assert {file.stat().st_size for file in files(path)} == {len(LARGE) + 1}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files(path)} == {0o600}
    assert {stat.S_IMODE(file.parent.stat().st_mode) for file in files(path)} == {0o700}
    assert rows(path, "SELECT size > 12000000, tail < 10000 FROM sessions") == [(1, 1)]


async def test_who_writes_large_images_holds_up_nobody(store: SqliteStore, path: Path) -> None:
    """Others' turns are recorded while the files are still being written."""
    gate = asyncio.Event()
    slow: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def wait_for_others() -> None:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
        loop.call_soon_threadsafe(slow.set_result, None)

    held = store._blobs._writer.submit(wait_for_others)
    writes = asyncio.create_task(sees(store, "r1", S, LARGE))
    for number in range(20):
        await said(store, f"other{number}", f"agent:main:{number}")
    assert not writes.done()
    assert await store.transcript(ME, S) == ()
    gate.set()
    await writes
    await held
    assert len(await store.transcript(ME, S)) == 1


async def test_the_same_image_is_one_file_for_as_long_as_somebody_names_it(
    store: SqliteStore, path: Path
) -> None:
    for name in ("a", "b"):
        await sees(store, name, f"agent:main:{name}", LARGE, LARGE)
    assert len(files(path)) == 1
    age(path)
    assert await store.delete_session(ME, "agent:main:a")
    assert len(files(path)) == 1
    assert await store.delete_session(ME, "agent:main:b")
    assert files(path) == []
    assert rows(path, "SELECT count(*) FROM blobs") == [(0,)]


async def test_a_file_that_was_just_put_there_is_not_swept_up(store: SqliteStore, path: Path) -> None:
    """Its entry may be on its way."""
    folder = path.with_name("blobs")
    (message,) = images(LARGE)
    blob_files.set_aside(folder, message)
    await store.prune(Retention())
    assert len(files(path)) == 1
    age(path)
    blob_files.set_aside(folder, message)  # once more, for another session
    await store.prune(Retention())
    assert len(files(path)) == 1
    age(path)
    await store.prune(Retention())
    assert files(path) == []


async def test_what_a_killed_process_left_half_written_is_swept_up(store: SqliteStore, path: Path) -> None:
    await sees(store, "r1", S, LARGE)
    (whole,) = files(path)
    half_written(whole)
    await store.prune(Retention())
    assert len(files(path)) == 2
    age(path)
    await store.prune(Retention())
    assert files(path) == [whole]


def half_written(whole: Path) -> None:
    whole.with_name("5f3c.part").write_bytes(b"x")


async def test_bytes_of_images_count_for_the_retention(store: SqliteStore, path: Path, clock: Clock) -> None:
    for number in range(3):
        await sees(store, f"r{number}", f"agent:main:{number}", LARGE + str(number))
        clock.pass_s(1)
    assert (await store.prune(Retention(max_bytes=13_000_000))).sessions == 1
    assert await store.get_session(ME, "agent:main:0") is None


def spoil(file: Path) -> None:
    file.write_bytes(b"B" + file.read_bytes()[1:])


def lose(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("act", [spoil, lose])
async def test_an_image_that_is_lost_says_so(store: SqliteStore, path: Path, act: object) -> None:
    assert callable(act)
    await sees(store, "r1", S, LARGE)
    act(*files(path))
    (entry,) = await store.transcript(ME, S)
    assert isinstance(entry.message, UserMessage)
    with pytest.raises(StoreError) as caught:
        await store.whole(entry.message.images[0])
    assert caught.value.code == "store_corrupt"
    with pytest.raises(StoreError):
        await store.whole(Image("image/png", digest="../../etc/passwd"))


async def test_no_room_for_an_image_records_nothing_and_heals(
    store: SqliteStore, path: Path, file_size_limit: object
) -> None:
    assert callable(file_size_limit)
    claim = await claimed(store, "r1")
    file_size_limit(1_000_000)
    with pytest.raises(StoreFull) as caught:
        await store.finish(claim, ending(images(LARGE)))
    assert caught.value.retry_after
    assert str(path.parent) not in caught.value.message
    assert files(path) == []
    file_size_limit(100_000_000)
    assert (await store.finish(claim, ending(images(LARGE)))).last_seq == 1
    begun = await store.begin(new_run("r2"), lease_s=LEASE)
    assert begun is not None


async def test_a_file_thread_can_be_left_behind() -> None:
    thread = FileThread("test")
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    held = thread.submit(lambda: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30))
    await thread.stop(0.01)
    with pytest.raises(StoreError):
        await thread.submit(lambda: None)
    gate.set()
    assert await held
    await thread.stop(1)


async def test_a_branch_takes_the_files_along_that_only_it_shows(store: SqliteStore, path: Path) -> None:
    await sees(store, "r1", S, LARGE + "both")
    await sees(store, "r2", S, LARGE + "taken back")
    claim = await claimed(store, "r3", S)
    await store.finish(claim, Ending("completed", turn=(UserMessage("again"),), keeps=1))
    (now,) = [each for each in await store.list_sessions(ME) if each.parent is None]
    (branch,) = [each for each in await store.list_sessions(ME) if each.parent == now.key]
    assert len(files(path)) == 2
    assert await store.delete_session(ME, branch.key)
    age(path)
    await store.prune(Retention())
    (entry, _) = await store.transcript(ME, S)
    assert isinstance(entry.message, UserMessage)
    assert (await store.whole(entry.message.images[0])).data == LARGE + "both"
    assert len(files(path)) == 1, "what was taken back is gone with its branch"
    assert rows(path, "SELECT size < 6100000 FROM sessions") == [(1,)]
