"""A command that a gateway of a profile advises is meant for this gateway: it has the profile in it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from openclaw_gateway.config.brands import typed
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import say
from tests.doors.test_approvals import told
from tests.doors.test_commands import runs
from tests.doors.tool_replies import calls
from tests.ws.device import Device, asking, challenge
from tests.ws.peer import connected, dial
from tests.ws.test_pairing import ELSEWHERE

TYPED = "openclaw --profile work"


@pytest.fixture
async def of_a_profile(models: ModelServer, tmp_path: Path) -> AsyncIterator[RunningGateway]:
    settings = {
        "devices": {"pairing": True},
        "trustedProxies": ["127.0.0.1"],
        "controlUi": {"enabled": False},
    }
    environ = {
        "OPENCLAW_STATE_DIR": "",
        "OPENCLAW_HOME": str(tmp_path),
        "OPENCLAW_PROFILE": "work",
        "PATH": os.environ["PATH"],
    }
    config = model_config(models.base_url, {"gateway": settings})
    async with running_gateway(config, state_dir=tmp_path / ".openclaw-work", environ=environ) as gateway:
        yield gateway


async def test_to_the_model_and_in_approvals(
    of_a_profile: RunningGateway, models: ModelServer, tmp_path: Path
) -> None:
    models.script("mock-echo", calls(runs("touch made")), says("Done."), calls(runs("ls")), says("Done."))
    await say(of_a_profile, "go")
    assert f"the operator types: {TYPED} approvals allow touch --agent main" in told(models).replace("'", "")
    async with connected(of_a_profile) as peer:
        file = {"version": 1, "agents": {"main": {"allowlist": [{"pattern": "python3"}]}}}
        error = await peer.error("exec.approvals.set", {"file": file})
        assert f"{TYPED} approvals allow … --yes" in error["message"]
        (tmp_path / ".openclaw-work" / "gateway" / "exec-approvals.json").write_text("{broken")
        error = await peer.error("exec.approvals.get")
        assert f"`{TYPED} approvals list`" in error["message"]
    await say(of_a_profile, "go")
    assert f"`{TYPED} approvals list` says why" in told(models)


async def test_to_a_device_and_on_the_start_page(of_a_profile: RunningGateway) -> None:
    async with dial(of_a_profile.ws_url, headers=ELSEWHERE) as peer:
        error = await peer.error("connect", Device().signed(asking(of_a_profile), await challenge(peer)))
        details = error["details"]
        advised = f"On the gateway's machine: {TYPED} devices approve {details['requestId']}"
        assert details["remediationHint"] == advised
    async with aiohttp.ClientSession(of_a_profile.url) as session, session.get("/") as response:
        page = await response.text()
    assert f"{TYPED} config set gateway.http.endpoints.messages.enabled true" in page
    assert f"<code>{TYPED} status</code>" in page


@pytest.mark.parametrize(
    ("environ", "program"),
    [
        ({}, "openclaw"),
        ({"OPENCLAW_PROFILE": "Default"}, "openclaw"),
        ({"CLAWDBOT_PROFILE": "work"}, TYPED),
        # Then the profile says nothing of where the files are, and might not even be usable as a name.
        ({"OPENCLAW_PROFILE": "a b", "OPENCLAW_STATE_DIR": "/srv/gateway"}, "openclaw"),
    ],
)
def test_which_profile_is_named(environ: dict[str, str], program: str) -> None:
    assert typed(environ) == program
