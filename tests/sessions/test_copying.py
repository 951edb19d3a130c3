"""A store that is copied into one of another kind holds the same, wherever the copying was cut off."""

import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.gateway import shared_devices
from openclaw_gateway.gateway.operator import shared_approvals
from openclaw_gateway.sessions.copying import document_files, postgres_rows, sqlite_ends, sqlite_rows
from openclaw_gateway.sessions.copying.copy import Copied, copy
from openclaw_gateway.sessions.copying.ends import Begun, Source, Target
from openclaw_gateway.sessions.copying.postgres_ends import PostgresEnd
from openclaw_gateway.sessions.copying.sqlite_ends import SqliteSource, SqliteTarget
from openclaw_gateway.sessions.copying.tables import TABLES, Row, Table
from openclaw_gateway.sessions.postgres.address import shown
from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.shared import CONFIG_DOCUMENT, Document
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed
from openclaw_gateway.wire.messages import Image, UserMessage
from tests.sessions.one_of_each import LARGE, ODD, everything, fill
from tests.sessions.sqlite_file import check, files
from tests.sessions.store_contract import LEASE, ME, Clock, S, claimed, ending, new_run, said


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sqlite_rows, postgres_rows):
        monkeypatch.setattr(module, "PART_ROWS", 7)
        monkeypatch.setattr(module, "PART_BYTES", 3_000)


# As nobody writes them, so that nothing of them is lost on the way.
DECIDED = {"devices.json": '{"a": "\\u0000 天气"}\r\n\0', "exec-approvals.json": "{" + " " * 5_000 + "}"}


def place(folder: Path) -> Path:
    return folder / "gateway" / "sessions.sqlite"


