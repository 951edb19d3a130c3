"""What is done to a session at one process of a gateway holds for its runs and its listeners at all."""

import asyncio

import pytest

from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.doors.chat import CHAT, http, user
from tests.doors.test_agent_sessions import ON
from tests.doors.test_replicas import SESSION, Fleet, fleet, members
from tests.ws.peer import Peer, connected

__all__ = ["fleet"]


async def said(peer: Peer) -> list[str]:
    history = await peer.result("chat.history", {"sessionKey": "agent:main:s"})
    return [message["role"] for message in history["messages"]]


@pytest.mark.parametrize("roles", [("front", "worker", "front"), ("all", "worker", "all")])
@pytest.mark.parametrize("what", ["sessions.delete", "sessions.reset"])
async def test_a_session_is_over_with_its_run_wherever_that_is_executed(
    models: ModelServer, fleet: Fleet, roles: tuple[Role, ...], what: str
) -> None:
    """Deleting it was refused where nobody knew the run, and what was left of that began a new one."""
    models.enqueue(says("a ", Hold(asyncio.Event()), "b"))
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    async with members(fleet, *roles) as (one, _, other), connected(other) as peer:
        async with http(one) as session, session.post(CHAT, json=body, headers=SESSION) as response:
            await response.content.readuntil(b'"a ')
            await peer.result(what, {"key": "agent:main:s"})
            assert await said(peer) == []
            assert b"run_aborted" in await response.read()
        await models.wait_aborted(1)
        await one.wait_no_runs()
        assert await said(peer) == []


async def test_who_listens_to_a_session_goes_when_it_is_deleted_at_another(fleet: Fleet) -> None:
    fleet.config |= ON
    made = {"agent": {"model": "openclaw/main"}, "environment": {"type": "none"}, "input": "hi"}
    async with members(fleet, "all", "all") as (one, other), http(one) as here, http(other) as there:
        async with here.post("/v1/agents/sessions", json=made) as response:
            key = (await response.json())["id"]
        await one.wait_no_runs()
        async with there.get(f"/v1/agents/sessions/{key}/events") as listening:
            assert await listening.content.readline() == b": connected\n"
            async with here.delete(f"/v1/agents/sessions/{key}") as response:
                assert response.status == 200
            async with asyncio.timeout(10):
                await listening.content.read()
