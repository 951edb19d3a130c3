"""`sessions.changed`: what becomes of a session is told to its owner's subscribers, whoever did it."""

from typing import Any

import openai

from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.sessions.store import NewRun
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import sdk
from tests.ws.peer import Peer, connected
from tests.ws.test_feed import TALK, until_told
from tests.ws.test_feed import say as ask_over_http
from tests.ws.test_methods import say

AGENTS_API = {"gateway": {"http": {"endpoints": {"agents": {"enabled": True}}}}}


def changes(peer: Peer) -> list[tuple[str, str]]:
    """(session, reason) of all that a client was told so far, apart from runs."""
    told = [event["payload"] for event in peer.events if event["event"] == "sessions.changed"]
    return [(each["sessionKey"], each["reason"]) for each in told if "reason" in each]


async def test_who_has_subscribed_hears_of_every_change(gateway: RunningGateway, peer: Peer) -> None:
    async with connected(gateway) as other:
        await peer.result("sessions.subscribe")
        assert (await ask_over_http(gateway, "hi", session="talk")).status == 200
        created = (await peer.event("sessions.changed", reason="create"))["payload"]
        assert (created["sessionKey"], created["agentId"]) == (TALK, "main")
        assert (await ask_over_http(gateway, "again", session="talk")).status == 200
        for method, params, reason in (
            ("sessions.patch", {"key": "talk", "label": "Oslo"}, "patch"),
            ("sessions.reset", {"key": "talk"}, "reset"),
            ("sessions.delete", {"key": "talk"}, "delete"),
        ):
            await other.result(method, params)
            told = (await peer.event("sessions.changed", reason=reason))["payload"]
            assert told["sessionKey"] == TALK
            assert told["ts"] >= created["ts"]
    assert changes(peer) == [(TALK, reason) for reason in ("create", "patch", "reset", "delete")]


async def test_what_the_agents_api_does_is_told_too(models: ModelServer) -> None:
    async with (
        running_gateway(model_config(models.base_url, AGENTS_API)) as gateway,
        connected(gateway) as peer,
        sdk(gateway) as client,
    ):
        await peer.result("sessions.subscribe")
        none: Any = {"type": "none"}
        session = await client.beta.agents.sessions.create(
            environment=none, input="hi", agent={"model": "openclaw"}
        )
        await peer.event("sessions.changed", reason="create", sessionKey=session.id)
        await peer.event("sessions.changed", phase="end", sessionKey=session.id)
        await client.beta.agents.sessions.update(session.id, metadata={"a": "b"})
        await peer.event("sessions.changed", reason="patch", sessionKey=session.id)
        await client.beta.agents.sessions.delete(session.id)
        await peer.event("sessions.changed", reason="delete", sessionKey=session.id)
        try:
            await client.beta.agents.sessions.delete(session.id)
        except openai.NotFoundError:
            pass
        else:
            raise AssertionError("it was deleted twice")


async def test_nobody_hears_of_what_is_not_his_or_of_what_was_not(
    gateway: RunningGateway, peer: Peer
) -> None:
    room, store = gateway.gateway.held, gateway.gateway._store
    another = Principal("another", OPERATOR.scopes)
    await store.begin(NewRun("run", "another", TALK, "main"), lease_s=30)
    await peer.result("sessions.subscribe")
    await peer.result("sessions.messages.subscribe", {"key": "talk"})
    assert await room.rename(another, TALK, "secret") is not None
    await peer.result("sessions.delete", {"key": "talk"})
    await peer.error("sessions.patch", {"key": "talk", "label": "x"})
    await say(peer, "hi", sessionKey="other")
    await until_told(peer, "other")
    assert changes(peer) == [("agent:main:other", "create")]


async def test_a_blank_key_is_refused_in_the_methods_own_name(peer: Peer) -> None:
    for method in (
        "sessions.describe",
        "sessions.get",
        "sessions.reset",
        "sessions.delete",
        "sessions.create",
        "sessions.messages.subscribe",
        "sessions.messages.unsubscribe",
    ):
        error = await peer.error(method, {"key": "  "})
        assert error["message"] == f"invalid {method} params: key must not be blank"
