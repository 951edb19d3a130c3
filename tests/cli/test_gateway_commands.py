"""`gateway stop`, `call`, `status`, `health`, and `completion`."""

import asyncio

import pytest

from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.cli.conftest import Program


async def test_stop_waits_for_the_runs_and_ends(configured: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("one ", Hold(gate), "two"))
    gateway = await configured.gateway()
    agent = await configured.start("agent", "hi")
    await agent.says("one ")
    stop = await configured.start("gateway", "stop")
    await gateway.says("draining", on="err")
    gate.set()
    done = await stop.ends()
    assert (done.code, done.out) == (0, f"The gateway (pid {gateway.pid}) is stopped.\n")
    assert (await agent.ends()).out == "one two\n"
    assert (await gateway.ends()).code == 0
    again = await configured.run("gateway", "stop", "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "gateway_unreachable")


@pytest.mark.promise("error.stop_timeout")
async def test_stop_says_when_runs_go_on(configured: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("one ", Hold(gate), "two"))
    await configured.gateway()
    agent = await configured.start("agent", "hi")
    await agent.says("one ")
    done = await configured.run("gateway", "stop", "--timeout", "1", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "stop_timeout")
    gate.set()
    assert (await agent.ends()).code == 0


async def test_call_gives_the_answer_or_the_gateways_own_error(configured: Program) -> None:
    await configured.gateway()
    done = await configured.run("gateway", "call", "agents.list", "--json")
    assert (done.code, done.json["ok"], done.json["result"]["defaultId"]) == (0, True, "main")
    assert '"defaultId": "main"' in (await configured.run("gateway", "call", "agents.list")).out
    done = await configured.run("gateway", "call", "no.such", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "unknown_method")
    done = await configured.run("gateway", "call", "health", "--params", "[1]")
    assert (done.code, done.out) == (2, "")


async def test_status_and_health_are_also_below_gateway(configured: Program) -> None:
    await configured.gateway()
    assert (await configured.run("gateway", "health", "--json")).json["ready"] is True
    assert (await configured.run("gateway", "status", "--json")).json["gateway"]["state"] == "ready"


async def test_sessions_are_listed_the_newest_first(configured: Program, models: ModelServer) -> None:
    models.script("m", says("One."), says("Two."))
    await configured.gateway()
    empty = await configured.run("sessions", "--json")
    assert (empty.code, empty.json["ok"], empty.json["sessions"], empty.json["total"]) == (0, True, [], 0)
    for key in ("older", "newer"):
        assert (await configured.run("agent", "hi", "--session-key", key)).code == 0
    listed = await configured.run("sessions", "list", "--json")
    assert [row["key"] for row in listed.json["sessions"]] == ["agent:main:newer", "agent:main:older"]
    found = await configured.run("sessions", "--search", "older", "--json")
    assert [row["key"] for row in found.json["sessions"]] == ["agent:main:older"]
    shown = await configured.run("sessions", "--limit", "1")
    assert shown.out.startswith("agent:main:newer\n")
    assert "just now, " in shown.out
    assert "and 1 more" in shown.err


async def test_completion_is_for_the_program_as_it_was_called(program: Program) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = await program.run("completion", shell)
        assert (done.code, "_OPENCLAW_COMPLETE" in done.out) == (0, True)
    done = await program.run(
        _OPENCLAW_COMPLETE="bash_complete", COMP_WORDS="openclaw gateway st", COMP_CWORD="2"
    )
    assert {"plain,status", "plain,stop"} <= set(done.out.split())
