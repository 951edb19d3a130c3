"""`tools.invoke`: a call of a tool as HTTP makes it; the same is closed, the same is seen."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.tools.policy.over_http import CLOSED
from tests.doors.test_tools_invoke import FULL, invoke
from tests.ws.peer import Peer, connected, request


def said(answer: dict[str, Any]) -> str:
    assert answer["ok"] is True, answer
    (part,) = answer["output"]["content"]
    return str(part["text"])


async def test_a_tool_without_a_model(models: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "hello.txt").write_text("good day\n")
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as peer:
        read = await peer.result("tools.invoke", {"name": "Read", "args": {"path": "hello.txt"}})
        assert (read["toolName"], read["source"]) == ("read", "core")
        assert "good day" in said(read)
        failed = await peer.result("tools.invoke", {"name": "read", "args": {"path": "nothing.txt"}})
        assert (failed["ok"], failed["error"]["code"]) == (False, "tool_error")
        outside = await peer.result("tools.invoke", {"name": "read", "args": {"path": "/etc/passwd"}})
        assert outside["ok"] is False
        assert (await peer.result("sessions.list"))["sessions"] == []
    assert models.requests == []


@pytest.mark.parametrize("tool", sorted({*CLOSED, "bash", "EXEC", "nosuch", " ", "\u202e"}))
async def test_what_is_closed_over_http_is_closed_here(peer: Peer, tool: str) -> None:
    answer = await peer.result("tools.invoke", {"name": tool, "args": {"command": "id"}})
    assert (answer["ok"], answer["error"]["code"]) == (False, "not_found")


async def test_both_doors_see_the_same(models: ModelServer) -> None:
    """Of the conversations, too: the one that is named, whoever else's there are."""
    async with running_gateway(model_config(models.base_url)) as gateway, connected(gateway) as peer:
        for session in ("one", "two"):
            await peer.send(
                request(session, "agent", {"message": "hi", "idempotencyKey": session, "sessionKey": session})
            )
            await peer.answer(session)
            await peer.answer(session)
        for name, args in (
            ("sessions_list", {}),
            ("sessions_history", {"sessionKey": "agent:main:two"}),
            ("session_status", {}),
        ):
            there = await invoke(gateway, tool=name, args=args, sessionKey="one")
            here = await peer.result("tools.invoke", {"name": name, "args": args, "sessionKey": "one"})
            assert here["ok"] is there.json["ok"]
            if here["ok"]:
                assert here["output"] == there.json["result"], name
            else:
                assert here["error"]["message"] == there.json["error"]["message"], name


async def test_wrong_params(peer: Peer) -> None:
    for wrong, code in (
        ({}, "invalid_params"),
        ({"name": ""}, "invalid_params"),
        ({"name": "read", "args": [1]}, "invalid_params"),
        ({"name": "read", "idempotencyKey": "a\nb"}, "invalid_params"),
        ({"name": "read", "agentId": "nobody"}, "agent_not_found"),
        ({"name": "read", "sessionKey": "subagent:x"}, "session_key_reserved"),
    ):
        assert (await peer.error("tools.invoke", wrong))["details"]["code"] == code


async def test_the_same_key_is_the_same_call(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url, {**FULL, "gateway": {"tools": {"allow": ["exec"]}}})
    params = {"name": "exec", "args": {"command": "echo x >> made.txt"}, "idempotencyKey": "k"}
    async with opened(config, tmp_path) as gateway, connected(gateway) as peer:
        assert await peer.result("tools.invoke", params) == await peer.result("tools.invoke", params)
    assert (tmp_path / "workspace" / "made.txt").read_text() == "x\n"


async def test_a_client_that_leaves_ends_the_call(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url, {**FULL, "gateway": {"tools": {"allow": ["exec"]}}})
    async with opened(config, tmp_path) as gateway:
        async with connected(gateway) as peer:
            await peer.send(request("1", "tools.invoke", {"name": "exec", "args": {"command": "sleep 60"}}))
            await gateway.wait_runs(1)
        async with asyncio.timeout(10):
            await gateway.wait_no_runs(deadline_s=8)


def opened(config: dict[str, Any], folder: Path) -> Any:
    return running_gateway(config, state_dir=folder, environ={"PATH": os.environ["PATH"]})


async def test_who_may_only_read_calls_no_tool(gateway: RunningGateway) -> None:
    async with connected(gateway, scopes=["operator.read"]) as peer:
        assert (await peer.error("tools.invoke", {"name": "read"}))["code"] == "FORBIDDEN"
