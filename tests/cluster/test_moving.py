"""A client that changes replicas, or whose replica changes, sees nothing of it."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster import aborting, resuming, same_name
from tests.cluster.aborting import aborted
from tests.cluster.replicas import Replica
from tests.cluster.resuming import resumed
from tests.cluster.rolling import rolled
from tests.cluster.same_name import named
from tests.cluster.shared import cluster, engines
from tests.cluster.skipping import without_engines

ALL = {"gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}}}


@asynccontextmanager
async def three(
    folder: Path, models: ModelServer, model: str, *, lease_s: float = 15.0
) -> AsyncIterator[list[Replica]]:
    with without_engines():
        async with (
            engines(folder / "engines") as shared,
            cluster(folder, models, shared, model=model, lease_s=lease_s, more=ALL) as found,
        ):
            yield found


async def test_streams_that_are_cut_go_on_at_another_replica_byte_for_byte(
    models: ModelServer, tmp_path: Path
) -> None:
    resuming.script(models)
    async with three(tmp_path, models, resuming.MODEL) as found:
        outcome = await resumed(found, 200, random.Random(4))  # noqa: S311
    assert not outcome.wrong, outcome.wrong[:5]


async def test_any_replica_stops_a_run_and_its_model_is_let_go(models: ModelServer, tmp_path: Path) -> None:
    aborting.script(models)
    async with three(tmp_path, models, aborting.MODEL) as found:
        outcome = await aborted(found, models, 25, random.Random(5))  # noqa: S311
    assert outcome.statuses == {"cancelled"}


async def test_a_rolling_restart_shows_clients_nothing(models: ModelServer, tmp_path: Path) -> None:
    async with three(tmp_path, models, "mock-echo") as found:
        outcome = await rolled(found, len(found), random.Random(6), clients=4)  # noqa: S311
    assert not outcome.wrong, outcome.wrong[:5]
    assert set(outcome.statuses) == {0}
    assert outcome.answers > 20


async def test_fifty_that_ask_under_one_name_have_one_answer_whoever_is_killed(
    models: ModelServer, tmp_path: Path
) -> None:
    async with three(tmp_path, models, same_name.MODEL, lease_s=2.0) as found:
        once = await named(found, models, "well", killed=False)
        twice = await named(found, models, "killed", killed=True)
    assert not once.wrong(calls=1), once
    assert not twice.wrong(calls=2), twice
