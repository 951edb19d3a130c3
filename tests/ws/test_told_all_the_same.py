"""Who asks for a change and leaves has it made, and everybody else is told of it."""

import asyncio
from typing import Any

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.testing.gateway import RunningGateway
from tests.ws.peer import Peer, connected, request
from tests.ws.test_feed import TALK
from tests.ws.test_methods import say


@pytest.mark.parametrize(
    "change",
    [
        ("sessions.delete", {"key": "talk"}, "delete_session", "delete"),
        ("sessions.reset", {"key": "talk"}, "summarise", "reset"),
        ("sessions.patch", {"key": "talk", "label": "Oslo"}, "rename", "patch"),
        ("sessions.fork", {"sessionKey": "talk"}, "fork", "fork"),
    ],
)
async def test_a_change_whose_client_has_left_is_told(
    gateway: RunningGateway,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, dict[str, Any], str, str],
) -> None:
    method, params, last_step, reason = change
    await say(peer, "hi", sessionKey="talk")
    await peer.result("sessions.subscribe")
    store: Store = gateway.gateway._store
    made, gone = asyncio.Event(), asyncio.Event()
    carry_out = getattr(store, last_step)

    async def slow(*args: Any, **more: Any) -> Any:
        answer = await carry_out(*args, **more)
        made.set()
        await gone.wait()
        return answer

    monkeypatch.setattr(store, last_step, slow)
    async with connected(gateway) as leaving:
        before = len(gateway.gateway.presence.of(OPERATOR))
        await leaving.send(request("1", method, params))
        async with asyncio.timeout(10):
            await made.wait()
    async with asyncio.timeout(10):
        while len(gateway.gateway.presence.of(OPERATOR)) == before:
            await peer.result("health")
    gone.set()
    told = (await peer.event("sessions.changed", reason=reason))["payload"]
    assert (told["sessionKey"] == TALK) is (reason != "fork")
