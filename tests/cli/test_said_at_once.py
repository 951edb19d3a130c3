"""What a command says at once, where a person would else wonder."""

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.conftest import Program


async def test_logs_that_find_nothing_say_so(program: Program, models: ModelServer) -> None:
    log = program.home / "gateway.log"
    log.write_text("")
    program.configure(model_config(models.base_url, {"logging": {"file": str(log)}}))
    done = await program.run("logs")
    assert (done.code, done.out) == (0, "")
    assert "The log has no line yet." in done.err
    assert "No line of the log fits." in (await program.run("logs", "--run", "nosuch")).err


async def test_an_unknown_agent_is_the_same_error_as_over_http(program: Program, models: ModelServer) -> None:
    program.configure(model_config(models.base_url))
    await program.gateway()
    error = (await program.run("agent", "hi", "--agent", "nosuch", "--json")).json["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "agent_not_found")
