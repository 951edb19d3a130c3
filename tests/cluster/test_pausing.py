"""A process that is stopped for longer than its lease, and goes on: its clients have what another has made of
their runs."""

import asyncio
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.cluster.shared import Engines, cluster, engines
from tests.cluster.skipping import without_engines
from tests.cluster.test_replicas import ask


async def until_open(shared: Engines, count: int) -> None:
    """Until so many runs are open."""
    db = await asyncpg.connect(shared.url)
    try:
        async with asyncio.timeout(60):
            while await db.fetchval("SELECT count(*) FROM runs WHERE ended_ms IS NULL") != count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await db.close()


@pytest.mark.promise("cluster-paused")
async def test_what_was_at_work_and_what_waited_is_answered_where_it_was_asked(
    models: ModelServer, tmp_path: Path
) -> None:
    models.enqueue(says("", Hold(asyncio.Event())), says("first"), says("second"))
    with without_engines():
        async with (
            engines(tmp_path / "engines") as shared,
            cluster(tmp_path, models, shared, names=("a", "b")) as (stopped, _),
            aiohttp.ClientSession() as session,
        ):
            first = asyncio.create_task(ask(session, stopped, "hi", "u"))
            await models.wait_requests(1)
            second = asyncio.create_task(ask(session, stopped, "and this", "u"))
            await until_open(shared, 2)
            stopped.pause()
            await until_open(shared, 0)
            stopped.go_on()
            assert [await first, await second] == ["first", "second"]
