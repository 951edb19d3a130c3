"""One client tried for all behaviours, against a gateway and a model server of its own: a row of the
table."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.clients import at_a_terminal
from tests.clients.at_a_terminal import SIDE_MODEL, Scene
from tests.clients.behaviours import BEHAVIOURS, MODEL, Absent, Differs, Stage
from tests.clients.program import Ended, started
from tests.clients.table import Client, Room
from tests.clients.terminal import command_of, opened

PASSES = "yes"
_LATE = "no answer in time"
_ENDED = "it ended"
_NOTHING = "the program has nothing for it"
Row = dict[str, str]


def config(models: ModelServer, preset: str = "") -> dict[str, Any]:
    presets = [preset] if preset else []
    more = {
        "gateway": {"http": {"endpoints": {"responses": {"enabled": True}}, "clients": presets}},
        "models": {
            "providers": {"mock": {"models": [{"id": MODEL, "input": ["text", "image"], "reasoning": True}]}}
        },
        "agents": {
            "defaults": {
                "memorySearch": {"provider": "mock", "model": "mock-vectors"},
                "utilityModel": f"mock/{SIDE_MODEL}",
            },
            "list": [{"id": "main", "default": True}, {"id": "poet"}],
        },
    }
    return model_config(models.base_url, more, model=MODEL)


async def row(client: Client, *, without: Collection[str] = ()) -> Row:
    """Each behaviour: PASSES, or what was seen instead. Raises NotInstalled."""
    seen: Row = {}
    preset = command_of(client).preset if client.room is Room.COMMAND else ""
    with tempfile.TemporaryDirectory(prefix="client-", ignore_cleanup_errors=True) as home:
        async with (
            ModelServer() as models,
            running_gateway(config(models, preset)) as gateway,
            _tries(client, Path(home), models, gateway) as tries,
        ):
            for name in BEHAVIOURS:
                if name in without:
                    continue
                if name not in tries:
                    seen[name] = _NOTHING
                    continue
                try:
                    await tries[name]()
                    seen[name] = PASSES
                except Absent:
                    seen[name] = _NOTHING
                except Differs as difference:
                    seen[name] = str(difference)
                except TimeoutError:
                    seen[name] = _LATE
                    if client.room is not Room.COMMAND:
                        return seen
                except Ended as end:
                    seen[name] = f"{_ENDED}: {end}"
                    return seen
    return seen


@asynccontextmanager
async def _tries(
    client: Client, home: Path, models: ModelServer, gateway: RunningGateway
) -> AsyncIterator[Mapping[str, Callable[[], Awaitable[None]]]]:
    """What is to be tried, by the behaviours' names: of a program that is told what to do, or of a command
    line. Raises NotInstalled."""
    if client.room is Room.COMMAND:
        scene = Scene(models, gateway, await asyncio.to_thread(opened, client, home))
        yield {name: partial(behaviour, scene) for name, behaviour in at_a_terminal.BEHAVIOURS.items()}
    else:
        async with started(client, home) as program:
            stage = Stage(models, gateway, program)
            yield {name: partial(behaviour, stage) for name, behaviour in BEHAVIOURS.items()}


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
