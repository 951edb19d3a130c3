"""This program's commands at a gateway elsewhere that lets in approved devices alone."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from openclaw_gateway.testing.gateway import TOKEN, model_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.conftest import Done, Program
from tests.cli.elsewhere import from_elsewhere

PAIRING = {"gateway": {"devices": {"pairing": True}, "trustedProxies": ["127.0.0.1"]}}


class Elsewhere:
    """The same program on another machine: with a state directory of its own."""

    def __init__(self, program: Program, url: str, **environ: str) -> None:
        self._program, self._url = program, url
        self.state = program.home / "elsewhere"
        self._environ = {**environ, "OPENCLAW_STATE_DIR": str(self.state)}

    async def run(self, *words: str) -> Done:
        return await self._program.run(*words, "--url", self._url, "--token", TOKEN, **self._environ)

    @property
    def key(self) -> Path:
        return self.state / "gateway" / "client-device.pem"


@asynccontextmanager
async def asking_for_devices(
    program: Program, models: ModelServer, **environ: str
) -> AsyncIterator[Elsewhere]:
    program.configure(model_config(models.base_url, PAIRING))
    port = urlsplit((await program.gateway()).row("gateway")).port
    assert port is not None
    async with from_elsewhere(port) as url:
        yield Elsewhere(program, url, **environ)


async def waiting(program: Program) -> dict[str, Any]:
    (one,) = (await program.run("devices", "list", "--json")).json["pending"]
    request: dict[str, Any] = one
    return request


@pytest.mark.promise("client-device")
async def test_a_terminal_elsewhere_is_let_in_once_it_is_approved(
    program: Program, models: ModelServer
) -> None:
    async with asking_for_devices(program, models) as remote:
        refused = await remote.run("sessions", "list")
        request = await waiting(program)
        assert refused.code == 1
        assert f"openclaw devices approve {request['requestId']}" in refused.err
        assert stat.S_IMODE(remote.key.stat().st_mode) == 0o600
        shown = await program.run("devices", "approve", "--latest")
        assert request["requestId"] in shown.out
        assert request["deviceId"] in shown.out
        assert (await waiting(program))["requestId"] == request["requestId"]
        assert (await program.run("devices", "approve", request["requestId"])).code == 0
        assert (await remote.run("sessions", "list")).code == 0

        # What asks for more is asked about anew, and it is the same device.
        refused = await remote.run("agent", "hi", "--json")
        assert (refused.code, refused.json["error"]["code"]) == (1, "not_paired")
        assert "for more than it was approved for" in refused.json["error"]["message"]
        request = await waiting(program)
        assert (await program.run("devices", "approve", request["requestId"])).code == 0
        assert (await remote.run("agent", "hi")).out == "hi\n"
        (known,) = (await program.run("devices", "list", "--json")).json["paired"]
        assert known["deviceId"] == request["deviceId"]
        await program.run("devices", "revoke", known["deviceId"])
        assert (await remote.run("sessions", "list")).code == 1
    done = await program.run("devices", "reject", (await waiting(program))["requestId"])
    assert done.code == 0
    assert (await program.run("devices", "approve")).out == "No device waits to be approved.\n"


async def test_without_the_package_that_signs_it_is_named(program: Program, models: ModelServer) -> None:
    modules = program.home / "modules"
    modules.mkdir()
    (modules / "sitecustomize.py").write_text("import sys\nsys.modules['cryptography'] = None\n")
    async with asking_for_devices(program, models, PYTHONPATH=str(modules)) as remote:
        refused = await remote.run("sessions", "list")
        assert refused.code == 1
        assert "Install openclaw-gateway[devices] here" in refused.err
        assert not remote.key.exists()


@pytest.mark.promise("error.device_key_unusable")
async def test_a_key_that_is_none_is_said_and_left_as_it_is(program: Program, models: ModelServer) -> None:
    async with asking_for_devices(program, models) as remote:
        remote.key.parent.mkdir(parents=True)
        remote.key.write_text("no key")
        done = await remote.run("sessions", "list", "--json")
        assert (done.code, done.json["error"]["code"]) == (1, "device_key_unusable")
        assert remote.key.read_text() == "no key"


async def test_a_gateway_that_was_named_is_not_to_be_started_here(program: Program) -> None:
    for words in (["sessions", "list"], ["agent", "hi"]):
        done = await program.run(*words, "--url", "ws://127.0.0.1:9", "--token", "t")
        assert done.code == 1
        assert "Check the address" in done.err
        assert "openclaw gateway run" not in done.err
        assert "--local" not in done.err
