"""Of a run that was stopped its session keeps what was shown, also by other processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs.elsewhere import shown
from openclaw_gateway.runs.run import Run
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hang, ModelServer, says
from tests.doors.chat import CHAT, http, user
from tests.doors.test_detached import DETACH
from tests.doors.test_replicas import SESSION, Fleet, fleet, members, say

__all__ = ["fleet"]


async def has_said(gateway: RunningGateway) -> None:
    """Until the run that is executed there has emitted its beginning and a word."""
    async with asyncio.timeout(10):
        while not any(run.emitted > 1 for run in gateway.gateway._live.running()):  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def stream(gateway: RunningGateway, **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    async with http(gateway) as session, session.post(CHAT, json=body, headers=headers) as response:
        yield response


async def shows(response: aiohttp.ClientResponse, word: str) -> None:
    async with asyncio.timeout(10):
        while word.encode() not in await response.content.readline():
            pass


async def stopped(gateway: RunningGateway) -> None:
    assert await gateway.gateway.abort_session(OPERATOR, "agent:main:s")


async def ended(fleet: Fleet, gateway: RunningGateway) -> None:
    async with asyncio.timeout(10):
        while await fleet.runs(gateway) != ["aborted"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_whom_a_front_has_shown_nothing_has_nothing_in_its_session(
    models: ModelServer, fleet: Fleet
) -> None:
    models.script("mock-echo", says("at ", Hang()))
    async with members(fleet, "front", "worker") as (front, worker):
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await has_said(worker)
        await stopped(front)
        assert (await asked).status == 499
        await ended(fleet, front)
        assert await fleet.transcript() == []


async def test_what_a_front_has_shown_is_kept(models: ModelServer, fleet: Fleet) -> None:
    models.script("mock-echo", says("at ", Hang()))
    async with members(fleet, "front", "worker", "front") as (front, _, other):
        async with stream(front, **SESSION) as response:
            await shows(response, "at ")
            await stopped(other)
            assert b"run_aborted" in await response.read()
        await ended(fleet, front)
        assert await fleet.transcript() == ["hi", "at "]


@pytest.mark.parametrize("stays", [True, False])
async def test_what_another_has_shown_who_follows_it_is_kept(
    models: ModelServer, fleet: Fleet, stays: bool
) -> None:
    models.script("mock-echo", says("at ", Hang()))
    async with members(fleet, "all", "all") as (one, other):
        asked = asyncio.create_task(say(one, "hi", **SESSION, **DETACH))
        await has_said(one)
        (id_,) = [run.id for run in one.gateway._live.running()]
        async with http(other) as session:
            async with session.get(f"{CHAT}/{id_}/events") as response:
                await shows(response, "at ")
                if stays:
                    await stopped(one)
                    await response.read()
            if not stays:
                await other.wait_runs(1)
                await stopped(one)
        assert (await asked).status == 499
        await ended(fleet, one)
        assert await fleet.transcript() == ["hi", "at "]


async def test_where_nobody_tells_what_was_emitted_was_shown(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: shown.ShownAnywhere, run: Run, emitted: int) -> None:
        assert emitted <= run.emitted

    monkeypatch.setattr(shown.ShownAnywhere, "_tell", lost)
    monkeypatch.setattr(shown, "_TELLS_WITHIN_S", 0.05)
    models.script("mock-echo", says("at ", Hang()))
    async with members(fleet, "front", "worker") as (front, worker):
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await has_said(worker)
        await stopped(front)
        assert (await asked).status == 499
        await ended(fleet, front)
        assert await fleet.transcript() == ["hi", "at "]
