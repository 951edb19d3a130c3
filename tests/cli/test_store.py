"""`store`: how what is kept stands, and moving all of it between the file and a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.cli.a_terminal import in_a_terminal
from tests.cli.conftest import Program
from tests.sessions.one_of_each import everything, fill
from tests.sessions.store_contract import Clock

S = TypeVar("S", bound=Store)
SECRET = "pass-word"


@pytest.fixture
def url(postgres_url: str) -> str:
    """With a password, which the server does not ask for and nobody may be shown."""
    return postgres_url.replace("postgres@", f"postgres:{SECRET}@")


@pytest.fixture
def database(postgres_url: str) -> str:
    """As it is shown."""
    return postgres_url.replace("postgres@", "")


def file_of(program: Program) -> Path:
    return program.state / "gateway" / "sessions.sqlite"


@asynccontextmanager
async def opened(store: S) -> AsyncIterator[S]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def filled(program: Program) -> dict[str, object]:
    """All that can be read of the store of the state directory, with something of every kind in it."""
    async with opened(SqliteStore(file_of(program))) as store:
        await fill(store, Clock())
    assert (await program.run("approvals", "allow", "npm")).code == 0
    return await all_of(SqliteStore(file_of(program)))


async def all_of(store: Store) -> dict[str, object]:
    async with opened(store):
        return await everything(store)


@pytest.mark.promise("store-copy")
async def test_all_that_is_kept_goes_into_a_database_and_back(
    configured: Program, url: str, database: str
) -> None:
    was = await filled(configured)
    there = await configured.run("store", "copy", "--to", url, "--json")
    assert (there.code, there.json["ok"], there.json["to"]) == (0, True, database)
    assert {each["name"] for each in there.json["tables"]} >= {
        "sessions",
        "entries",
        "kept",
        "ledger",
        "blobs",
    }
    assert all(each["rows"] for each in there.json["tables"])
    assert await all_of(PostgresStore(url)) == was
    file = file_of(configured)
    file.rename(file.with_name("old"))
    rules = file.with_name("exec-approvals.json")
    rules.write_text(rules.read_text().replace("npm", "make"))
    refused = await configured.run("store", "copy", "--to", "sqlite", "--from", url, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "store_not_empty")
    assert str(rules) in refused.json["error"]["message"]
    decided = rules.rename(rules.with_name("old rules")).read_text().replace("make", "npm")
    configured.configure(
        (configured.state / "openclaw.json").read_text()[:-1] + f',"store":{{"url":"{url}"}}}}'
    )
    back = await configured.run("store", "copy", "--to", "sqlite", "--json")
    assert (back.code, back.json["tables"]) == (0, there.json["tables"])
    assert await all_of(SqliteStore(file)) == was
    assert rules.read_text() == decided
    assert file.stat().st_mode & 0o777 == 0o600
    refused = await configured.run("store", "copy", "--to", "postgresql", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "store_not_empty")
    plain = await configured.run("store", "copy", "--to", "postgresql")
    assert (plain.code, plain.out, database in plain.err) == (1, "", True)
    for done in (there, back, refused, plain):
        assert SECRET not in done.out + done.err


async def test_a_copy_that_was_killed_goes_on_with_the_same_command(configured: Program, url: str) -> None:
    was = await filled(configured)
    file = file_of(configured)
    db = await asyncpg.connect(url)
    try:
        assert (await configured.run("store", "migrate", "--url", url)).code == 0
        for words, table, mode, before in (
            (("store", "copy", "--to", url), "ledger", "SHARE", "kept"),
            (("store", "copy", "--to", "sqlite", "--from", url), "kept", "ACCESS EXCLUSIVE", "summaries"),
        ):
            hold = db.transaction()
            await hold.start()
            await db.execute(f"LOCK TABLE {table} IN {mode} MODE")
            killed = await configured.start(*words)
            await killed.says(f"copying {before}: ", on="err")
            killed.process.kill()
            assert (await killed.ends()).code == -9
            await hold.rollback()
            done = await configured.run(*words, "--json")
            assert (done.code, done.json["wentOn"]) == (0, True)
            if file.exists():
                file.rename(file.with_name("old"))
    finally:
        await db.close()
    assert await all_of(PostgresStore(url)) == was
    file.with_name("old").rename(file)
    assert await all_of(SqliteStore(file)) == was


async def test_what_a_gateway_is_at_work_with_is_not_copied(
    configured: Program, models: ModelServer, url: str
) -> None:
    await configured.gateway()
    for words in (("copy", "--to", url), ("copy", "--to", "sqlite", "--from", url), ("migrate",)):
        done = await configured.run("store", *words, "--json")
        assert (done.code, done.json["error"]["code"]) == (75, "already_running")
        assert "gateway stop" in done.json["error"]["message"]


async def test_status_of_the_file_of_a_running_gateway(configured: Program, models: ModelServer) -> None:
    none = await configured.run("store", "--json")
    assert (none.code, none.json["schema"], none.json["takesWrites"]) == (0, 0, True)
    assert not file_of(configured).exists(), "nothing is made"
    models.script("m", says("One."))
    gateway = await configured.gateway()
    assert (await configured.run("agent", "hello")).code == 0
    told = (await configured.run("store", "status", "--json")).json
    assert (told["store"], told["place"]) == ("sqlite", str(file_of(configured)))
    assert (told["sessions"], told["openRuns"], told["takesWrites"]) == (1, 0, True)
    assert told["schema"] == told["newestSchema"] > 0
    assert told["bytes"] > 4096
    plain = await configured.run("store", "status")
    assert plain.code == 0
    assert f"(pid {gateway.pid})" in plain.out


async def test_status_of_a_database_and_its_schema(configured: Program, url: str, database: str) -> None:
    none = await configured.run("store", "status", "--url", url)
    assert (none.code, "none yet" in none.out, database in none.out) == (0, True, True)
    made = await configured.run("store", "migrate", "--url", url, "--json")
    assert (made.code, made.json["from"]) == (0, 0)
    again = await configured.run("store", "migrate", "--url", url)
    assert again.out == f"The store has schema {made.json['to']} already.\n"
    async with opened(PostgresStore(url)) as store:
        await store.beat(Replica("r", "worker", "1.2.3", "http://10.0.0.7:1", 1, 3, 8), lease_s=60)
        told = (await configured.run("store", "status", "--url", url, "--json")).json
        (one,) = told["replicas"]
        assert (one["role"], one["address"], one["runs"], one["maxRuns"]) == (
            "worker",
            "http://10.0.0.7:1",
            3,
            8,
        )
        assert told["schema"] == told["newestSchema"] == made.json["to"]
        shown = await configured.run("store", "status", "--url", url)
        assert "worker at http://10.0.0.7:1  (3 runs, 1.2.3)" in shown.out
        in_use = await configured.run("store", "copy", "--to", url, "--json")
        assert in_use.json["error"]["code"] in ("store_in_use", "store_unavailable")
    db = await asyncpg.connect(url)
    await db.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} SET default_transaction_read_only = on")
    await db.close()
    refused = await configured.run("store", "status", "--url", url, "--json")
    assert (refused.code, refused.json["ok"], refused.json["takesWrites"]) == (1, False, False)
    assert "read only" in refused.json["detail"]
    for done in (none, shown, refused):
        assert SECRET not in done.out + done.err


async def test_a_database_that_is_away_says_so(configured: Program, url: str) -> None:
    nobody = f"postgresql://me:{SECRET}@127.0.0.1:9/store"
    await filled(configured)
    for words in (("status", "--url", nobody), ("migrate", "--url", nobody), ("copy", "--to", nobody)):
        done = await configured.run("store", *words, "--json")
        assert (done.code, done.json["error"]["code"]) == (1, "store_unavailable")
        assert SECRET not in done.out + done.err


@pytest.mark.parametrize("password", ["se/cret", "123/cret", "sec#ret", "sec?ret", "sec[ret"])
async def test_an_address_that_is_none_is_our_word_and_no_part_of_it_is_told(
    configured: Program, password: str
) -> None:
    nowhere = f"postgresql://me:{password}@127.0.0.1:9/store"
    await filled(configured)
    for words in (("status", "--url", nowhere), ("migrate", "--url", nowhere), ("copy", "--to", nowhere)):
        done = await configured.run("--debug", "store", *words, "--json")
        assert (done.code, done.json["error"]["code"]) == (1, "store_unavailable")
        assert not any(part in done.out + done.err for part in ("ret@", "cret", "sec", "123/"))


async def test_what_is_no_store_is_told_without_what_opens_it(program: Program) -> None:
    done = await program.run("store", "copy", "--to", f"postgresl://me:{SECRET}@host/db")
    assert (done.code, SECRET in done.out + done.err) == (2, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "mysql://host/db"), "is no store"),
        (("--to", "postgresql"), "store.url is not set"),
        (("--to", "sqlite"), "store.url is not set"),
        (("--to", "sqlite", "--from", "sqlite"), "One end is sqlite"),
        (("--to", "postgresql", "--from", "postgresql://h/d"), "One end is sqlite"),
        ((), "--to"),
    ],
)
async def test_two_ends_have_to_be_named(program: Program, words: tuple[str, ...], said: str) -> None:
    done = await program.run("store", "copy", *words)
    assert (done.code, said in done.err) == (2, True)


async def test_on_a_terminal_a_bar_shows_how_far_it_is(configured: Program, url: str) -> None:
    await filled(configured)
    async with in_a_terminal(configured, "store", "copy", "--to", url, TERM="xterm") as screen:
        assert await screen.ends() == 0
        await screen.read_to_end()
    assert "\x1b[" in screen.text
    assert "and is the same there." in screen.text
