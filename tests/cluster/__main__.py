"""`make cluster-chaos`: troubles for as long as they may last, and how it went into docs/cluster-chaos.md.

MINUTES of troubles, drawn from SEED; then streams that are cut and go on elsewhere, runs that are stopped
from elsewhere, and rolling restarts. Ends with 1 when a promise was broken.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster import aborting, resuming, same_name
from tests.cluster.aborting import aborted
from tests.cluster.checker import violations
from tests.cluster.replicas import Replica
from tests.cluster.report import Moves, late, told
from tests.cluster.resuming import resumed
from tests.cluster.rolling import rolled
from tests.cluster.same_name import named
from tests.cluster.shared import Engines, cluster, engines
from tests.cluster.trial import trial

PAGE = Path(__file__).parents[2] / "docs" / "cluster-chaos.md"
_RESPONSES: Mapping[str, Any] = {"gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}}}
_BUS_AWAY = 50
_NAMES = 10


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make cluster-chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--lease", type=float, default=2.0, help="seconds")
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--aborts", type=int, default=1_000)
    parser.add_argument("--restarts", type=int, default=20)
    return parser.parse_args()


@contextlib.asynccontextmanager
async def three(
    folder: Path, models: ModelServer, model: str
) -> AsyncIterator[tuple[list[Replica], Engines]]:
    """With leases as they are by default."""
    async with (
        engines(folder / "engines") as shared,
        cluster(folder, models, shared, model=model, lease_s=15.0, more=_RESPONSES) as found,
    ):
        yield found, shared


async def moves(folder: Path, options: argparse.Namespace) -> Moves:
    chance = random.Random(options.seed)  # noqa: S311
    async with ModelServer(keeps=1) as models:
        resuming.script(models)
        aborting.script(models)
        async with three(folder / "resumed", models, resuming.MODEL) as (found, _):
            cut = await resumed(found, options.cuts, chance)
        print(f"{cut.cuts} streams cut: {cut.wrong[:5]}", flush=True)
        async with three(folder / "aborted", models, aborting.MODEL) as (found, shared):
            stopped = await aborted(found, models, options.aborts, chance)
            await asyncio.to_thread(shared.bus.kill)
            away = await aborted(found, models, min(_BUS_AWAY, options.aborts), chance)
        print(f"{len(stopped.took_ms)} runs stopped: {stopped.statuses}, {away.statuses}", flush=True)
        async with three(folder / "rolled", models, "mock-echo") as (found, _):
            rolling = await rolled(found, options.restarts, chance)
        print(f"{len(rolling.statuses)} restarts: {rolling.wrong[:5]}", flush=True)
        async with three(folder / "named", models, same_name.MODEL) as (found, _):
            wrong = [
                one
                for turn in range(_NAMES)
                for killed in (False, True)
                if (one := await named(found, models, f"{turn} {killed}", killed=killed)).wrong(1 + killed)
            ]
        print(f"one name, 50 clients: {wrong[:5]}", flush=True)
    return Moves(cut, stopped, away, rolling, _NAMES, len(wrong))


async def main(options: argparse.Namespace) -> int:
    print(f"SEED={options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cluster-chaos-") as folder:
        outcome = await trial(
            Path(folder) / "trial",
            seed=options.seed,
            seconds=60 * options.minutes,
            lease_s=options.lease,
        )
        found = violations(outcome.history, late_s=float("inf"))
        for each in found:
            print(f"{each.kind}: {each.what}", flush=True)
        print(dict(outcome.troubles), outcome.refused, outcome.answers, flush=True)
        print(late(outcome), flush=True)
        moved = await moves(Path(folder) / "moves", options)
    page = told(
        outcome, found, moved, seed=options.seed, lease_s=options.lease, day=time.strftime("%-d %B %Y")
    )
    PAGE.write_text(page, "utf-8")
    print(page)
    return 1 if found or moved.cut.wrong or moved.rolling.wrong or moved.misnamed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(read_options())))
