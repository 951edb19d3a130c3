"""`logs`: the file, filtered and followed. `doctor`: what is wrong, each with what to do."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import ModelServer, fails, says
from tests.cli.conftest import Program


@pytest.fixture
def logged(program: Program, models: ModelServer, tmp_path: Path) -> Path:
    """The log file of a gateway that is configured to have one."""
    path = tmp_path / "log"
    program.configure(model_config(models.base_url, {"logging": {"file": str(path)}}, model="m"))
    return path


@pytest.mark.promise("logs")
async def test_logs_shows_what_is_wanted_and_what_comes(
    program: Program, models: ModelServer, logged: Path
) -> None:
    models.script("m", says("One."), fails(401), says("Three."))
    await program.gateway()
    assert (await program.run("agent", "hi")).code == 0
    assert (await program.run("agent", "hi", "--session-key", "other")).code == 1
    lines: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        # A client hears of the end before the log does.
        while not lines:
            done = await program.run("logs", "--session", "other", "--json", "--level", "info")
            lines = [msgspec.json.decode(line) for line in done.out.splitlines()]
    assert {line["session"] for line in lines} == {"agent:main:other"}
    (ended,) = [line for line in lines if line["event"] == "run.ended"]
    of_run = (await program.run("logs", "--run", ended["run"][-12:], "--level", "warning")).out.splitlines()
    assert any("run.ended" in line and "status=failed" in line for line in of_run)
    assert ended["request"]
    of_request = (await program.run("logs", "--request", ended["request"])).out
    assert "model.call_failed" in of_request
    assert "run.ended" in of_request
    assert len((await program.run("logs", "-n", "1")).out.splitlines()) == 1
    following = await program.start("logs", "-f", "-n", "1")
    await following.says("run.ended")
    await asyncio.to_thread(logged.rename, logged.with_name("moved"))
    assert (await program.run("agent", "hi", "--session-key", "third")).code == 0
    await following.says("session=agent:main:third")


@pytest.mark.promise("error.log_missing")
async def test_without_a_file_it_says_how_to_have_one(configured: Program) -> None:
    done = await configured.run("logs", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "log_missing")
    assert "config set logging.file" in done.json["error"]["message"]


async def _findings(program: Program, *words: str) -> tuple[int, dict[str, str]]:
    done = await program.run("doctor", "--json", *words)
    assert done.json["ok"] is (done.code == 0)
    found = {finding["check"]: finding["verdict"] for finding in reversed(done.json["findings"])}
    return done.code, found


@pytest.mark.promise("doctor")
async def test_doctor_finds_nothing_where_all_is_well(configured: Program, models: ModelServer) -> None:
    models.script("m", says("One."))
    await configured.gateway()
    assert (await configured.run("agent", "hi")).code == 0
    code, found = await _findings(configured)
    assert code == 0
    assert {"models", "gateway", "store"} <= found.keys()
    assert "wrong" not in found.values()
    shown = (await configured.run("doctor")).out
    assert "sessions.sqlite is whole" in shown
    assert (await configured.run("agent", "hi")).code == 0, "looking has done it no harm"


@pytest.mark.promise("doctor")
async def test_doctor_names_each_thing_that_is_wrong(configured: Program) -> None:
    (configured.state / "gateway").mkdir(mode=0o700)
    (configured.state / "gateway" / "sessions.sqlite").write_bytes(b"no database" * 1000)
    (configured.state / "openclaw.json").chmod(0o644)
    overlay = configured.configure({"agents": {"defaults": {"model": "nvidia/x"}}}, "openclaw-gateway.json")
    with socket.create_server(("127.0.0.1", 0)) as other:
        configured.environ["OPENCLAW_GATEWAY_PORT"] = str(other.getsockname()[1])
        code, found = await _findings(configured)
        assert (code, found["store"], found["port"], found["rights"]) == (1, "wrong", "wrong", "warning")
    _, found = await _findings(configured, "--fix")
    assert found["rights"] == "ok"
    assert (configured.state / "openclaw.json").stat().st_mode & 0o777 == 0o600
    overlay.write_text("{ gateway: 3 }")
    code, found = await _findings(configured)
    assert (code, found["config"]) == (1, "wrong")


async def test_where_no_gateway_runs_the_last_one_is_named_and_what_starts_one(configured: Program) -> None:
    done = await configured.run("doctor")
    assert "It does not run. `openclaw gateway run` starts it" in done.out
    gateway = await configured.gateway()
    del configured.environ["OPENCLAW_GATEWAY_PORT"]
    url = gateway.row("gateway")
    assert (await configured.run("gateway", "stop")).code == 0
    done = await configured.run("doctor")
    assert (done.code, f"The last one was at {url}. `openclaw gateway run`" in done.out) == (0, True)
    assert f"the last one was at {url}" in (await configured.run("status")).out
    assert (await configured.run("status", "--json")).json["gateway"]["lastUrl"] == url
    for words in (("health",), ("agent", "hi"), ("sessions",)):
        assert f"the last one was at {url}" in " ".join((await configured.run(*words)).err.split())
