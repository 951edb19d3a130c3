"""`agents list` and `agents show`, as a person and as a program reads them."""

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Program

CONFIG = """{
  agents: { defaults: { model: "mine/m" }, list: [
    { id: "main", workspace: "/tmp/nowhere-at-all/ws" },
    { id: "poet", model: { primary: "mine/big", fallbacks: ["mine/m"] }, identity: { name: "Basho" } },
    { id: "twin", workspace: "/tmp/nowhere-at-all/ws" },
    { id: "small", model: "local/smollm2-135m-instruct" },
  ] },
  models: { providers: { mine: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "none" } } },
}"""


@pytest.fixture
def written(program: Program) -> Program:
    program.configure(CONFIG)
    return program


def poet_files(program: Program) -> Path:
    folder = program.state / "workspace-poet"
    (folder / "skills" / "tea").mkdir(parents=True)
    (folder / "SOUL.md").write_text("Seventeen syllables.")
    (folder / "skills" / "tea" / "SKILL.md").write_text("---\nname: tea\ndescription: d\n---\n")
    os.mkfifo(folder / "USER.md")
    return folder


async def test_list(written: Program) -> None:
    done = await written.run("agents", "list")
    assert done.code == 0
    assert "main (default)" in done.out
    assert "mine/big" in done.out
    assert "main, twin share the workspace /tmp/nowhere-at-all/ws." in done.err
    listed = (await written.run("agents", "list", "--json")).json
    assert listed["defaultId"] == "main"
    assert [agent["id"] for agent in listed["agents"]] == ["main", "poet", "twin", "small"]
    assert listed["agents"][1] == {
        "id": "poet",
        "name": "Basho",
        "isDefault": False,
        "model": "mine/big",
        "fallbacks": ["mine/m"],
        "workspace": str(written.state / "workspace-poet"),
    }


async def test_show(written: Program) -> None:
    folder = poet_files(written)
    done = await written.run("agents", "show", "Poet")
    assert done.code == 0
    for text in ("poet", "Basho", "mine/big", str(folder), "SOUL.md", "tea", "full profile"):
        assert text in done.out
    assert "USER.md is not a regular file." in done.err
    shown = (await written.run("agents", "show", "poet", "--json", "--prompt")).json
    assert shown["files"] == {"SOUL.md": 20}
    assert shown["skills"] == ["tea"]
    prompt = shown["prompt"]
    assert prompt["chars"] == len(prompt["text"])
    assert prompt["tokens"] == -(-prompt["chars"] // 4)


async def test_a_stored_key_chooses_the_model_as_at_a_start(program: Program) -> None:
    program.configure({"agents": {"list": [{"id": "main"}]}})
    store = program.state / "agents" / "main" / "agent" / "auth-profiles.json"
    store.parent.mkdir(parents=True)
    profile = {"type": "api_key", "provider": "groq", "key": "gsk-stored"}
    store.write_text(json.dumps({"version": 1, "profiles": {"groq:default": profile}}))
    listed = (await program.run("agents", "list", "--json")).json
    assert listed["agents"][0]["model"].startswith("groq/")


@pytest.mark.promise("show-prompt")
async def test_the_prompt_is_printed_as_it_is(written: Program) -> None:
    poet_files(written)
    done = await written.run("agents", "show", "poet", "--prompt")
    assert done.out.startswith("You are Basho, a helpful assistant.\n\n")
    assert "Seventeen syllables." in done.out
    assert f"{len(done.out) - 1:,} characters" in done.err


async def test_files_that_are_not_there_yet_are_announced(program: Program) -> None:
    program.configure(CONFIG)
    first = await program.run("agents", "show", "poet", "--prompt")
    assert "AGENTS.md, SOUL.md, TOOLS.md, IDENTITY.md, USER.md, BOOTSTRAP.md" in first.err
    poet_files(program)
    # A folder that has any of them, from whichever program, is left as it is.
    assert "will be made" not in (await program.run("agents", "show", "poet", "--prompt")).err


async def test_a_skill_that_cannot_be_read_is_not_offered(program: Program) -> None:
    program.configure(CONFIG.replace("defaults: {", 'defaults: { sandbox: { mode: "all" },'))
    poet_files(program)
    done = await program.run("agents", "show", "poet", "--prompt")
    assert f"Your folder is {program.state}/gateway/sandboxes/poet." in done.out
    assert "## Skills" not in done.out
    assert "Not offered, because its tools cannot open them: the skills tea." in done.err


@pytest.mark.parametrize("setting", ["skipBootstrap: true", 'contextInjection: "never"'])
async def test_files_that_will_not_be_shown_are_not_announced(program: Program, setting: str) -> None:
    program.configure(CONFIG.replace("defaults: {", f"defaults: {{ {setting},"))
    assert "will be made" not in (await program.run("agents", "show", "poet", "--prompt")).err


@pytest.mark.promise("embedded-bare")
async def test_a_small_model_is_told_one_line(written: Program) -> None:
    done = await written.run("agents", "show", "small", "--prompt")
    assert done.out == "You are a helpful assistant.\n"
    assert "28 characters, about 7 tokens, minimal profile" in done.err
    assert "will be made" not in done.err


async def test_looking_writes_nothing(written: Program) -> None:
    before = sorted(written.state.rglob("*"))
    await written.run("agents", "show")
    await written.run("agents", "list")
    assert sorted(written.state.rglob("*")) == before


async def test_an_unknown_agent(written: Program) -> None:
    done = await written.run("agents", "show", "nobody", "--json")
    assert done.code == 1
    assert done.json["error"]["code"] == "agent_not_found"
    assert "main, poet, twin, small" in done.json["error"]["message"]
