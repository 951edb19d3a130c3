"""`mcp.status`: how each server is, and nothing of what it was started with."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import Peer, connected

SECRET = "sk-of-the-server-0123456789"
SERVER = Path(__file__).parent.parent / "tools" / "mcp_server.py"


async def settled(peer: Peer, name: str) -> dict[str, dict[str, Any]]:
    """Once the server is no longer on its way."""
    async with asyncio.timeout(30):
        while True:
            servers = {one["name"]: one for one in (await peer.result("mcp.status"))["servers"]}
            if servers[name]["lastError"] != "starting":
                return servers
            await asyncio.sleep(0.05)


async def test_each_server_stands_for_itself(models: ModelServer, tmp_path: Path) -> None:
    failing = {
        "command": sys.executable,
        "args": ["-c", "import os, sys; sys.exit('with ' + os.environ['TOKEN'])"],
        "env": {"TOKEN": SECRET},
    }
    demo = {
        "command": sys.executable,
        "args": [str(SERVER)],
        "env": {"TOKEN": SECRET},
        "toolFilter": {"include": ["add"]},
    }
    off = {"url": f"http://127.0.0.1:9/{SECRET}", "enabled": False}
    config = {"mcp": {"servers": {"demo": demo, "failing": failing, "off": off}}}
    async with (
        running_gateway(model_config(models.base_url, config), state_dir=tmp_path) as gateway,
        connected(gateway) as peer,
    ):
        await settled(peer, "failing")
        servers = await settled(peer, "demo")
    assert list(servers) == ["demo", "failing", "off"]
    assert (servers["demo"]["connected"], servers["demo"]["lastError"]) == (True, None)
    assert servers["demo"]["tools"] == ["mcp__demo__add"]
    assert servers["failing"]["connected"] is False
    assert servers["failing"]["lastError"]
    assert (servers["off"]["enabled"], servers["off"]["transport"], servers["off"]["lastError"]) == (
        False,
        "http",
        None,
    )
    said = msgspec.json.encode(list(servers.values())).decode()
    assert SECRET not in said
    assert str(SERVER.parent) not in said


async def test_without_servers(peer: Peer) -> None:
    assert await peer.result("mcp.status", {"whatever": 1}) == {"servers": []}
