"""What a run calls on its way to the end raises once, inside a real gateway: it is ready again, and works."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from openclaw_gateway import foundation
from openclaw_gateway.runs.lanes import Lanes, Pace
from openclaw_gateway.runs.memory import Memory
from openclaw_gateway.runs.rounds import Rounds
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import say
from tests.doors.test_store_trouble import ready
from tests.runs.test_every_fault import FAULTS, Once

DEADLINE_S = 20.0
CALLED: dict[str, Callable[..., Any]] = {
    f"{owner.__name__}.{name}": getattr(owner, name)
    for owner, name in (
        (Run, "end"),
        (Run, "emit"),
        (Lanes, "enter"),
        (Lanes, "leave"),
        (Rounds, "play"),
        (Memory, "recall"),
        (LocalBus, "emit"),
        (LocalBus, "forget"),
        (SqliteStore, "begin"),
        (SqliteStore, "finish"),
    )
}
OWNERS = {owner.__name__: owner for owner in (Run, Lanes, Rounds, Memory, LocalBus, SqliteStore)}


@pytest.fixture
async def brisk(models: ModelServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningGateway]:
    """A gateway that soon tries again what the store did not take, and soon takes a run that nobody renews
    for lost."""
    # Not too soon: a busy machine lets a process wait for some tenths of a second.
    pace = Pace(lease_s=1.5, renew_every_s=0.1, look_again_s=0.05, repeat_s=0.01)
    monkeypatch.setattr(foundation, "Pace", lambda **_: pace)
    async with running_gateway(model_config(models.base_url)) as running:
        yield running


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_it_is_ready_and_the_session_goes_on(
    brisk: RunningGateway, fault: type[BaseException], after: bool, stream: bool
) -> None:
    for place, call in CALLED.items():
        owner, _, name = place.partition(".")
        once = Once(1, fault, after=after)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OWNERS[owner], name, once.around(place, call))
            async with asyncio.timeout(DEADLINE_S):
                await say(brisk, f"broken at {place}", user="ada", stream=stream)
                await brisk.wait_no_runs()
        assert once.at == place, "it was not even called"
        assert await ready(brisk) == (200, []), place
        async with asyncio.timeout(DEADLINE_S):
            for user in ("ada", "bob"):
                whole = await say(brisk, f"after {place}", user=user)
                assert (whole.status, whole.content) == (200, f"after {place}"), place
