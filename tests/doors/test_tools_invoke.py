"""POST /tools/invoke: an agent's tool without a model, as the agent itself would have it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.config.schema import HttpToolsConfig
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.tools.policy.over_http import CLOSED, closed_over_http
from tests.doors.chat import Answer, ask, http, say, user

FULL = {"tools": {"exec": {"security": "full", "ask": "off"}}}


@pytest.fixture
async def there(models: ModelServer, tmp_path: Path) -> AsyncIterator[RunningGateway]:
    more = {"gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": False}}}}}
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "hello.txt").write_text("good day\n")
    async with running_gateway(model_config(models.base_url, more), state_dir=tmp_path) as gateway:
        yield gateway


async def invoke(gateway: RunningGateway, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    async with (
        http(gateway) as session,
        session.post("/tools/invoke", json=body, headers=headers) as response,
    ):
        return Answer(response.status, response.headers.copy(), await response.text())


def text(answer: Answer) -> str:
    said = answer.json
    assert (answer.status, said["ok"], set(said)) == (200, True, {"ok", "result"})
    (part,) = said["result"]["content"]
    assert part["type"] == "text"
    return str(part["text"])


def refused(answer: Answer) -> tuple[int, str]:
    said = answer.json
    assert said["ok"] is False
    assert said["error"]["message"]
    return answer.status, said["error"]["type"]


@pytest.mark.promise("tools-invoke")
async def test_a_tool_without_a_model(there: RunningGateway, models: ModelServer) -> None:
    assert "good day" in text(await invoke(there, tool="read", args={"path": "hello.txt"}))
    assert "hello.txt" in text(await invoke(there, name="ls"))
    assert models.requests == []


async def test_it_leaves_no_trace_in_a_session_and_knows_which_it_is(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url)) as gateway:
        await say(gateway, "hi", user="ada")
        key = "agent:main:openai-user:ada"
        for _ in range(2):
            told = text(await invoke(gateway, tool="session_status", args={}, sessionKey=key))
            assert key in told
        history = text(
            await invoke(gateway, tool="sessions_history", args={"sessionKey": key}, sessionKey=key)
        )
        assert "tool" not in history
        assert history.count("hi") == 2
        await ask(gateway, {"messages": [user("ho")]}, headers={"x-openclaw-session-key": "main"})
        assert "agent:main:main" in text(await invoke(gateway, tool="session_status"))


@pytest.mark.promise("tools-invoke-closed")
@pytest.mark.parametrize(
    "tool", ["exec", "bash", "EXEC", "process", "write", "sessions_send", "gateway", "nosuch"]
)
async def test_what_is_closed_is_not_there(there: RunningGateway, tool: str) -> None:
    answer = await invoke(there, tool=tool, args={"command": "id"})
    assert refused(answer) == (404, "not_found")
    assert answer.json["error"]["message"] == f"Tool not available: {tool}"


@pytest.mark.parametrize(
    ("settings", "name", "closed"),
    [
        ({}, "read", False),
        ({}, "web_search", False),
        ({"allow": ["exec"]}, "exec", False),
        ({"allow": ["bash"]}, "exec", False),
        ({"allow": ["group:runtime"]}, "process", False),
        ({"allow": ["exec"]}, "write", True),
        ({"allow": ["exec"], "deny": ["exec"]}, "exec", True),
        ({"deny": ["mcp__*"]}, "mcp__files__read", True),
        ({"deny": ["group:fs"]}, "read", True),
        ({"deny": ["Read"]}, "READ", True),
        *(({}, name, True) for name in sorted(CLOSED)),
    ],
)
def test_lists(settings: Any, name: str, *, closed: bool) -> None:
    assert closed_over_http(name, HttpToolsConfig(**settings)) is closed


async def test_an_operator_opens_some_and_the_agent_s_policy_stays(
    models: ModelServer, tmp_path: Path
) -> None:
    opened = {"gateway": {"tools": {"allow": ["exec", "write"], "deny": ["ls"]}}}
    config = model_config(models.base_url, {**FULL, **opened})
    config["tools"]["deny"] = ["write"]
    async with running_gateway(config, state_dir=tmp_path, environ={"PATH": os.environ["PATH"]}) as gateway:
        assert "42" in text(await invoke(gateway, tool="exec", args={"command": "echo 42"}))
        for closed in ("write", "ls"):
            assert refused(await invoke(gateway, tool=closed, args={})) == (404, "not_found")


async def test_a_client_that_leaves_ends_the_call(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url, {**FULL, "gateway": {"tools": {"allow": ["exec"]}}})
    async with running_gateway(config, state_dir=tmp_path, environ={"PATH": os.environ["PATH"]}) as gateway:
        call = asyncio.ensure_future(invoke(gateway, tool="exec", args={"command": "sleep 60"}))
        await gateway.wait_runs(1)
        call.cancel()
        await gateway.wait_no_runs(deadline_s=8)


async def test_faults(there: RunningGateway) -> None:
    answer = await invoke(there, args={})
    assert refused(answer) == (400, "invalid_request")
    assert answer.json["error"]["message"] == "tools.invoke requires body.tool"
    failed = await invoke(there, tool="read", args={"path": "nothing.txt"})
    assert refused(failed) == (400, "tool_error")
    assert "nothing.txt" in failed.json["error"]["message"]
    assert (await invoke(there, tool="read", args=[1])).error["param"] == "args"
    assert (await invoke(there, tool="read", agentId="nobody")).error["code"] == "agent_not_found"
    assert (await invoke(there, tool="read", sessionKey="subagent:x")).status == 400
    assert (await invoke(there, headers={"Authorization": "Bearer no"}, tool="read")).status == 401


@pytest.mark.promise("tools-invoke-dry")
async def test_a_dry_run_does_nothing(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url, {"gateway": {"tools": {"allow": ["write"]}}})
    made = tmp_path / "workspace" / "made.txt"
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        args = {"path": "made.txt", "content": "x"}
        dry = await invoke(gateway, tool="write", args=args, dryRun=True)
        assert dry.json == {"ok": True, "result": {"content": [], "details": {"dryRun": True}}}
        assert not made.exists()
        assert refused(await invoke(gateway, tool="nosuch", dryRun=True)) == (404, "not_found")
        text(await invoke(gateway, tool="write", args=args))
    assert made.read_text() == "x"


async def test_action_is_an_argument_where_there_is_one(models: ModelServer) -> None:
    config = model_config(models.base_url, {"gateway": {"tools": {"allow": ["process"]}}})
    async with running_gateway(config) as gateway:
        listed = text(await invoke(gateway, tool="process", action="list"))
        assert listed == text(await invoke(gateway, tool="process", action="kill", args={"action": "list"}))
        # One that has none is not given any.
        assert text(await invoke(gateway, tool="ls", action="list")) is not None


async def test_a_named_call_is_made_once(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url, {**FULL, "gateway": {"tools": {"allow": ["exec"]}}})
    async with running_gateway(config, state_dir=tmp_path, environ={"PATH": os.environ["PATH"]}) as gateway:
        named = {"Idempotency-Key": "once"}
        args = {"command": "echo x >> count; wc -l < count"}
        first = await invoke(gateway, named, tool="exec", args=args)
        again = await invoke(gateway, named, tool="exec", args=args)
        assert text(first) == text(again)
        other = await invoke(gateway, named, tool="exec", args={"command": "true"})
        assert other.status == 422


async def test_what_has_no_effect_is_named(there: RunningGateway) -> None:
    wish = {"x-openclaw-model": "mock/mock-echo", "x-openclaw-detach": "true"}
    answer = await invoke(there, wish, tool="ls", dryRun=True, sessionKey="a", confirm=True)
    assert answer.status == 200
    ignored = answer.headers["x-openclaw-ignored-params"]
    assert ignored == "confirm, x-openclaw-detach, x-openclaw-model"
    assert not {"x-openclaw-session-key", "x-openclaw-model"} & {name.lower() for name in answer.headers}
