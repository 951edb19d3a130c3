"""PostgresStore where the database is away, says nothing, breaks off, is full, or is none for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from openclaw_gateway.errors import StoreError, StoreFull
from openclaw_gateway.sessions.postgres import doubts, migration, runs, transactions
from openclaw_gateway.sessions.postgres.pool import SIZE, Pool
from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.store import Begun, Claimed, Released, StoreHealth
from tests.cluster.fault_proxy import HALF_OPEN_DOWN, PASS, REFUSED, FaultProxy, Strike
from tests.engines.certificate import made
from tests.engines.postgres import NotInstalled, Postgres, started
from tests.sessions.shared_contract import work
from tests.sessions.store_contract import LEASE, ME, S, claimed, ending, new_run, said, turn

DEADLINE_S = 30.0
SECRET = "hunter2"
WARM = "agent:main:warm"
# How many statements wait for a lock in the database of this test.
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(store_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def own_postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """One that a test may stop."""
    try:
        server = started()
    except NotInstalled as error:
        pytest.skip(str(error))
    yield server
    server.end()


@pytest.fixture
async def network(postgres_server: Postgres) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(postgres_server.port) as proxy:
        yield proxy


@pytest.fixture
async def behind(store_url: str, network: FaultProxy) -> AsyncIterator[PostgresStore]:
    """A store between which and its database there is a network."""
    url = store_url.replace(store_url.rpartition("@")[2].split("/")[0], f"127.0.0.1:{network.port}")
    store = PostgresStore(url, begin_s=DEADLINE_S, size=1)
    await store.open()
    # A statement is made known to the server at its first use: what comes afterwards is one message.
    await store.beat(Replica("warm", "all", "1", "", 1), lease_s=LEASE)
    first = await claimed(store, "warm 1", WARM)
    await store.begin(work("warm 2", WARM), lease_s=LEASE)
    await store.finish(first, ending())
    second = await store.claim("warm 2", lease_s=LEASE)
    assert second is not None
    await store.finish(second.claim, ending())
    assert await store.take_up(lease_s=LEASE) is None
    yield store
    network.turn(PASS)
    await store.close()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        # Another process's database has no event to wait for.
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def refusal(work: Awaitable[object]) -> StoreError:
    with pytest.raises(StoreError) as caught:
        async with asyncio.timeout(DEADLINE_S):
            await work
    return caught.value


async def test_text_that_is_no_unicode_is_refused_for_good(store: PostgresStore) -> None:
    error = await refusal(store.begin(new_run("\ud800"), lease_s=LEASE))
    assert error.code == "store_rejected"
    claim = await claimed(store, "r1")
    for text in ("\ud800", "x" * 100_000 + "\ud800"):
        assert (await refusal(store.finish(claim, ending(turn(text))))).code == "store_rejected"
    assert await store.finish(claim, ending()) == Released(0, None)


# Away


async def test_a_run_is_refused_while_the_database_is_away_and_begun_when_it_is_back(
    own_postgres: Postgres,
) -> None:
    store = PostgresStore(await own_postgres.new_database())
    await store.open()
    claim = await claimed(store, "r1")
    own_postgres.kill()
    error = await refusal(store.begin(new_run("r2"), lease_s=LEASE))
    assert (error.code, error.status, error.retryable, error.retry_after) == (
        "store_unavailable",
        503,
        True,
        1.0,
    )
    assert not (await store.health()).ok
    await refusal(store.finish(claim, ending(turn("r1"))))
    own_postgres.start()
    assert await store.finish(claim, ending(turn("r1"))) == Released(2, None), "nobody started it anew"
    assert isinstance(await store.begin(new_run("r2"), lease_s=LEASE), Claimed)
    assert (await store.health()).ok
    await store.close()


async def test_a_database_that_says_nothing_is_unwell_before_its_statement_is_late(
    own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_gateway.sessions.postgres.store.HEALTH_S", 0.1)
    store = PostgresStore(await own_postgres.new_database(), statement_s=2 * DEADLINE_S)
    await store.open()
    own_postgres.pause()
    async with asyncio.timeout(DEADLINE_S):
        assert await store.health() == StoreHealth(ok=False, detail="no answer within 0.1 s")
    own_postgres.go_on()
    monkeypatch.undo()
    assert (await store.health()).ok
    await store.close()


async def test_a_database_that_says_nothing_for_a_moment_is_well(
    behind: PostgresStore, network: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_gateway.sessions.postgres.store._AT_ONCE_S", 0.01)
    assert (await behind.health()).ok
    network.turn(HALF_OPEN_DOWN)
    assert (await behind.health()).ok
    monkeypatch.setattr("openclaw_gateway.sessions.postgres.store._BELIEVED_S", 0.0)
    looking = asyncio.create_task(behind.health())
    network.turn(PASS)
    assert (await looking).ok


async def test_a_database_that_says_nothing_holds_nobody_up_and_what_it_did_late_is_undone(
    own_postgres: Postgres,
) -> None:
    store = PostgresStore(await own_postgres.new_database(), statement_s=2.0)
    await store.open()
    own_postgres.pause()
    error = await refusal(store.begin(new_run("r1"), lease_s=LEASE))
    assert (error.code, error.retry_after) == ("store_unavailable", 1.0)
    own_postgres.go_on()

    async def is_free() -> bool:
        record = await store.get_run(ME, "r1")
        return record is None or record.status == "interrupted"

    await until(is_free)
    assert isinstance(await store.begin(new_run("r2"), lease_s=LEASE), Claimed)
    await store.close()


async def test_no_message_tells_the_password() -> None:
    for url in (
        f"postgresql://me:{SECRET}@127.0.0.1:1/db",
        f"postgresql://me:{SECRET}@127.0.0.1:port/db",
        f"nonsense://me:{SECRET}@",
        f"postgresql://me:{SECRET}@no-such-host.invalid/db",
    ):
        store = PostgresStore(url)
        error = await refusal(store.open())
        assert "store.url" in error.message
        assert SECRET not in f"{error.message} {error.__notes__ if hasattr(error, '__notes__') else ''}"
        assert not (await store.health()).ok


async def test_who_may_not_come_in_is_told_what_to_correct(postgres_server: Postgres) -> None:
    for url, told in (
        (postgres_server.url("no_such_database"), "no such database"),
        (postgres_server.url().replace("postgres@", "nobody_known@"), "user"),
    ):
        assert told in (await refusal(PostgresStore(url).open())).message


# An answer that does not come


async def test_a_finish_whose_answer_is_lost_is_made_again(
    behind: PostgresStore, store: PostgresStore, network: FaultProxy
) -> None:
    claim = await claimed(behind, "r1")
    network.turn(HALF_OPEN_DOWN)
    finish = asyncio.create_task(behind.finish(claim, ending(turn("r1"), result=b"once")))

    async def is_done() -> bool:
        record = await store.get_run(ME, "r1")
        return record is not None and record.status == "completed"

    await until(is_done)
    network.turn(PASS)
    network.reset()
    await refusal(finish)
    assert await behind.finish(claim, ending(turn("again"), result=b"twice")) == Released(2, None)
    assert [entry.run_id for entry in await store.transcript(ME, S)] == ["r1", "r1"]
    assert await store.result(ME, "r1") == b"once"


@pytest.mark.parametrize("kind", ["claimed", "queued", "without a session", "given"])
async def test_a_begin_whose_answer_is_lost_is_made_again_by_itself(
    behind: PostgresStore, store: PostgresStore, network: FaultProxy, kind: str
) -> None:
    if kind == "queued":
        await claimed(behind, "r0")
    session = None if kind == "without a session" else S
    network.turn(HALF_OPEN_DOWN)
    run = work("r1", session, given=kind == "given")
    begin = asyncio.create_task(behind.begin(run, lease_s=LEASE))

    async def is_begun() -> bool:
        return await store.get_run(ME, "r1") is not None

    await until(is_begun)
    network.turn(PASS)
    network.reset()
    begun = await begin
    other = await store.begin(new_run("r1", session), lease_s=LEASE)
    assert type(other).__name__ == "Duplicate", "of anybody else it is none"
    if kind == "claimed":
        assert isinstance(begun, Claimed)
        assert begun.previous_ms is None
        assert await behind.finish(begun.claim, ending(turn("r1"))) == Released(2, None)
    else:
        assert type(begun).__name__ == ("Recorded" if session is None else "Queued")


async def test_while_a_begin_is_made_again_nobody_ends_its_run(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "_FIRST_S", 0.0)
    is_first = True

    async def begin(*args: Any, again: bool, **more: Any) -> Begun:
        nonlocal is_first
        begun = await original(*args, again=again, **more)
        if is_first:
            is_first = False
            raise ConnectionResetError
        assert again
        if (settling := store._doubts._settling) is not None:
            await settling
        return begun

    original = runs.begin
    monkeypatch.setattr(runs, "begin", begin)
    begun = await store.begin(new_run("r1"), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    assert await store.finish(begun.claim, ending(turn("r1"))) == Released(2, None)


async def test_a_begin_that_nobody_heard_of_is_ended(
    store_url: str, store: PostgresStore, network: FaultProxy
) -> None:
    url = store_url.replace(store_url.rpartition("@")[2].split("/")[0], f"127.0.0.1:{network.port}")
    deaf = PostgresStore(url, begin_s=0.3)
    await deaf.open()
    await deaf.beat(Replica("deaf", "all", "1", "", 1), lease_s=LEASE)
    network.turn(HALF_OPEN_DOWN)
    await refusal(deaf.begin(work("r1"), lease_s=LEASE))
    await refusal(deaf.begin(work("r2", "agent:main:given", given=True), lease_s=LEASE))
    network.turn(REFUSED)
    network.reset()
    await refusal(deaf.begin(work("r3", None), lease_s=LEASE))
    network.turn(PASS)

    async def are_ended() -> bool:
        records = [await store.get_run(ME, name) for name in ("r1", "r2", "r3")]
        return all(record is None or record.status == "interrupted" for record in records)

    await until(are_ended)
    assert isinstance(await deaf.begin(work("r4"), lease_s=LEASE), Claimed)
    await deaf.close()


async def test_what_nobody_waits_for_any_more_does_not_wait_for_a_lock(
    store: PostgresStore, store_url: str
) -> None:
    """It waited on, on a connection that nobody counted, and was done when all had gone."""
    hasty = PostgresStore(store_url, statement_s=0.3)
    await hasty.open()
    claim = await claimed(store, "r1")
    other = await asyncpg.connect(store_url)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM sessions FOR UPDATE")
            for _ in range(3):
                await refusal(hasty.finish(claim, ending(turn("late"))))

            async def does_nobody_wait() -> bool:
                return not await other.fetchval(_WAITING)

            await until(does_nobody_wait)
        assert await store.transcript(ME, S) == ()
        assert await store.finish(claim, ending(turn("r1"))) == Released(2, None)
    finally:
        await other.close()
        await hasty.close()


async def test_a_session_that_somebody_holds_costs_no_other_its_connection(
    store: PostgresStore, store_url: str
) -> None:
    """Each begin in it dropped all that lay idle, and was in doubt."""
    await said(store, "r0")
    other = await asyncpg.connect(store_url)
    ours = (
        "SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'openclaw-gateway'"
    )
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM sessions FOR UPDATE")
            before = await other.fetchval(ours)
            for number in range(1, 3):
                assert "in hand" in (await refusal(store.begin(work(f"r{number}"), lease_s=LEASE))).message
            await other.execute("SELECT pg_stat_clear_snapshot()")
            assert await other.fetchval(ours) == before
        assert not store._doubts._runs
    finally:
        await other.close()


async def test_those_that_wait_for_a_session_that_somebody_holds_keep_no_connection(
    store: PostgresStore, store_url: str
) -> None:
    """As many as there are connections were enough that the process did nothing else."""
    claim = await claimed(store, "r0")
    waiting = [f"r{number}" for number in range(1, 2 * SIZE)]
    for run_id in waiting:
        await store.begin(new_run(run_id), lease_s=LEASE)
    await store.finish(claim, ending())
    other = await asyncpg.connect(store_url)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM sessions FOR UPDATE")
            claims = asyncio.gather(*(store.claim(run_id, lease_s=LEASE) for run_id in waiting))
            assert isinstance(await store.begin(new_run("s1", WARM), lease_s=LEASE), Claimed)
            assert set(await claims) == {None}
    finally:
        await other.close()
    assert await store.claim("r1", lease_s=LEASE) is not None


async def test_who_ends_a_run_that_is_begun_anew_at_this_very_time_does_not_end_that(
    store: PostgresStore, store_url: str
) -> None:
    """What was so when the statement began is not what it is about once it has the lock."""
    await store.beat(Replica("a", "all", "1", "", 1), lease_s=LEASE)
    await store.begin(work("r1", None), lease_s=LEASE)
    other = await asyncpg.connect(store_url)
    try:
        async with other.transaction():
            await other.execute("UPDATE runs SET token = nextval('arrivals') WHERE id = 'r1'")
            ends = asyncio.create_task(store.conclude("r1", ending(), token=0))

            async def does_it_wait() -> bool:
                await other.execute("SELECT pg_stat_clear_snapshot()")
                return bool(await other.fetchval(_WAITING))

            await until(does_it_wait)
        assert (await refusal(ends)).code == "fenced"
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert run.status == "running"
    finally:
        await other.close()


async def test_a_begin_that_comes_to_the_database_late_is_ended(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network may hold it back for longer than who has asked for it is away."""
    monkeypatch.setattr(doubts, "_FIRST_S", 0.01)
    monkeypatch.setattr(doubts, "_LONGEST_S", 0.01)
    held_back: list[Callable[[], Awaitable[Begun]]] = []

    async def begin(*args: Any, **more: Any) -> Begun:
        held_back.append(lambda: store._pool.submit(lambda db: original(db, *args[1:], **more)))
        raise ConnectionResetError

    async def asked(run_ids: list[str]) -> int:
        closed.append(await disown(run_ids))
        return closed[-1]

    closed: list[int] = []
    original, disown = runs.begin, store._doubts._disown
    monkeypatch.setattr(runs, "begin", begin)
    monkeypatch.setattr(store._doubts, "_disown", asked)
    await refusal(store.begin(new_run("r1"), lease_s=LEASE))

    async def is_asked() -> bool:
        return len(closed) > 1

    await until(is_asked)
    assert isinstance(await held_back[0](), Claimed)

    async def is_ended() -> bool:
        record = await store.get_run(ME, "r1")
        return record is not None and record.status == "interrupted"

    await until(is_ended)
    monkeypatch.undo()
    assert isinstance(await store.begin(new_run("r2"), lease_s=LEASE), Claimed)


