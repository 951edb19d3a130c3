"""What a command that fails says with `--json`: the codes that scripts tell failures apart by."""

import pytest

from tests.cli.conftest import Program

ASK = ("agent", "--local", "-m", "hi", "--json")


@pytest.mark.promise("error.config_invalid")
async def test_a_wrong_configuration(program: Program) -> None:
    program.configure('{ gateway: { port: "x" } }')
    done = await program.run(*ASK)
    assert (done.code, done.json["error"]["code"]) == (78, "config_invalid")
    assert "gateway.port" in done.json["error"]["message"]


@pytest.mark.promise("error.startup_failed")
async def test_a_state_directory_that_cannot_be(configured: Program) -> None:
    (configured.state / "gateway").write_text("not a folder")
    done = await configured.run(*ASK)
    assert (done.code, done.json["error"]["code"]) == (73, "startup_failed")
    assert "OPENCLAW_STATE_DIR" in done.json["error"]["message"]


@pytest.mark.promise("error.already_running", "terminal-local")
async def test_beside_a_gateway(configured: Program) -> None:
    await configured.gateway()
    done = await configured.run(*ASK)
    assert (done.code, done.json["error"]["code"]) == (1, "already_running")


@pytest.mark.promise("error.gateway_unreachable")
@pytest.mark.parametrize("words", [("health", "--json"), ("agent", "-m", "hi", "--json")])
async def test_where_nobody_listens(configured: Program, words: tuple[str, ...]) -> None:
    done = await configured.run(*words, OPENCLAW_GATEWAY_PORT="1")
    assert (done.code, done.json["error"]["code"]) == (1, "gateway_unreachable")


@pytest.mark.promise("error.approvals_unwritable")
async def test_approvals_that_cannot_be_written(program: Program) -> None:
    (program.state / "gateway" / "exec-approvals.lock").mkdir(parents=True)
    done = await program.run("approvals", "allow", "npm", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "approvals_unwritable")
