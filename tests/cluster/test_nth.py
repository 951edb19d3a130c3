"""Whatever goes to the database or to the bus is lost once, or its answer: nothing is doubled, nothing leaks,
nobody is told what is not so, and the session goes on.

`make faults` strikes each in every way, in every scene; here every third, in ways that take turns.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster.fault_proxy import HOW, How
from tests.cluster.nth import SCENES, Blow, Engine, Scene, house, struck
from tests.engines.valkey import Valkey

_ALL = bool(os.environ.get("FAULTS"))


def blows(engine: Engine) -> Iterator[tuple[Scene, list[Blow]]]:
    """Of each scene so many as there could be; whoever takes them stops where nothing was struck."""
    for place, scene in enumerate(SCENES):
        if _ALL:
            for how in HOW:
                yield scene, [Blow(engine, how, nth) for nth in range(1, 100)]
        else:
            hows: Iterator[How] = itertools.islice(itertools.cycle(HOW), place, None)
            yield scene, [Blow(engine, how, nth) for nth, how in zip(range(1, 100, 3), hows, strict=False)]


@pytest.mark.parametrize("engine", ["store", "bus"])
@pytest.mark.parametrize("roles", [("all", "all"), ("front", "worker")], ids="+".join)
async def test_what_is_lost_once_breaks_no_promise(
    models: ModelServer,
    tmp_path: Path,
    store_url: str,
    valkey: Valkey,
    *,
    roles: tuple[Role, ...],
    engine: Engine,
) -> None:
    count = 0
    async with house(tmp_path, models, store_url, valkey.port, *roles) as whole:
        for scene, each in blows(engine):
            for blow in each:
                if not await struck(whole, scene, blow):
                    break
                count += 1
    assert count > len(SCENES)