async def test_a_claim_whose_answer_is_lost_is_given_again(
    behind: PostgresStore, store: PostgresStore, network: FaultProxy
) -> None:
    first = await claimed(behind, "r1")
    await behind.begin(new_run("r2"), lease_s=LEASE)
    await behind.finish(first, ending(turn("r1")))
    network.turn(HALF_OPEN_DOWN)
    claim = asyncio.create_task(behind.claim("r2", lease_s=LEASE))

    async def is_held() -> bool:
        record = await store.get_run(ME, "r2")
        return record is not None and record.status == "running"

    await until(is_held)
    network.turn(PASS)
    network.reset()
    await refusal(claim)
    with pytest.raises(StoreError, match="not waiting"):
        await store.claim("r2", lease_s=LEASE)
    handed = await behind.claim("r2", lease_s=LEASE)
    assert handed is not None
    assert handed.last_seq == 2
    with pytest.raises(StoreError, match="not waiting"):
        await behind.claim("r2", lease_s=LEASE)
    assert await behind.finish(handed.claim, ending(turn("r2"))) == Released(4, None)


async def test_what_was_taken_up_unheard_is_taken_up_again(
    behind: PostgresStore, store: PostgresStore, network: FaultProxy
) -> None:
    await store.beat(Replica("store", "all", "1", "", 1), lease_s=LEASE)
    for session in (S, None):
        run_id = f"r {session}"
        await store.begin(work(run_id, session, given=True), lease_s=LEASE)
        network.turn(HALF_OPEN_DOWN)
        take_up = asyncio.create_task(behind.take_up(lease_s=LEASE))

        async def is_taken(run_id: str = run_id) -> bool:
            record = await store.get_run(ME, run_id)
            return record is not None and record.status == "running"

        await until(is_taken)
        network.turn(PASS)
        network.reset()
        await refusal(take_up)
        assert await store.take_up(lease_s=LEASE) is None
        found = await behind.take_up(lease_s=LEASE)
        assert found is not None
        assert (found.run_id, found.attempt) == (run_id, 1)
        assert await behind.take_up(lease_s=LEASE) is None


