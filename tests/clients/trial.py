"""One client tried for all behaviours, against a gateway and a model server of its own: a row of the
table."""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.clients.behaviours import BEHAVIOURS, MODEL, Absent, Differs, Stage
from tests.clients.program import Ended, started
from tests.clients.table import Client

PASSES = "yes"
_LATE = "no answer in time"
_ENDED = "it ended"
Row = dict[str, str]


def config(models: ModelServer) -> dict[str, Any]:
    more = {
        "gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}},
        "models": {
            "providers": {"mock": {"models": [{"id": MODEL, "input": ["text", "image"], "reasoning": True}]}}
        },
        "agents": {
            "defaults": {"memorySearch": {"provider": "mock", "model": "mock-vectors"}},
            "list": [{"id": "main", "default": True}, {"id": "poet"}],
        },
    }
    return model_config(models.base_url, more, model=MODEL)


async def row(client: Client, *, without: Collection[str] = ()) -> Row:
    """Each behaviour: PASSES, or what was seen instead. Raises NotInstalled."""
    seen: Row = {}
    with tempfile.TemporaryDirectory(prefix="client-") as home:
        async with (
            ModelServer() as models,
            running_gateway(config(models)) as gateway,
            started(client, Path(home)) as program,
        ):
            stage = Stage(models, gateway, program)
            for name, behaviour in BEHAVIOURS.items():
                if name in without:
                    continue
                try:
                    await behaviour(stage)
                    seen[name] = PASSES
                except Absent:
                    seen[name] = "the program has nothing for it"
                except Differs as difference:
                    seen[name] = str(difference)
                except TimeoutError:
                    seen[name] = _LATE
                    return seen
                except Ended as end:
                    seen[name] = f"{_ENDED}: {end}"
                    return seen
    return seen


def faults(client: Client, seen: Row) -> list[str]:
    """What is neither as it must be nor a known limit of the client, and limits that are none. No limit is a
    program that breaks: then nothing after it was tried."""
    told = []
    for name, cell in seen.items():
        limit = client.limits.get(name)
        if cell != PASSES and (limit is None or cell.startswith((_LATE, _ENDED))):
            told.append(f"{name}: {cell}")
        if limit is not None and cell == PASSES:
            told.append(f"{name}: works now, and may be said; its limit was {limit!r}")
    return told
