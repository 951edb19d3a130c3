"""`skills` and `mcp`: what a terminal is told of them, with and without a running gateway."""

import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.conftest import Program
from tests.ws.test_skills import needs, write

SECRET = "sk-of-the-server-0123456789"
SERVER = Path(__file__).parent.parent / "tools" / "mcp_server.py"
SERVERS: dict[str, Any] = {
    "demo": {"command": sys.executable, "args": [str(SERVER)]},
    "failing": {
        "command": sys.executable,
        "args": ["-c", "import os, sys; sys.exit('with ' + os.environ['TOKEN'])"],
        "env": {"TOKEN": SECRET},
    },
}


@pytest.fixture
def skilled(program: Program) -> Program:
    write(program.state / "skills", "plain")
    write(program.state / "skills", "poor", needs(bins=["no-such-bin"], config=["channels.x"]))
    program.configure({"agents": {"list": [{"id": "main"}, {"id": "other", "skills": []}]}})
    return program


async def test_skills_list_and_check(skilled: Program) -> None:
    listed = await skilled.run("skills", "list")
    assert listed.code == 0
    assert "needs the command no-such-bin" in listed.out
    done = await skilled.run("skills", "list", "--eligible", "--json", "--agent", "main")
    (agent,) = done.json["agents"]
    assert (agent["agentId"], [one["name"] for one in agent["skills"]]) == ("main", ["plain"])
    checked = await skilled.run("skills", "check", "--json")
    main, other = checked.json["agents"]
    assert main["ready"] == ["plain"]
    assert main["notReady"][0]["missing"]["bins"] == ["no-such-bin"]
    assert [one["state"] for one in other["notReady"]] == ["not allowed", "not allowed"]
    text = (await skilled.run("skills", "check", "--agent", "main")).out
    assert "agent main: 1 of 2 skills are ready" in text
    assert "asks for channels.x" in text
    wrong = await skilled.run("skills", "check", "--agent", "nope", "--json")
    assert (wrong.code, wrong.json["error"]["code"]) == (1, "agent_not_found")


@pytest.mark.promise("error.mcp_server_not_found")
async def test_mcp_test_starts_lists_and_ends(program: Program) -> None:
    program.configure({"mcp": {"servers": SERVERS}})
    done = await program.run("mcp", "test", "--json")
    assert (done.code, done.json["ok"]) == (1, False)
    demo, failing = done.json["servers"]
    assert demo["ok"] is True
    assert "add" in demo["tools"]
    assert (failing["ok"], failing["tools"]) == (False, [])
    assert failing["error"]
    assert SECRET not in done.out + done.err
    one = await program.run("mcp", "test", "demo")
    assert one.code == 0
    assert "demo is there in" in one.out
    unknown = await program.run("mcp", "test", "nope", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (1, "mcp_server_not_found")


@pytest.mark.promise("error.mcp_package_missing")
async def test_without_the_package(program: Program) -> None:
    program.configure({"mcp": {"servers": SERVERS}})
    (program.home / "sitecustomize.py").write_text("import sys\nsys.modules['mcp'] = None\n")
    done = await program.run("mcp", "test", "--json", PYTHONPATH=str(program.home))
    assert (done.code, done.json["error"]["code"]) == (1, "mcp_package_missing")
    assert "pip install" in done.json["error"]["message"]


async def test_mcp_list_with_and_without_a_gateway(program: Program, models: ModelServer) -> None:
    program.configure(model_config(models.base_url, {"mcp": {"servers": {"demo": SERVERS["demo"]}}}))
    done = await program.run("mcp", "list", "--json")
    assert (done.json["asked"], done.json["servers"][0]["connected"]) == (False, None)
    assert "No gateway runs" in (await program.run("mcp", "list")).err
    await program.gateway()
    asked = await program.run("mcp", "list", "--json")
    assert asked.json["asked"] is True
    assert asked.json["servers"][0]["name"] == "demo"