@pytest.mark.parametrize("is_begun", [False, True])
async def test_a_silent_server_holds_nobody_up_where_nothing_is_prepared(
    behind: PostgresStore, network: FaultProxy, monkeypatch: pytest.MonkeyPatch, *, is_begun: bool
) -> None:
    """Beginning a transaction, and ending one that had failed, waited as long as any statement may take."""
    monkeypatch.setattr(behind, "_begin_s", 0.3)
    monkeypatch.setattr(transactions, "_BEGIN_S", 0.3)
    behind._pool._is_prepared = False
    behind._pool._statement_s = 2 * DEADLINE_S
    behind._pool._drop_idle()
    assert isinstance(await behind.begin(work("r1"), lease_s=LEASE), Claimed)
    if is_begun:
        network.strike = Strike(3, "deaf")
    else:
        network.turn(HALF_OPEN_DOWN)
    assert (await refusal(behind.begin(work("r2"), lease_s=LEASE))).code == "store_unavailable"
    network.turn(PASS)
    network.reset()


@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_who_is_cut_off_while_it_withdraws_holds_nobody_up(
    behind: PostgresStore, store: PostgresStore, network: FaultProxy, nth: int
) -> None:
    """It held the session that it had looked at until the server noticed, which takes it hours."""
    first = await claimed(behind, "r1")
    for number in range(2):
        await behind.begin(work(f"warm up {number}"), lease_s=LEASE)
        await behind.withdraw(f"warm up {number}", "aborted")
    await behind.begin(work("r2"), lease_s=LEASE)
    network.strike = Strike(nth, "deaf")
    withdraw = asyncio.create_task(behind.withdraw("r2", "aborted"))

    async def is_withdrawn() -> bool:
        record = await store.get_run(ME, "r2")
        return record is not None and record.status == "aborted"

    async def is_cut_off() -> bool:
        return withdraw.done() or network.strike is None or network.strike.has_fallen

    await until(is_cut_off)
    assert await store.renew(first, lease_s=LEASE) is None
    assert await store.finish(first, ending(turn("r1"))) == Released(2, None)
    await until(is_withdrawn)
    network.reset()
    await asyncio.gather(withdraw, return_exceptions=True)


