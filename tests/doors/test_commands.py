"""Commands through the doors: allowed ones run, others are answered with what an operator can do."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.doors.chat import say
from tests.doors.test_agent_tools import workspace
from tests.doors.tool_replies import calls
from tests.tools.test_orphans import appears, dies


def runs(command: str, call_id: str = "x1") -> tuple[str, str, str]:
    return call_id, "exec", json.dumps({"command": command})


async def result(
    models: ModelServer, state_dir: Path, command: str, more: dict[str, Any] | None = None
) -> str:
    """What the model is told when it runs `command`."""
    models.script("mock-echo", calls(runs(command)), says("Done."))
    async with running_gateway(model_config(models.base_url, more), state_dir=state_dir) as gateway:
        answer = await say(gateway, "go")
    assert (answer.status, answer.content) == (200, "Done.")
    return str(models.requests[-1].messages[-1]["content"])


async def test_reading_commands_run_in_the_workspace(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    assert "buy milk" in await result(models, tmp_path, "cat notes.txt | head -n 1")


@pytest.mark.promise("exec-starter-list", "exec-remedy")
async def test_other_commands_are_refused_with_what_would_allow_them(
    models: ModelServer, tmp_path: Path
) -> None:
    folder = workspace(tmp_path)
    told = await result(models, tmp_path, "rm notes.txt")
    assert "openclaw approvals allow" in told
    assert (folder / "notes.txt").exists()


async def test_what_the_operator_allows_runs(models: ModelServer, tmp_path: Path) -> None:
    folder = workspace(tmp_path)
    full = {"tools": {"exec": {"security": "full", "ask": "off"}}}
    await result(models, tmp_path, "rm notes.txt && echo gone", full)
    assert not (folder / "notes.txt").exists()


async def test_commands_see_no_secret_of_the_gateway(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    full = {
        "tools": {"exec": {"security": "full", "ask": "off"}},
        "env": {"OPENAI_API_KEY": "sk-very-secret-1"},
    }
    told = await result(models, tmp_path, "env; cat /proc/self/environ | tr '\\0' '\\n'", full)
    assert "sk-very-secret-1" not in told
    assert "OPENCLAW_" not in told
    assert "a-test-token" not in told


@pytest.mark.promise("command-conversation")
async def test_what_a_request_without_a_session_left_in_the_background_ends_with_it(
    models: ModelServer, tmp_path: Path
) -> None:
    folder = workspace(tmp_path)
    full = {"tools": {"exec": {"security": "full", "ask": "off"}}}
    started = json.dumps({"command": "echo $$ > pid; exec sleep 600", "background": True})
    begun = asyncio.Event()
    models.script("mock-echo", calls(("x1", "exec", started)), says(Hold(begun), "Done."))
    async with running_gateway(model_config(models.base_url, full), state_dir=tmp_path) as gateway:
        asking = asyncio.create_task(say(gateway, "go"))
        pid = await appears(folder / "pid")
        begun.set()
        await asking
        assert "status: running" in str(models.requests[-1].messages[-1]["content"])
        await dies(pid)
        models.script("mock-echo", calls(("x2", "process", '{"action": "list"}')), says("Done."))
        await say(gateway, "and now?")
    assert models.requests[-1].messages[-1]["content"] == "[no background commands]"


async def test_what_a_session_left_in_the_background_is_there_in_its_next_turn_and_nobody_elses(
    models: ModelServer, tmp_path: Path
) -> None:
    workspace(tmp_path)
    full = {"tools": {"exec": {"security": "full", "ask": "off"}}}
    started = json.dumps({"command": "exec sleep 600", "background": True})
    listed = calls(("x2", "process", '{"action": "list"}'))
    models.script("mock-echo", calls(("x1", "exec", started)), says("Done."))
    async with running_gateway(model_config(models.base_url, full), state_dir=tmp_path) as gateway:
        await say(gateway, "go", user="ann")
        for user, expected in (("ann", "status: running"), ("bob", "[no background commands]")):
            models.script("mock-echo", listed, says("Done."))
            await say(gateway, "and now?", user=user)
            assert expected in str(models.requests[-1].messages[-1]["content"])


@pytest.mark.promise("workspace-of-gateway")
async def test_a_workspace_around_the_gateway_s_files_is_not_looked_at_by_commands(
    models: ModelServer, tmp_path: Path
) -> None:
    around = {"agents": {"defaults": {"workspace": str(tmp_path)}}}
    for command in ("cat openclaw.json", "ls", "grep -r mock-key ."):
        told = await result(models, tmp_path, command, around)
        assert "the gateway's own files" in told
        assert "mock-key" not in told.replace(command, "")


@pytest.mark.promise("error.sandbox_unavailable")
async def test_an_agent_without_its_promised_sandbox_does_not_run(
    models: ModelServer, tmp_path: Path
) -> None:
    path = {"PATH": str(tmp_path)}
    sandboxed = {"agents": {"list": [{"id": "main", "sandbox": {"mode": "all"}}, {"id": "free"}]}}
    async with running_gateway(model_config(models.base_url, sandboxed), environ=path) as gateway:
        refused = await say(gateway, "hi")
        assert (refused.status, refused.error["code"]) == (503, "sandbox_unavailable")
        assert refused.headers["x-should-retry"] == "false"
        assert (await say(gateway, "hi", model="openclaw/free")).status == 200


@pytest.mark.promise("mcp-policy")
async def test_tools_of_an_mcp_server_are_offered_and_work(models: ModelServer, tmp_path: Path) -> None:
    server = Path(__file__).parent.parent / "tools" / "mcp_server.py"
    config = {"mcp": {"servers": {"demo": {"command": sys.executable, "args": [str(server)]}}}}
    models.script("mock-echo", says("hello"))
    async with running_gateway(model_config(models.base_url, config), state_dir=tmp_path) as gateway:
        offered: set[str] = set()
        async with asyncio.timeout(30):
            # The start does not wait for the server: until it has answered, its tools are not there.
            while "mcp__demo__add" not in offered:
                await say(gateway, "hi")
                offered = {tool["function"]["name"] for tool in models.requests[-1].body["tools"]}
        models.script("mock-echo", calls(("m1", "mcp__demo__add", '{"a": 40, "b": 2}')), says("Done."))
        assert (await say(gateway, "add them")).content == "Done."
    answer = models.requests[-1].messages[-1]
    assert (answer["role"], answer["tool_call_id"], answer["content"]) == ("tool", "m1", "42")
