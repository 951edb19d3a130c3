"""OpenClaw's own client, @openclaw/gateway-client from npm, on its own Node: it talks with an agent."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from tests.clients.rooms import node
from tests.npm_packages import NotInstalled
from tests.ws.peer import connected

_HERE = Path(__file__).parent
_DEADLINE_S = 40


@contextlib.contextmanager
def _program() -> Iterator[tuple[str, Path]]:
    """Node, and the program beside its packages: there it looks for them."""
    try:
        runs, packages = node(_HERE / "npm-client")
    except NotInstalled as error:
        pytest.skip(f"OpenClaw's client cannot be had: {error}")
    with tempfile.TemporaryDirectory(dir=packages) as folder:
        yield runs, Path(shutil.copy(_HERE / "gateway_client.mjs", folder))


async def _said(gateway: RunningGateway, message: str) -> dict[str, Any]:
    """What the program prints. It sees nothing of the environment."""
    with _program() as (runs, program):
        process = await asyncio.create_subprocess_exec(
            runs,
            str(program),
            gateway.ws_url,
            gateway.token,
            message,
            env={},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_DEADLINE_S):
                out, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, errors.decode()
    told: dict[str, Any] = msgspec.json.decode(out)
    return told


def _text(message: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in message["content"])


async def test_openclaws_own_client_talks_with_an_agent(gateway: RunningGateway) -> None:
    told = await _said(gateway, "one two three")
    async with connected(gateway) as operator:
        (device,) = (await operator.result("device.pair.list"))["paired"]
    assert device["deviceId"] == told["deviceId"]
    assert device["scopes"] == ["operator.read", "operator.write"]
    assert told["greeting"]["protocol"] == 4
    assert told["sent"]["runId"] == "said-once"
    chat = [each["payload"] for each in told["events"] if each["event"] == "chat"]
    assert {each["runId"] for each in chat} == {"said-once"}
    assert chat[-1]["state"] == "final"
    assert _text(chat[-1]["message"]) == "one two three"
    assert "agent" in {each["event"] for each in told["events"]}
    said = [(each["role"], _text(each)) for each in told["history"]["messages"]]
    assert said == [("user", "one two three"), ("assistant", "one two three")]
    assert told["refused"]["code"] == "FORBIDDEN"
    assert "operator.admin" in told["refused"]["message"]
