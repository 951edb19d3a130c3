"""A request that an SDK sends again by itself is done once, also where it comes to another process."""

import asyncio

import pytest

from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, fails, says
from tests.doors.chat import http
from tests.doors.test_replicas import Fleet, fleet, members
from tests.doors.test_retries import attempt

__all__ = ["fleet"]

FRONTS: tuple[Role, ...] = ("front", "front", "worker")
ALL: tuple[Role, ...] = ("all", "all")


@pytest.mark.promise("retries-anywhere")
@pytest.mark.parametrize("roles", [FRONTS, ALL])
async def test_one_that_goes_on_is_heard_at_another(
    models: ModelServer, fleet: Fleet, roles: tuple[Role, ...]
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("once ", Hold(gate), "only"), says("twice"))
    async with members(fleet, *roles) as (one, other, *_):
        first = asyncio.create_task(attempt(one, 0, user="ada"))
        await models.wait_requests(1)
        first.cancel()
        await asyncio.wait([first])
        second = asyncio.create_task(attempt(other, 1, user="ada"))
        await other.wait_runs(1)
        gate.set()
        assert (await second).content == "once only"
    assert len(models.requests) == 1


@pytest.mark.parametrize("roles", [FRONTS, ALL])
async def test_the_answer_of_one_that_has_ended_is_given_at_another(
    models: ModelServer, fleet: Fleet, roles: tuple[Role, ...]
) -> None:
    async with members(fleet, *roles) as (one, other, *_):
        first = await attempt(one, 0, "what was said", user="ada")
        again = await attempt(other, 1, "what was said", user="ada")
        assert (again.status, again.json["id"], again.content) == (200, first.json["id"], first.content)
        assert (await attempt(other, 1, "what was said", user="bob")).json["id"] != first.json["id"]
        anew = await attempt(other, 0, "what was said", user="ada")
        assert anew.json["id"] != first.json["id"]
    assert len(models.requests) == 3


async def test_one_that_failed_is_done_anew_at_another(models: ModelServer, fleet: Fleet) -> None:
    models.script("mock-echo", fails(401), says("fine"))
    async with members(fleet, *FRONTS) as (one, other, _):
        assert (await attempt(one, 0, user="ada")).status == 401
        assert (await attempt(other, 1, user="ada")).content == "fine"


async def test_a_session_of_the_agents_api_is_made_once_and_found_at_another(
    models: ModelServer, fleet: Fleet
) -> None:
    fleet.config["gateway"] = {"http": {"endpoints": {"agents": {"enabled": True}}}}

    async def made(gateway: RunningGateway, count: int, text: str) -> str:
        body = {"environment": {"type": "none"}, "input": text}
        headers = {"x-stainless-retry-count": str(count)}
        async with (
            http(gateway) as client,
            client.post("/v1/agents/sessions", json=body, headers=headers) as answer,
        ):
            return str((await answer.json())["id"])

    async with members(fleet, *FRONTS) as (one, other, worker):
        first = await made(one, 0, "hi")
        assert await made(other, 1, "hi") == first
        # Two who share a key begin with the same words: nobody gets what may be the other's.
        assert await made(other, 0, "hi") != first
        anew = [await made(each, 1, "hi") for each in (one, other)]
        assert first not in anew
        assert anew[0] != anew[1]
        for each in (one, other, worker):
            await each.wait_no_runs()
    assert len(models.requests) == 4
