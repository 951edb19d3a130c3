"""Who asks for a change and leaves has it made, and everybody else is told of it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
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


@pytest.mark.parametrize("change", ["create", "delete"])
async def test_an_agent_whose_client_has_left_comes_and_goes_with_its_folder(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        workspace = tmp_path / "poet"
        params: dict[str, Any] = {"name": "poet", "workspace": str(workspace)}
        if change == "delete":
            await peer.result("agents.create", params)
            params = {"agentId": "poet", "deleteFiles": True}
        own = gateway.gateway.operator.config
        written, gone = asyncio.Event(), asyncio.Event()
        follow = own._followed

        async def slow(*args: Any, **more: Any) -> Any:
            written.set()
            await gone.wait()
            return await follow(*args, **more)

        monkeypatch.setattr(own, "_followed", slow)
        async with connected(gateway) as leaving:
            before = len(gateway.gateway.presence.of(OPERATOR))
            await leaving.send(request("1", f"agents.{change}", params))
            async with asyncio.timeout(10):
                await written.wait()
        async with asyncio.timeout(10):
            while len(gateway.gateway.presence.of(OPERATOR)) == before:
                await peer.result("health")
            gone.set()
            await asyncio.gather(*own._deeds._tasks)
        assert workspace.is_dir() is (change == "create")
