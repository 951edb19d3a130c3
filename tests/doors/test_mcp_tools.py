"""Tools of MCP servers in runs over HTTP, and what a run sees when a server dies in the middle of a call."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.client.connection import GatewayClient
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import say
from tests.doors.tool_replies import calls

SMALL = {"command": sys.executable, "args": [str(Path(__file__).parents[1] / "tools" / "mcp_server.py")]}


@asynccontextmanager
async def gateway_with(models: ModelServer, **servers: Any) -> AsyncIterator[RunningGateway]:
    """A gateway whose agents have the tools of all these servers."""
    config = model_config(models.base_url, {"mcp": {"servers": servers}})
    async with running_gateway(config, environ={"PATH": os.environ["PATH"]}) as gateway:
        async with asyncio.timeout(60):
            # Its start waits for no server: until all have answered, an agent has fewer tools.
            while {name.split("__")[1] for name in offered(models) if "__" in name} != set(servers):
                await say(gateway, "what have you got?")
        yield gateway


def offered(models: ModelServer) -> set[str]:
    """The names of the tools that the model was last offered."""
    tools = models.requests[-1].body.get("tools", []) if models.requests else []
    return {tool["function"]["name"] for tool in tools}


def results(models: ModelServer) -> list[str]:
    return [message["content"] for message in models.requests[-1].messages if message["role"] == "tool"]


async def test_a_server_that_dies_during_a_call_is_back_for_the_next(models: ModelServer) -> None:
    async with gateway_with(models, small=SMALL) as gateway:
        pid = ("p", "mcp__small__pid", "{}")
        die = ("d", "mcp__small__die", "{}")
        models.script("mock-echo", calls(pid), calls(die), calls(pid), says("It came back."))
        assert (await say(gateway, "kill it")).content == "It came back."
    before, died, after = results(models)
    assert "went away during the call" in died
    assert before.isdecimal()
    assert after.isdecimal()
    assert before != after


ODD = {"command": sys.executable, "args": [str(Path(__file__).parents[1] / "tools" / "odd_mcp_server.py")]}


@pytest.mark.promise("tools-fitted")
async def test_a_server_of_odd_schemas_costs_only_the_tools_that_cannot_be(tmp_path: Path) -> None:
    """Of thirty-two tools three have no name; the strictest vendors take all the others, and they work."""
    apis = {"acme": "openai-completions", "claude": "anthropic-messages", "gemini": "google-generative-ai"}
    async with ModelServer() as models:
        for name, api in apis.items():
            provider = {
                "baseUrl": models.base_url,
                "apiKey": "k",
                "api": api,
                "models": [{"id": f"m-{name}"}],
            }
            more = {
                "models": {"providers": {name: provider}},
                "agents": {"defaults": {"model": f"{name}/m-{name}"}},
                "mcp": {"servers": {"odd": ODD}},
            }
            config = model_config(models.base_url, more)
            async with running_gateway(
                config, state_dir=tmp_path, environ={"PATH": os.environ["PATH"]}
            ) as gateway:
                async with asyncio.timeout(60):
                    seen = ""
                    while "odd__last" not in seen:
                        assert (await say(gateway, "what have you got?")).status == 200
                        seen = str(models.requests[-1].body)
        sent = [request.body for request in models.requests if "odd__last" in str(request.body)]
    assert [names_of(body) for body in sent] == [29] * len(apis)


async def test_what_is_left_out_of_a_server_is_told(models: ModelServer) -> None:
    async with (
        gateway_with(models, odd=ODD) as gateway,
        GatewayClient(gateway.ws_url, token=gateway.token) as client,
    ):
        status = await client.request("status")
        tools = await client.request("agents.tools", {"agentId": "main"})
    (server,) = status["mcp"]
    assert (server["name"], server["connected"], server["tools"]) == ("odd", True, 29)
    assert server["leftOut"] == [{"tool": "", "reason": "it has no name"}] * 3
    assert {"read", "mcp__odd__last"} <= set(tools["tools"])
    assert tools["leftOut"] == []


def names_of(body: Any) -> int:
    tools = body["tools"]
    if "functionDeclarations" in tools[0]:
        tools = tools[0]["functionDeclarations"]
    return sum("odd__" in (tool.get("name") or tool["function"]["name"]) for tool in tools)


async def test_odd_arguments_and_answers_of_a_server_arrive(models: ModelServer) -> None:
    async with gateway_with(models, odd=ODD) as gateway:
        models.script(
            "mock-echo",
            calls(
                ("a", "mcp__odd__odd_8", '{"file_path": "x"}'),
                ("b", "mcp__odd__odd_21", '{"a": {"b_c": "y"}}'),
                ("c", "mcp__odd__promises", "{}"),
                ("d", "mcp__odd__shows", "{}"),
            ),
            says("Seen."),
        )
        assert (await say(gateway, "go")).content == "Seen."
    path, nested, promised, shown = results(models)
    assert path == '{"file path": "x"}'
    assert nested == '{"a": {"b c": "y"}}'
    assert promised == '{"other": true}'
    assert shown == '{"n": 1}'
    picture = models.requests[-1].messages[-1]
    assert picture["role"] == "user"
    assert [part["type"] for part in picture["content"]] == ["text", "image_url"]
