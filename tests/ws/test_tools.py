"""`tools.catalog` and `tools.effective`: which tools there are, and which an agent has."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import aiohttp

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import connected

AGENTS = {
    "agents": {
        "list": [
            {"id": "main", "default": True, "tools": {"deny": ["exec"]}},
            {"id": "talker", "tools": {"profile": "minimal"}},
            {"id": "lister", "tools": {"allow": ["read"]}},
        ]
    }
}


def ids(groups: list[dict[str, Any]], group: str) -> list[str]:
    return [tool["id"] for one in groups if one["id"] == group for tool in one["tools"]]


async def offered(gateway: RunningGateway, models: ModelServer, tool: str) -> None:
    """The start does not wait for a server: until it has answered, its tools are not there."""
    body = {"model": "openclaw", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {gateway.token}"}
    url = f"{gateway.base_url}/chat/completions"
    async with aiohttp.ClientSession(headers=headers) as client, asyncio.timeout(30):
        names: set[str] = set()
        while tool not in names:
            async with client.post(url, json=body) as answer:
                assert answer.status == 200
            names = {each["function"]["name"] for each in models.requests[-1].body["tools"]}


async def test_an_agent_has_what_the_policy_leaves(models: ModelServer) -> None:
    async with (
        running_gateway(model_config(models.base_url, AGENTS)) as gateway,
        connected(gateway) as peer,
    ):
        main = await peer.result("tools.effective", {"sessionKey": "main"})
        talker = await peer.result("tools.effective", {"sessionKey": "agent:talker:chat"})
        lister = await peer.result("tools.effective", {"sessionKey": "chat", "agentId": "lister"})
        named = await peer.result("agents.tools", {"agentId": "main"})
        catalog = await peer.result("tools.catalog", {"agentId": "main"})
    assert (main["agentId"], main["profile"]) == ("main", "coding")
    assert ids(main["groups"], "core") == named["tools"]
    assert "read" in named["tools"]
    assert "exec" not in named["tools"]
    assert (talker["agentId"], talker["profile"]) == ("talker", "minimal")
    assert ids(talker["groups"], "core") == ["session_status"]
    assert (lister["profile"], ids(lister["groups"], "core")) == ("full", ["read"])
    (read,) = lister["groups"][0]["tools"]
    assert (read["description"], read["source"]) == ("Read a file", "core")
    assert read["rawDescription"] != read["description"]
    assert [profile["id"] for profile in catalog["profiles"]] == ["minimal", "coding", "messaging", "full"]
    tools = {tool["id"]: tool for group in catalog["groups"] for tool in group["tools"]}
    assert "exec" in ids(catalog["groups"], "runtime")
    assert tools["read"]["description"] == "Read a file"
    assert tools["exec"]["defaultProfiles"] == ["coding", "full"]
    assert tools["web_fetch"]["defaultProfiles"] == ["full"]
    assert tools["session_status"]["defaultProfiles"] == ["minimal", "coding", "messaging", "full"]


async def test_what_a_server_brings_stands_apart(models: ModelServer, tmp_path: Path) -> None:
    server = Path(__file__).parent.parent / "tools" / "mcp_server.py"
    config = {"mcp": {"servers": {"demo": {"command": sys.executable, "args": [str(server)]}}}}
    async with (
        running_gateway(model_config(models.base_url, config), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        await offered(gateway, models, "mcp__demo__add")
        groups = (await peer.result("tools.effective", {"sessionKey": "main"}))["groups"]
        catalog = await peer.result("tools.catalog", {})
        without = await peer.result("tools.catalog", {"includePlugins": False})
    assert "mcp__demo__add" in ids(groups, "mcp")
    assert not any(name.startswith("mcp__") for name in ids(groups, "core"))
    assert ids(catalog["groups"], "mcp") == ids(groups, "mcp")
    assert ids(without["groups"], "mcp") == []
    (brought,) = [group for group in catalog["groups"] if group["id"] == "mcp"]
    assert brought["tools"][0]["defaultProfiles"] == ["coding", "messaging", "full"]
