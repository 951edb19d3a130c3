"""A request that an SDK sends again by itself is done once, also where it comes to another process."""

import asyncio

import pytest

from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.testing.model_server import Hold, ModelServer, fails, says
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
