"""Tools of MCP servers in runs over HTTP, and what a run sees when a server dies in the middle of a call."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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
