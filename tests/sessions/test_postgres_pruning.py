"""Several replicas that prune one database at the same time: each row goes once, and nobody waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import pytest
from asyncpg import Connection

from openclaw_gateway.sessions.postgres import kept, pruning, sessions, spending
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.sessions.spending import SpendingWanted
from openclaw_gateway.sessions.wanted import Given
from tests.sessions.postgres_database import Connect, connect, db

__all__ = ["connect", "db"]

P = ParamSpec("P")
R = TypeVar("R")
NOW = 1_700_000_000_000
ALL_OLD = Retention(sessions_s=1, runs_s=1, results_s=1, ledger_s=1, kept_s=1)


async def fill(db: Connection, count: int) -> None:
    """So many of each kind, all of them long ago; every tenth session is held."""
    async with db.transaction():
        for statement in (
            "INSERT INTO sessions (owner, key, agent, created_ms, updated_ms, size, lease_until_ms) "
            "SELECT 'o', 's' || n, 'main', 1, n, 10, CASE WHEN n % 10 = 0 THEN 5 END "
            "FROM generate_series(1, $1) n",
            "INSERT INTO runs (id, owner, session, agent, status, created_ms, ended_ms) "
            "SELECT 'r' || n, 'o', NULL, 'main', 'completed', n, n FROM generate_series(1, $1) n",
            "INSERT INTO results SELECT n, n, 'x' FROM generate_series(1, $1) n",
            "INSERT INTO kept (owner, name, kept_ms, body) "
            "SELECT 'o', 'k' || n, n, 'x' FROM generate_series(1, $1) n",
            "INSERT INTO ledger (run, owner, agent, model, door, status, started_ms, duration_ms, "
            "prompt_tokens, completion_tokens) SELECT 'r', 'o', 'main', 'm', 'http', 'completed', n, 1, 1, 1 "
            "FROM generate_series(1, $1) n",
        ):
            await db.execute(statement, count)


async def prune(db: Connection, retention: Retention) -> Pruned:
    async def do(
        act: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **named: P.kwargs
    ) -> R:
        return await act(db, *args, **named)

    return await pruning.prune(do, retention, NOW, sessions.clear_away)


async def test_what_two_prune_together_is_all_of_it_and_each_of_it_once(connect: Connect) -> None:
    both = await asyncio.gather(connect(), connect())
    await fill(both[0], 3_000)
    done = await asyncio.gather(*(prune(db, ALL_OLD) for db in both))
    left = await prune(both[0], ALL_OLD)
    for name, count in (
        ("sessions", 2_700),
        ("runs", 3_000),
        ("results", 3_000),
        ("ledger", 3_000),
        ("kept", 3_000),
    ):
        assert sum(getattr(one, name) for one in (*done, left)) == count, name
    assert await both[0].fetchval("SELECT count(*) FROM sessions") == 300
    assert await both[0].fetchval("SELECT count(*) FROM graves") == 0


@pytest.mark.parametrize("retention", [Retention(max_sessions=200), Retention(max_bytes=2_000)])
async def test_two_together_do_not_drop_more_than_one_would(connect: Connect, retention: Retention) -> None:
    both = await asyncio.gather(connect(), connect())
    await fill(both[0], 1_000)
    await both[0].execute("UPDATE sessions SET lease_until_ms = NULL")
    done = await asyncio.gather(*(prune(db, retention) for db in both))
    assert sum(one.sessions for one in done) + (await prune(both[0], retention)).sessions == 800
    assert await both[0].fetchval("SELECT min(updated_ms) FROM sessions") == 801


class Overtaken:
    """A connection with which another replica prunes right after it has counted the sessions."""

    def __init__(self, db: Connection, other: Connection, retention: Retention) -> None:
        self._db, self._other, self._retention = db, other, retention
        self.dropped_by_other = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def fetch(self, query: str, *values: Any) -> Any:
        found = await self._db.fetch(query, *values)
        if "FROM sessions" in query and not self.dropped_by_other:
            self.dropped_by_other = (await prune(self._other, self._retention)).sessions
        return found


@pytest.mark.parametrize("retention", [Retention(max_sessions=20), Retention(max_bytes=200)])
async def test_what_another_drops_meanwhile_is_dropped_for_both(
    connect: Connect, retention: Retention
) -> None:
    db, other = await asyncio.gather(connect(), connect())
    await fill(db, 100)
    await db.execute("UPDATE sessions SET lease_until_ms = NULL")
    overtaken = Overtaken(db, other, retention)
    assert (await prune(overtaken, retention)).sessions == 0
    assert overtaken.dropped_by_other == 80
    assert await db.fetchval("SELECT count(*) FROM sessions") == 20


async def test_a_row_that_somebody_is_at_work_with_is_passed_over(connect: Connect) -> None:
    works, prunes = await connect(), await connect()
    await fill(works, 5)
    async with works.transaction():
        for table in ("sessions", "runs", "results", "ledger", "kept"):
            column = "id" if table == "runs" else "number"
            value = "r3" if table == "runs" else 3
            await works.execute(f"SELECT FROM {table} WHERE {column} = $1 FOR UPDATE", value)
        async with asyncio.timeout(20):
            done = await prune(prunes, ALL_OLD)
    assert done == Pruned(4, 4, 4, 4, 4)
    assert await prune(prunes, ALL_OLD) == Pruned(1, 1, 1, 1, 1)


async def test_a_run_of_a_process_whose_clock_was_ahead_keeps_no_other(db: Connection) -> None:
    await fill(db, 1_000)
    await db.execute("UPDATE runs SET created_ms = $1 WHERE number <= 500", NOW * 2)
    assert (await prune(db, ALL_OLD)).runs == 1_000


async def test_room_is_counted_by_parts(db: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_SIZES_AT_ONCE", 7)
    for number in range(50):
        await kept.keep(db, Given("o", f"{number}", b"x" * 100, ()), NOW)
    await kept.keep(db, Given("o", "session:s", b"x" * 9_000, ()), NOW)
    assert await kept.without_room(db, 5_000) is None
    assert (await prune(db, Retention(kept_bytes=3_050))).kept == 20
    assert await kept.kept(db, "o", "19") is None
    assert await kept.kept(db, "o", "20") is not None
    assert (await prune(db, Retention(kept_bytes=0))).kept == 30
    assert await kept.kept(db, "o", "session:s") is not None


@pytest.mark.parametrize("rows_at_once", [1, 3, 7, 100])
async def test_sums_of_parts_are_the_sums_of_all(
    db: Connection, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(spending, "ROWS_AT_ONCE", rows_at_once)
    await fill(db, 60)
    await db.execute("UPDATE ledger SET started_ms = 7 WHERE started_ms % 3 = 0")
    (spent,) = await spending.spent(db, SpendingWanted("o", 5, 50))
    expected = await db.fetchrow(
        "SELECT count(*), min(started_ms), max(started_ms) FROM ledger "
        "WHERE started_ms >= 5 AND started_ms < 50"
    )
    assert (spent.runs, spent.first_ms, spent.last_ms) == tuple(expected)
    assert spent.prompt_tokens == spent.unpriced == spent.runs