@asynccontextmanager
async def opened(path: Path, clock: Clock) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, clock=clock)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def filled(path: Path, clock: Clock) -> dict[str, object]:
    """All that can be read of it, once its last process has ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, text in DECIDED.items():
        path.with_name(name).write_bytes(text.encode())
    async with opened(path, clock) as store:
        await fill(store, clock)
    async with opened(path, clock) as store:
        return await everything(store)


async def copied(source: Source, target: Target, *, anew: bool = False) -> Copied:
    told: list[tuple[str, str, int, int]] = []
    try:
        await source.open()
        await target.open()
        done = await copy(source, target, lambda *of: told.append(of), anew=anew)
    finally:
        await source.close()
        await target.close()
    for step in ("copying", "checking"):
        ends = {name: (done, of) for which, name, done, of in told if which == step}
        assert all(done == of for done, of in ends.values()), ends
        names = [table.name for table in TABLES]
        assert list(ends) == names[len(names) - len(ends) :], "a step goes on where it was"
    return done


class CutOff(Exception):
    pass


class Fragile(PostgresEnd):
    """Ends after so many parts: with the last of them written, or without it."""

    def __init__(self, url: str, parts: int, *, writes_last: bool) -> None:
        super().__init__(url)
        self.parts = parts
        self.writes_last = writes_last

    async def write(self, table: Table, rows: Sequence[Row], begun: Begun) -> None:
        self.parts -= 1
        if self.parts or self.writes_last:
            await super().write(table, rows, begun)
        if not self.parts:
            raise CutOff


async def test_all_there_is_goes_there_and_back(
    tmp_path: Path, url: str, clock: Clock, small_parts: None
) -> None:
    first, second = place(tmp_path / "first"), place(tmp_path / "second")
    was = await filled(first, clock)
    there = await copied(SqliteSource(first), PostgresEnd(url))
    assert not there.went_on
    assert there.rows["sessions"] >= 18
    assert all(there.rows.values()), "there is something of every kind"
    between = PostgresStore(url, clock=clock)
    await between.open()
    try:
        assert await everything(between) == was
        await between.write_document(CONFIG_DOCUMENT, "not of the copy", replaces=0)
        for name, text in DECIDED.items():
            assert await between.document(name) == Document(1, text)
    finally:
        await between.close()
    back = await copied(PostgresEnd(url), SqliteTarget(second))
    assert (back.rows, back.digests) == (there.rows, there.digests)
    async with opened(second, clock) as store:
        assert await everything(store) == was
        assert await store.get_session(ME, ODD) is not None
        check(second)
        for name, text in DECIDED.items():
            assert second.with_name(name).read_bytes().decode() == text
            assert stat.S_IMODE(second.with_name(name).stat().st_mode) == 0o600
        assert sorted(file.name for file in files(second)) == sorted(file.name for file in files(first))
        # Life goes on, with numbers that nobody had before.
        begun = await store.begin(new_run("next"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.claim.token > there.rows["runs"]
        await store.finish(begun.claim, ending((UserMessage("on"),)))
        assert await store.delete_session(ME, S)
    assert not list(second.parent.glob("*.copy*"))


async def emptied(url: str) -> None:
    end = PostgresEnd(url)
    await end.open()
    await end.drop()
    await end.close()


@pytest.mark.parametrize("writes_last", [False, True])
async def test_a_copy_that_was_cut_off_anywhere_goes_on(
    tmp_path: Path, url: str, clock: Clock, small_parts: None, writes_last: bool
) -> None:
    path = place(tmp_path)
    await filled(path, clock)
    whole = await copied(SqliteSource(path), PostgresEnd(url))
    for parts in range(1, 1_000):
        await emptied(url)
        try:
            await copied(SqliteSource(path), Fragile(url, parts, writes_last=writes_last))
            break
        except CutOff:
            went_on = await copied(SqliteSource(path), PostgresEnd(url))
            assert went_on.went_on
            assert went_on.digests == whole.digests
    assert parts > 20


@pytest.mark.promise("error.copy_unfinished")
async def test_no_gateway_takes_half_a_copy_for_a_store(
    tmp_path: Path, url: str, clock: Clock, small_parts: None
) -> None:
    path = place(tmp_path)
    await filled(path, clock)
    with pytest.raises(CutOff):
        await copied(SqliteSource(path), Fragile(url, 12, writes_last=True))
    store = PostgresStore(url)
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert caught.value.code == "copy_unfinished"
    await copied(SqliteSource(path), PostgresEnd(url))
    await store.open()
    await store.close()


class FragileFile(SqliteTarget):
    async def write(self, table: Table, rows: Sequence[Row], begun: Begun) -> None:
        await super().write(table, rows, begun)
        if table.name == "contents":
            raise CutOff


async def test_a_file_is_a_store_only_once_all_of_it_has_come(
    tmp_path: Path, url: str, clock: Clock, small_parts: None
) -> None:
    first, second = place(tmp_path / "first"), place(tmp_path / "second")
    was = await filled(first, clock)
    await copied(SqliteSource(first), PostgresEnd(url))
    async with opened(second, clock):
        pass  # one that is empty is in nobody's way
    with pytest.raises(CutOff):
        await copied(PostgresEnd(url), FragileFile(second))
    async with opened(second, clock) as store:
        assert await store.list_sessions(ME) == ()
    assert (await copied(PostgresEnd(url), SqliteTarget(second))).went_on
    async with opened(second, clock) as store:
        assert await everything(store) == was


@pytest.mark.promise("error.store_not_empty", "error.copy_of_another")
async def test_nothing_is_overwritten(tmp_path: Path, url: str, clock: Clock, small_parts: None) -> None:
    first, second = place(tmp_path / "first"), place(tmp_path / "second")
    await filled(first, clock)
    async with opened(second, clock) as store:
        await store.keep(ME, "a", b"1")
    with pytest.raises(CutOff):
        await copied(SqliteSource(first), Fragile(url, 3, writes_last=True))
    with pytest.raises(StoreError, match=r"begun copy of sqlite:.*first") as caught:
        await copied(SqliteSource(second), PostgresEnd(url))
    assert caught.value.code == "copy_of_another"
    assert (await copied(SqliteSource(second), PostgresEnd(url), anew=True)).rows["kept"] == 1
    for source, target in ((SqliteSource(first), PostgresEnd(url)), (PostgresEnd(url), SqliteTarget(first))):
        with pytest.raises(StoreError) as caught:
            await copied(source, target, anew=True)
        assert caught.value.code == "store_not_empty"


async def test_what_was_decided_is_in_its_place_before_the_store_is(
    tmp_path: Path, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = place(tmp_path / "first"), place(tmp_path / "second")
    await filled(first, clock)
    there = await copied(SqliteSource(first), PostgresEnd(url))
    third = place(tmp_path / "third")
    third.parent.mkdir(parents=True)
    third.with_name("devices.json").write_text("mine")
    with pytest.raises(StoreError, match=r"devices\.json is there") as caught:
        await copied(PostgresEnd(url), SqliteTarget(third))
    assert caught.value.code == "store_not_empty"
    assert third.with_name("devices.json").read_text() == "mine"

    def cut_off(part: Path, path: Path) -> None:
        raise CutOff

    with monkeypatch.context() as patch, pytest.raises(CutOff):
        patch.setattr(sqlite_ends, "_put_in_place", cut_off)
        await copied(PostgresEnd(url), SqliteTarget(second))
    assert all(second.with_name(name).exists() for name in DECIDED)
    assert (await copied(PostgresEnd(url), SqliteTarget(second))).digests == there.digests
    assert sorted(file.name for file in second.parent.iterdir() if file.is_file()) == [
        *DECIDED,
        "sessions.sqlite",
    ]


@pytest.mark.promise("error.copy_differs")
async def test_what_was_changed_between_two_starts_is_noticed(
    tmp_path: Path, url: str, clock: Clock, small_parts: None
) -> None:
    path = place(tmp_path)
    await filled(path, clock)
    with pytest.raises(CutOff):
        await copied(SqliteSource(path), Fragile(url, 12, writes_last=True))
    async with opened(path, clock) as store:
        await said(store, "meanwhile", "agent:main:0")
    with pytest.raises(StoreError, match="--anew") as caught:
        await copied(SqliteSource(path), PostgresEnd(url))
    assert caught.value.code == "copy_differs"
    assert (await copied(SqliteSource(path), PostgresEnd(url), anew=True)).rows["sessions"] > 0


async def test_an_image_that_is_lost_stays_lost_and_holds_nothing_up(
    tmp_path: Path, url: str, clock: Clock
) -> None:
    first, second = place(tmp_path / "first"), place(tmp_path / "second")
    async with opened(first, clock) as store:
        for number in range(2):
            claim = await claimed(store, f"r{number}", f"agent:main:{number}")
            image = Image("image/png", f"{LARGE}{number}000")
            await store.finish(claim, ending((UserMessage("look", images=(image,)),)))
    (lost, spoilt) = files(first)
    lost.unlink()
    spoilt.write_bytes(b"A" * spoilt.stat().st_size)
    there = await copied(SqliteSource(first), PostgresEnd(url))
    assert there.rows["contents"] == there.rows["blobs"] == 2
    assert (await copied(PostgresEnd(url), SqliteTarget(second))).digests == there.digests
    async with opened(second, clock) as store:
        (entry,) = await store.transcript(ME, "agent:main:0")
        assert isinstance(entry.message, UserMessage)
        with pytest.raises(StoreError) as caught:
            await store.whole(entry.message.images[0])
        assert caught.value.code == "store_corrupt"


async def test_a_database_that_replicas_work_with_is_not_copied(tmp_path: Path, url: str) -> None:
    await emptied(url)
    db = await asyncpg.connect(url)
    await db.execute("INSERT INTO replicas VALUES ('r', 'all', '1', '', 1, 0, 1, now_ms(NULL) + 60000)")
    await db.close()
    with pytest.raises(StoreError) as caught:
        await copied(PostgresEnd(url), SqliteTarget(place(tmp_path)))
    assert caught.value.code == "store_in_use"


@pytest.mark.promise("error.store_in_use")
async def test_of_two_copies_into_one_database_one_goes_on(
    tmp_path: Path, url: str, clock: Clock, small_parts: None
) -> None:
    path = place(tmp_path)
    await filled(path, clock)
    one, other = PostgresEnd(url), PostgresEnd(url)
    await one.open()
    await other.open()
    first = Begun("sqlite:here", TABLES[0].name, TABLES[0].first)
    await one.begin(first)
    with pytest.raises(StoreError) as caught:
        await other.begin(first)
    assert caught.value.code == "store_in_use"
    assert await other.begun() == first
    second = Begun("sqlite:here", TABLES[0].name, (7,))
    await one.write(TABLES[0], (), second)
    with pytest.raises(StoreError) as caught:
        await other.write(TABLES[0], (), second)
    assert caught.value.code == "store_in_use"
    await one.close()
    await other.close()


async def test_runs_that_nobody_executes_any_more_are_closed_in_the_file(
    tmp_path: Path, url: str, clock: Clock
) -> None:
    """A file knows nothing of what another process would need to execute them."""
    store = PostgresStore(url, clock=clock)
    await store.open()
    await store.begin(replace(new_run("given"), work=b"all of it", given=True), lease_s=LEASE)
    await store.begin(replace(new_run("alone", None), work=b"all of it", given=True), lease_s=LEASE)
    await store._pool.close(5.0)  # as a process that dies
    await copied(PostgresEnd(url), SqliteTarget(place(tmp_path)))
    async with opened(place(tmp_path), clock) as file:
        for run_id in ("given", "alone"):
            run = await file.get_run(ME, run_id)
            assert run is not None
            assert run.status == "interrupted"
        assert isinstance(await file.begin(new_run("next"), lease_s=LEASE), Claimed), "the session is free"


async def test_no_number_is_given_twice_in_a_database_that_was_used_before(
    tmp_path: Path, url: str, clock: Clock
) -> None:
    store = PostgresStore(url, clock=clock)
    await store.open()
    for number in range(30):
        await said(store, f"r{number}", f"agent:main:{number}")
        assert await store.delete_session(ME, f"agent:main:{number}")
    await store.close()
    async with opened(place(tmp_path), clock) as file:
        await said(file, "only")
    await copied(SqliteSource(place(tmp_path)), PostgresEnd(url))
    await store.open()
    assert (await claimed(store, "next")).token > 30
    await store.close()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (
            "postgresql://me:secret@db.example:5433/store?sslmode=require",
            "postgresql://db.example:5433/store",
        ),
        ("postgres://host/s", "postgresql://host/s"),
        ("postgresql://u:p%40@[::1]:1/s", "postgresql://[::1]:1/s"),
        ("postgresql://u:123?x@h/s", "postgresql://"),
        ("postgresql://u:a@b/c@h/s", "postgresql://"),
    ],
)
def test_no_secret_of_an_address_is_shown(address: str, name: str) -> None:
    assert shown(address) == name


def test_they_are_the_files_that_a_gateway_writes() -> None:
    assert document_files.NAMES == (shared_devices.DOCUMENT, shared_approvals.DOCUMENT)
