"""A store that refuses: every door says so, says when to come back, and nobody is sent here meanwhile."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from openclaw_gateway import foundation
from openclaw_gateway.runs.lanes import Pace
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import http, say


def no_more_pages(db: sqlite3.Cursor) -> None:
    """What a full disk looks like to SQLite."""
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}").fetchone()


def pages_again(db: sqlite3.Cursor) -> None:
    db.execute("PRAGMA max_page_count = 1000000").fetchone()


def move(file: Path) -> None:
    file.rename(file.with_name("moved"))


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store did not take is soon tried again."""
    monkeypatch.setattr(foundation, "Pace", lambda **_: Pace(renew_every_s=0.1))


@pytest.fixture
async def full(gateway: RunningGateway) -> AsyncIterator[SqliteStore]:
    store = cast("SqliteStore", gateway.gateway._store)
    await store._writer.submit(no_more_pages)
    yield store
    await store._writer.submit(pages_again)


async def ready(gateway: RunningGateway) -> tuple[int, list[str]]:
    async with http(gateway) as client, client.get("/ready") as response:
        return response.status, (await response.json())["failing"]


@pytest.mark.promise("error.store_full")
@pytest.mark.usefixtures("brisk")
async def test_a_full_disk_is_not_ready_until_there_is_room(
    gateway: RunningGateway, models: ModelServer, full: SqliteStore
) -> None:
    models.script("mock-echo", *(says("x" * 100_000) for _ in range(20)))
    answer = await say(gateway, "hi", user="ada")
    for number in range(20):
        if answer.status != 200:
            break
        answer = await say(gateway, "y" * 100_000, user=f"ada{number}")
    assert (answer.status, answer.error["code"]) == (507, "store_full")
    assert int(answer.headers["Retry-After"]) > 0
    for _ in range(3):
        assert (await say(gateway, "z" * 100_000, user="bob")).status == 507
        assert await ready(gateway) == (503, ["store"])
    await full._writer.submit(pages_again)
    assert await ready(gateway) == (200, [])
    assert (await say(gateway, "hi", user="bob")).status == 200


@pytest.mark.promise("error.store_lost")
async def test_a_store_whose_file_is_gone_answers_nothing_with_200(
    gateway: RunningGateway, models: ModelServer
) -> None:
    assert (await say(gateway, "one", user="ada")).status == 200
    move(gateway.state_dir / "gateway" / "sessions.sqlite")
    assert await ready(gateway) == (503, ["store"])
    answer = await say(gateway, "two", user="ada")
    assert (answer.status, answer.error["code"]) == (503, "store_lost")
    assert len(models.requests) == 1
