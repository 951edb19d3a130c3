"""`gateway install`, `start`, `stop`, `restart`, `logs`, `uninstall`, as a service that a manager runs."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.cli.conftest import Done, Program
from tests.cli.managers.installed import own_systemd, stand_in

pytestmark = pytest.mark.promise("service")
INSTALL = ("install", "--port", "0")


@pytest.fixture(params=["systemd", "launchd", "own systemd"])
async def served(
    request: pytest.FixtureRequest, program: Program, models: ModelServer, tmp_path: Path
) -> AsyncIterator[Program]:
    """A configured program, for which there is a manager; a strange name is in every path."""
    program.state = program.home / "st 100% $HOME"
    program.state.mkdir(mode=0o700)
    program.environ["OPENCLAW_STATE_DIR"] = str(program.state)
    program.configure(model_config(models.base_url, model="m"))
    if request.param == "own systemd":
        async with own_systemd(program, tmp_path):
            yield program
    elif request.param == "systemd":
        with stand_in(program, tmp_path, "systemctl", "journalctl", "loginctl"):
            yield program
    else:
        with stand_in(program, tmp_path, "launchctl"):
            yield program


@pytest.fixture
async def managed(
    program: Program, models: ModelServer, tmp_path: Path
) -> AsyncIterator[tuple[Program, Path]]:
    """The same with the stand-in for systemd, and what it knows."""
    program.configure(model_config(models.base_url, model="m"))
    with stand_in(program, tmp_path, "systemctl", "journalctl", "loginctl") as keeps:
        yield program, keeps


async def _ok(program: Program, *words: str) -> Done:
    done = await program.run("gateway", *words, "--json")
    assert (done.code, done.json["ok"]) == (0, True), done
    return done


async def _refused(program: Program, code: str, *words: str) -> str:
    done = await program.run("gateway", *words, "--json")
    assert (done.json["ok"], done.json["error"]["code"]) == (False, code), done
    return str(done.json["error"]["message"])


def _file(state: dict[str, str]) -> Path:
    return Path(state["path"])


async def test_a_whole_life(served: Program, models: ModelServer) -> None:
    models.script("m", says("One."), says("Two."))
    await _refused(served, "service_not_installed", "start")
    await _refused(served, "service_not_installed", "restart")
    message = await _refused(served, "service_not_installed", "uninstall")
    assert message.startswith("No service is installed: there is no ")
    installed = (await _ok(served, *INSTALL)).json
    state = installed["service"]
    assert (state["installed"], state["enabled"], state["running"], state["troubles"]) == (
        True,
        True,
        True,
        [],
    )
    assert _file(state).stat().st_mode & 0o777 == 0o600
    assert (await served.run("agent", "hi")).out == "One.\n"

    status = (await _ok(served, "status")).json
    assert (status["service"], status["gateway"]["pid"]) == (state, state["pid"])
    assert status["gateway"]["url"] == installed["url"]
    assert "installed, enabled, running" in (await served.run("status")).out
    assert (await _ok(served, "start")).json["service"]["pid"] == state["pid"]
    again = (await _ok(served, "restart")).json["service"]
    assert again["running"]
    assert again["pid"] != state["pid"]
    assert (await served.run("agent", "hi")).out == "Two.\n"

    stopped = (await _ok(served, "stop")).json
    assert (stopped["pid"], stopped["service"]) == (again["pid"], state["name"])
    state = (await _ok(served, "status")).json["service"]
    assert (state["installed"], state["enabled"], state["running"], state["troubles"]) == (
        True,
        True,
        False,
        [],
    )
    await _refused(served, "gateway_unreachable", "stop")
    assert (await _ok(served, "start")).json["service"]["running"]
    assert not (await _ok(served, "uninstall")).json["service"]["installed"]
    assert not _file(state).exists()
    assert (await _ok(served, "status")).json["service"]["troubles"] == []
    assert (served.state / "openclaw.json").exists()


async def test_installed_again_it_goes_by_what_is_so_now(served: Program) -> None:
    first = (await _ok(served, *INSTALL)).json["service"]
    second = (await _ok(served, *INSTALL, "--no-start")).json["service"]
    assert second["pid"] == first["pid"] or not second["running"]
    third = (await _ok(served, *INSTALL)).json["service"]
    assert third["running"]
    assert third["pid"] != first["pid"]
    await _ok(served, "uninstall")


async def test_one_that_cannot_start_says_why(served: Program) -> None:
    await _ok(served, *INSTALL, "--no-start")
    served.configure("{ gateway: { port: false } }")
    done = await served.run("gateway", "start")
    assert done.code == 1
    assert "exit code 78: the configuration is wrong" in " ".join(done.err.split())
    shown = (await served.run("status")).out
    assert "exit code 78" in shown
    await _ok(served, "uninstall")


async def test_the_log_is_that_of_the_service(managed: tuple[Program, Path], models: ModelServer) -> None:
    program, _ = managed
    models.script("m", says("One."), says("Two."))
    await _ok(program, *INSTALL)
    assert (await program.run("agent", "hi")).code == 0
    lines = (await program.run("gateway", "logs", "--agent", "main")).out
    assert "run.ended" in lines
    following = await program.start("gateway", "logs", "-f", "--session", "later")
    assert (await program.run("agent", "hi", "--session-key", "later")).code == 0
    await following.says("run.ended")
    following.signal(signal.SIGINT)
    assert (await following.ends()).code == 130
    await _ok(program, "uninstall")


async def test_it_is_said_that_it_ends_with_the_login(managed: tuple[Program, Path]) -> None:
    program, _ = managed
    done = await program.run("gateway", *INSTALL, "--no-start")
    assert "loginctl enable-linger" in done.err


@pytest.mark.promise("error.service_unsupported")
async def test_where_there_is_no_manager(managed: tuple[Program, Path]) -> None:
    program, keeps = managed
    (keeps / "no-bus").touch()
    for verb in (INSTALL, ("uninstall",), ("start",), ("restart",)):
        message = await _refused(program, "service_unsupported", *verb)
        assert "Failed to connect to bus" in message
        assert "docker run --restart" in message
    assert (await _ok(program, "status")).json["service"] is None
    assert "No gateway runs" in await _refused(program, "service_unsupported", "start")
    gateway = await program.gateway()
    for word in ("start", "restart"):
        message = await _refused(program, "service_unsupported", word)
        assert message.startswith("No service is installed.")
        assert f"(pid {gateway.pid}) was started by hand" in message
    assert (await _ok(program, "stop")).json == {"ok": True, "pid": gateway.pid, "service": None}


@pytest.mark.promise("error.service_environment")
async def test_variables_of_the_terminal_alone(managed: tuple[Program, Path], models: ModelServer) -> None:
    program, _ = managed
    config = model_config(models.base_url, {"gateway": {"auth": {"token": "${MY_TOKEN}"}}}, model="m")
    program.configure(config)
    program.environ["MY_TOKEN"] = "a-token-of-more-than-sixteen"
    message = await _refused(program, "service_environment", *INSTALL)
    assert "MY_TOKEN" in message
    assert str(program.state / ".env") in message
    await _refused(program, "service_environment", *INSTALL, "--env", "NOT_SET")
    assert (await _ok(program, *INSTALL, "--env", "MY_TOKEN")).json["service"]["running"]
    assert (program.state / ".env").read_text() == "MY_TOKEN=a-token-of-more-than-sixteen\n"
    await _ok(program, "uninstall")
    config["gateway"]["auth"] = {}
    program.configure(config)
    assert "new token at each start" in await _refused(program, "service_environment", *INSTALL)
    assert "a-token" not in (await program.run("gateway", *INSTALL)).err


@pytest.mark.promise("error.service_foreign")
async def test_the_file_of_another_program_stays(managed: tuple[Program, Path]) -> None:
    program, _ = managed
    state = (await _ok(program, *INSTALL, "--no-start")).json["service"]
    file = _file(state)
    file.write_text("[Service]\nExecStart=/usr/bin/node /lib/openclaw/dist/index.js gateway\n")
    for verb in (INSTALL, ("uninstall",)):
        await _refused(program, "service_foreign", *verb)
    assert "not written by this program" in (await _ok(program, "status")).json["service"]["troubles"][0]
    assert "node" in file.read_text()


@pytest.mark.promise("error.service_not_installed")
async def test_what_is_half_installed_is_told(managed: tuple[Program, Path]) -> None:
    program, _ = managed
    state = (await _ok(program, *INSTALL)).json["service"]
    file = _file(state)
    text = file.read_text()
    link = file.parent / "default.target.wants" / file.name

    async def trouble() -> str:
        return " ".join((await _ok(program, "status")).json["service"]["troubles"])

    file.write_text(text.replace("RestartSec=5", "RestartSec=6"))
    assert "daemon-reload" in await trouble()
    file.write_text(text)
    link.unlink()
    assert "does not start by itself" in await trouble()
    link.symlink_to(file)
    file.write_text(text.replace('ExecStart="', 'ExecStart="/gone'))
    assert "is not there any more" in await trouble()
    file.unlink()
    assert "its file" in await trouble()
    message = await _refused(program, "service_not_installed", "start")
    assert "its file" in message
    assert "by hand" not in message, "it is the service that runs"
    assert (await _ok(program, "stop")).json["pid"] == state["pid"]
    assert "still enabled" in await trouble()
    assert not (await _ok(program, "uninstall")).json["service"]["enabled"]
    assert await trouble() == ""


@pytest.mark.promise("error.service_failed")
async def test_beside_one_that_runs_in_a_terminal(managed: tuple[Program, Path]) -> None:
    program, _ = managed
    gateway = await program.gateway()
    message = await _refused(program, "service_not_installed", "restart")
    assert f"(pid {gateway.pid}) was started by hand: end it with `openclaw gateway stop`" in message
    done = (await _ok(program, *INSTALL)).json
    assert (done["url"], done["service"]["running"]) == (None, False)
    assert f"(pid {gateway.pid})" in done["notices"][0]
    assert "is not this service" in (await program.run("status")).out
    await _refused(program, "already_running", "start")
    restarted = (await _ok(program, "restart")).json["service"]
    assert (await gateway.ends()).code == 0
    os.kill(restarted["pid"], signal.SIGKILL)
    (program.state / "openclaw.json").write_text("{")
    assert "exit code 78" in await _refused(program, "service_failed", "start")