async def test_who_is_stopped_in_the_middle_of_a_transaction_holds_what_it_locked_not_for_long(
    store: PostgresStore, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As all acts are made behind a PgBouncer that knows no prepared statements."""
    monkeypatch.setattr(transactions, "_BOUND", "SET LOCAL idle_in_transaction_session_timeout = 100")
    await said(store, "r1")
    stopped = Pool(store_url)
    stopped._is_prepared = False
    await stopped.open()
    has_locked, goes_on = asyncio.Event(), asyncio.Event()

    async def act(db: asyncpg.Connection) -> None:
        await db.execute("SELECT 1 FROM sessions FOR UPDATE")
        has_locked.set()
        await goes_on.wait()

    acting = asyncio.create_task(stopped.submit(act))
    await has_locked.wait()
    patient = PostgresStore(store_url, begin_s=DEADLINE_S)
    await patient.open()
    try:
        assert await said(patient, "r2") == Released(4, None)
        goes_on.set()
        await asyncio.gather(acting, return_exceptions=True)
    finally:
        await patient.close()
        await stopped.close(DEADLINE_S)


# Full, read only, of another schema


async def test_a_full_disk_is_told_of_and_nothing_of_the_turn_is_kept(
    store: PostgresStore, store_url: str
) -> None:
    claim = await claimed(store, "r1")
    await execute(
        store_url,
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER no_room BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION no_room()",
        "CREATE TRIGGER no_room BEFORE INSERT ON probe FOR EACH ROW EXECUTE FUNCTION no_room()",
    )
    with pytest.raises(StoreFull) as caught:
        await store.finish(claim, ending(turn("r1"), result=b"x"))
    assert (caught.value.code, caught.value.status) == ("store_full", 507)
    assert await store.transcript(ME, S) == ()
    assert await store.result(ME, "r1") is None
    health = await store.health()
    assert (health.ok, "full" in health.detail) == (False, True)
    await execute(store_url, "DROP FUNCTION no_room() CASCADE")
    assert (await store.health()).ok
    assert await store.finish(claim, ending(turn("r1"))) == Released(2, None)


async def test_a_database_that_takes_no_writes_is_told_of(store: PostgresStore, store_url: str) -> None:
    name = store_url.rpartition("/")[2]
    await execute(
        store_url,
        f"ALTER DATABASE {name} SET default_transaction_read_only = on",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND datname = current_database()",
    )

    async def is_read_only() -> bool:
        error = await refusal(store.begin(new_run("r1"), lease_s=LEASE))
        return "no writes" in error.message

    await until(is_read_only)
    assert "no writes" in (await store.health()).detail
    assert "no writes" in (await refusal(PostgresStore(store_url).open())).message
    await execute(
        store_url,
        "SET default_transaction_read_only = off",
        f"ALTER DATABASE {name} SET default_transaction_read_only = off",
    )

    async def is_writable() -> bool:
        return (await store.health()).ok

    await until(is_writable)
    assert isinstance(await store.begin(new_run("r1"), lease_s=LEASE), Claimed)


@pytest.mark.parametrize(
    ("more", "remedy"),
    [
        ("?sslmode=require", "sslmode=disable"),
        ("?sslmode=verify-full", "sslrootcert="),
        ("?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "The file that sslrootcert names"),
        ("?sslmode=require&sslcert=/nowhere/own.pem", "The file that sslcert names"),
        ("?sslmode=require&sslrootcert=/", "The file that sslrootcert names"),
        ("?channel_binding=require", "after the question mark"),
        ("?connect_timeout=3", "after the question mark"),
        ("?sslmode=nonsense", "write it as postgresql://"),
    ],
)
async def test_what_an_address_asks_for_in_vain_is_told(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, remedy: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    error = await refusal(PostgresStore(postgres_url + more).open())
    assert remedy in error.message


async def test_a_certificate_that_is_not_trusted_is_told(tmp_path: Path) -> None:
    """The address was said to be none: to Python, an untrusted certificate is a wrong value."""

    async def speaks_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        with contextlib.suppress(OSError):
            await writer.start_tls(own)
        writer.close()

    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    own, _ = made(tmp_path / "own")
    _, other = made(tmp_path / "other")
    (tmp_path / "junk.pem").write_text("junk")
    async with await asyncio.start_server(speaks_tls, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        for file in (other, tmp_path / "junk.pem"):
            url = f"postgresql://me@127.0.0.1:{port}/db?sslmode=verify-full&sslrootcert={file}"
            told = (await refusal(PostgresStore(url).open())).message
            assert "is none that store.url trusts" in told
            assert str(tmp_path) not in told


async def test_who_may_only_read_is_not_ready_until_he_may_write(
    store: PostgresStore, store_url: str
) -> None:
    """It was ready, and refused every request that a proxy sent it."""
    everything = "ALL TABLES IN SCHEMA public"
    await execute(
        store_url,
        "DROP ROLE IF EXISTS reader",
        "CREATE USER reader",
        f"GRANT ALL ON {everything} TO reader",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO reader",
    )
    theirs = PostgresStore(store_url.replace("postgres@", "reader@"))
    await theirs.open()
    try:
        assert await said(theirs, "r1") == Released(2, None)
        await execute(store_url, f"REVOKE INSERT, UPDATE, DELETE ON {everything} FROM reader")
        error = await refusal(theirs.begin(new_run("r2"), lease_s=LEASE))
        assert "owner of the database and of the tables" in error.message
        health = await theirs.health()
        assert (health.ok, health.detail) == (False, error.message)
        await execute(store_url, f"GRANT ALL ON {everything} TO reader")
        assert (await theirs.health()).ok
        assert await said(theirs, "r3") == Released(4, None)
    finally:
        await theirs.close()
        await execute(store_url, "DROP OWNED BY reader", "DROP ROLE reader")


async def test_a_newer_schema_is_accepted_as_far_as_it_only_adds(
    store: PostgresStore, store_url: str
) -> None:
    await said(store, "r1")
    newer = migration.newest() + 1
    await execute(
        store_url,
        "ALTER TABLE sessions ADD COLUMN more text",
        f"INSERT INTO schema_version (version, readable_from) VALUES ({newer}, 1)",  # noqa: S608
    )
    older = PostgresStore(store_url)
    await older.open()
    assert await said(older, "r2") == Released(4, None)
    assert await said(store, "r3") == Released(6, None), "also on the connections it had"
    assert (await older.health()).schema_version == newer
    await older.close()
    await execute(
        store_url,
        f"UPDATE schema_version SET readable_from = {newer} WHERE version = {newer}",  # noqa: S608
    )
    error = await refusal(PostgresStore(store_url).open())
    assert error.code == "store_too_new"


async def test_many_that_start_together_make_the_tables_once(postgres_url: str) -> None:
    stores = [PostgresStore(postgres_url, size=2) for _ in range(6)]
    await asyncio.gather(*(store.open() for store in stores))
    assert {(await store.health()).schema_version for store in stores} == {migration.newest()}
    await said(stores[0], "r1")
    assert [len(await store.transcript(ME, S)) for store in stores] == [2] * 6
    for store in stores:
        await store.close()


async def test_a_schema_that_is_changed_while_a_dump_reads_it_holds_nobody_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who came to a table for which it waited stood behind it, until the dump had ended."""
    whole = migration.parts()
    monkeypatch.setattr(migration, "parts", lambda: whole[:6])
    monkeypatch.setattr(migration, "_PAUSE_S", 0.1)
    older = PostgresStore(postgres_url, begin_s=DEADLINE_S)
    await older.open()
    monkeypatch.setattr(migration, "parts", lambda: whole)
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    dump, db = await asyncpg.connect(postgres_url), await asyncpg.connect(postgres_url)
    try:
        async with dump.transaction(isolation="repeatable_read", readonly=True):
            await dump.execute("LOCK TABLE runs IN ACCESS SHARE MODE")
            migrating = asyncio.create_task(migration.migrate(db))

            async def does_it_wait() -> bool:
                return bool(await dump.fetchval(waits))

            await until(does_it_wait)
            for number in range(3):
                await said(older, f"r{number}")
            assert not migrating.done()
        assert await migrating == migration.newest()
        await said(older, "r3")
        async with dump.transaction(isolation="repeatable_read", readonly=True):
            await dump.execute("LOCK TABLE runs IN ACCESS SHARE MODE")
            await db.execute("DELETE FROM schema_version WHERE version > 6")
            monkeypatch.setattr(migration, "_PATIENCE_S", 0.0)
            pool = Pool(postgres_url)
            await pool.open()
            assert "pg_stat_activity" in (await refusal(pool.submit(migration.migrate))).message
            await pool.close(DEADLINE_S)
    finally:
        for connection in (dump, db):
            await connection.close()
        await older.close()


@pytest.mark.parametrize(
    "theirs",
    [
        "CREATE TABLE runs (id integer)",
        "CREATE TABLE schema_version (version text)",
        "CREATE TABLE results (id integer)",
        "CREATE FUNCTION now_ms(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    ],
)
async def test_a_database_of_another_program_is_left_alone(postgres_url: str, theirs: str) -> None:
    await execute(postgres_url, theirs)
    assert (await refusal(PostgresStore(postgres_url).open())).code == "store_foreign"
    with pytest.raises(asyncpg.UndefinedTableError):
        await execute(postgres_url, "SELECT * FROM begun_copies")


async def test_who_has_no_schema_is_told_so(postgres_url: str) -> None:
    await execute(postgres_url, "DROP SCHEMA public")
    assert "`public`" in (await refusal(PostgresStore(postgres_url).open())).message


async def test_who_may_only_read_is_told_at_the_start_what_to_run(postgres_url: str) -> None:
    owner = PostgresStore(postgres_url)
    await owner.open()
    await owner.close()
    address, _, name = postgres_url.rpartition("/")
    reader = f"postgresql://only_reads@{address.rpartition('@')[2]}/{name}"
    await execute(
        postgres_url,
        "CREATE ROLE only_reads LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_reads",
        "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
    )
    try:
        store = PostgresStore(reader)
        told = (await refusal(store.open())).message
        assert "SELECT on" not in told
        assert "schema_version" not in told
        for lacks in (
            "INSERT on begun_copies, ",
            "UPDATE on ",
            "DELETE on ",
            "USAGE on arrivals",
            "EXECUTE on beat_replica, ",
        ):
            assert lacks in told, told
        await execute(postgres_url, *told.partition("let the owner run: ")[2].strip().split("; "))
        await store.open()
        assert isinstance(await store.begin(new_run("r1"), lease_s=LEASE), Claimed)
        await store.close()
    finally:
        await execute(postgres_url, "DROP OWNED BY only_reads", "DROP ROLE only_reads")


async def test_a_database_of_another_encoding_is_left_alone(postgres_server: Postgres) -> None:
    await execute(postgres_server.url(), "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    assert "UTF8" in (await refusal(PostgresStore(postgres_server.url("latin")).open())).message


async def test_a_database_that_shows_what_was_there_before_a_lock_is_told_of(postgres_url: str) -> None:
    """Two requests of one Idempotency-Key, at two processes at once, were two runs."""
    name = postgres_url.rpartition("/")[2]
    for level in ("repeatable read", "serializable"):
        await execute(postgres_url, f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
        told = (await refusal(PostgresStore(postgres_url).open())).message
        assert f"as {level}: " in told
    await execute(postgres_url, f"ALTER DATABASE {name} SET default_transaction_isolation = 'read committed'")
    store = PostgresStore(postgres_url)
    await store.open()
    await store.close()


# Behind a pool of transactions


async def test_a_statement_that_the_server_was_not_told_of_is_sent_again(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind PgBouncer, where a connection of the server is another one at each transaction."""
    await said(store, "r1")
    await store._pool.submit(lambda db: db.execute("DEALLOCATE ALL"))
    assert await said(store, "r2") == Released(4, None)
    await store._pool.submit(lambda db: db.execute("DEALLOCATE ALL"))
    assert await said(store, "r3") == Released(6, None)


# Everything at once


async def test_no_two_acts_wait_for_each_other(postgres_url: str) -> None:
    stores = [PostgresStore(postgres_url, size=6, begin_s=DEADLINE_S) for _ in range(2)]
    for number, store in enumerate(stores):
        await store.open()
        await store.beat(Replica(f"{number}", "all", "1", "", 1), lease_s=LEASE)

    async def converse(store: PostgresStore, name: str) -> None:
        for number in range(12):
            session = f"agent:main:{number % 3}"
            begun = await store.begin(work(f"{name} {number}", session), lease_s=LEASE)
            while not isinstance(begun, Claimed):
                begun = await store.claim(f"{name} {number}", lease_s=LEASE) or begun
            keeps = 0 if number % 5 == 4 else None
            end = ending(turn(name), result=b"x")
            await store.finish(begun.claim, type(end)(end.status, end.usage, end.turn, keeps=keeps))

    async def take_up(store: PostgresStore, name: str) -> None:
        for number in range(12):
            session = f"agent:main:{number % 3}"
            await store.begin(work(f"{name} {number}", session, given=True), lease_s=LEASE)
            await store.request_abort(ME, f"{name} {number - 1}")
            await store.fork(ME, session, 0, f"agent:main:{name} {number}")

    async def serve(store: PostgresStore, others: "list[asyncio.Task[None]]") -> None:
        while not all(task.done() for task in others):
            found = await store.take_up(lease_s=LEASE)
            if found is not None and found.claimed is not None:
                await store.finish(found.claimed.claim, ending(turn("taken")))

    async with asyncio.timeout(120):
        talking = [
            asyncio.create_task(does(store, f"{does.__name__}{number}{again}"))
            for number, store in enumerate(stores)
            for does in (converse, take_up)
            for again in range(2)
        ]
        await asyncio.gather(*talking, *(serve(store, talking) for store in stores))
    connection = await asyncpg.connect(postgres_url)
    try:
        # A deadlock would have been mended by another try: the server counts them.
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        (deadlocks,) = await connection.fetchrow(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
    finally:
        await connection.close()
    assert deadlocks == 0
    for number in range(3):
        entries = await stores[0].transcript(ME, f"agent:main:{number}", limit=1000)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    for store in stores:
        await store.close()


# Connections


async def test_a_claim_is_renewed_whatever_else_the_database_is_asked(
    store: PostgresStore,
) -> None:
    """It waited for a connection behind acts that take long, and was lost."""
    claim = await claimed(store, "r1")
    done, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def takes_long(_: asyncpg.Connection) -> None:
        begun.release()
        await done.wait()

    acts = asyncio.gather(*(store._pool.submit(takes_long) for _ in range(2 * SIZE)), return_exceptions=True)
    for _ in range(SIZE - 1):
        await begun.acquire()
    for _ in range(3):
        assert await store.renew(claim, lease_s=LEASE) is None
        await store.beat(Replica("me", "all", "1", "", 1), lease_s=LEASE)
    assert (await refusal(store.get_run(ME, "r1"))).code == "store_busy"
    done.set()
    assert sum(answer is None for answer in await acts) == SIZE - 1


async def test_a_claim_that_somebody_holds_up_holds_up_no_other(store: PostgresStore, store_url: str) -> None:
    claims = [await claimed(store, f"r{number}", f"agent:main:{number}") for number in range(2)]
    assert await store.renew(claims[0], lease_s=LEASE) is None
    other = await asyncpg.connect(store_url)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM sessions WHERE key = 'agent:main:0' FOR UPDATE")
            held_up = asyncio.create_task(store.renew(claims[0], lease_s=LEASE))
            assert await store.renew(claims[1], lease_s=LEASE) is None
            assert "in hand" in (await refusal(held_up)).message
    finally:
        await other.close()
    assert await store.renew(claims[0], lease_s=LEASE) is None


@pytest.mark.parametrize("how", ["refused", "slow"])
async def test_who_cannot_open_a_connection_has_the_next_that_is_given_back(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """As on a machine where processes start: what is open goes on to serve, and nobody is refused."""

    async def not_opened(*_: object, **__: object) -> asyncpg.Connection:
        if how == "refused":
            raise asyncpg.TooManyConnectionsError("too many")
        return await asyncio.get_running_loop().create_future()

    async def held(db: asyncpg.Connection) -> int:
        has_it.set()
        await given_back.wait()
        return await one(db)

    async def one(db: asyncpg.Connection) -> int:
        return int(await db.fetchval("SELECT 1"))

    has_it, given_back = asyncio.Event(), asyncio.Event()
    pool = Pool(postgres_url)
    await pool.open()
    try:
        monkeypatch.setattr("openclaw_gateway.sessions.postgres.pool.connected", not_opened)
        first = asyncio.create_task(pool.submit(held))
        await has_it.wait()
        others = [asyncio.create_task(pool.submit(one)) for _ in range(3)]

        async def all_wait() -> bool:
            return len(pool._waiting) == len(others)

        await until(all_wait)
        given_back.set()
        assert await asyncio.gather(first, *others) == [1, 1, 1, 1]
    finally:
        await pool.close(DEADLINE_S)
    assert not pool._dials
