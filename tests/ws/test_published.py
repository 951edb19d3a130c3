"""The tests hold what the gateway says against the published protocol: here, that they can."""

import pytest

from openclaw_gateway.doors.ws.methods import TABLE
from openclaw_gateway.doors.ws.protocol import EVENTS
from openclaw_gateway.testing.gateway import RunningGateway
from tests.npm_packages import NotInstalled
from tests.ws import published
from tests.ws.peer import Peer, connect_params, dial

# Of ours, for what the protocol has no method.
OWN = {"agents.tools", "mcp.status", "models.test", "sessions.unsubscribe"}
OWN |= {"chat.image", "config.preview", "docs.list", "docs.get", "docs.search"}


@pytest.fixture(autouse=True)
def schema() -> None:
    try:
        published.document()
    except NotInstalled as error:
        pytest.skip(f"what is published cannot be had: {error}")


def test_a_frame_that_does_not_fit_is_seen() -> None:
    assert published.faults_of_frame({"type": "event", "event": "tick", "payload": {"ts": "now"}})
    assert published.faults_of_frame({"type": "res", "id": "a", "ok": True, "more": 1})
    assert published.faults_of_result("agents.list", {"agents": []})
    assert not published.faults_of_frame({"type": "event", "event": "tick", "payload": {"ts": 1}})


async def test_the_greeting_names_exactly_what_is_there(gateway: RunningGateway) -> None:
    async with dial(gateway.ws_url) as peer:
        await peer.event("connect.challenge")
        hello = await peer.result("connect", connect_params(gateway.token))
    assert set(hello["features"]["methods"]) == set(TABLE)
    assert tuple(hello["features"]["events"]) == EVENTS


def test_each_method_needs_the_published_scope() -> None:
    """Where it depends on what is asked, the least of them."""
    wanted = {name: scope for name, scope in published.scopes().items() if scope != "dynamic"}
    differing = {
        name: method.scope for name, method in TABLE.items() if wanted.get(name, method.scope) != method.scope
    }
    assert not differing
    assert TABLE.keys() - published.scopes().keys() == OWN


async def test_the_answers_that_are_lists_fit(peer: Peer) -> None:
    for method in ("health", "status", "agents.list", "models.list", "sessions.list"):
        await peer.result(method)
