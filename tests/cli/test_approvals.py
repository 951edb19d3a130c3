"""`approvals`: what its commands write and say, and questions seen and answered in a terminal."""

import asyncio
import os
import signal
import stat
from pathlib import Path

import msgspec
import pytest

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.cli.conftest import Program
from tests.doors.tool_replies import calls


async def test_allow_and_deny_write_a_file_for_its_owner_alone(program: Program) -> None:
    program.configure({"agents": {"list": [{"id": "Work"}, {"id": "other"}]}})
    assert (await program.run("approvals", "allow", "npm")).out == "npm is allowed for all agents.\n"
    assert (await program.run("approvals", "allow", "npm")).out == "npm was allowed for all agents already.\n"
    done = await program.run("approvals", "deny", "rm", "--agent", "Work", "--json")
    assert done.json == {"ok": True, "changed": True, "pattern": "rm", "agent": "work"}
    path = program.state / "gateway" / "exec-approvals.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = msgspec.json.decode(path.read_bytes())
    assert document["version"] == 1
    assert document["agents"]["*"]["allowlist"] == [{"pattern": "npm"}]
    listed = await program.run("approvals", "list")
    assert "npm" in listed.out
    assert "rm" in listed.out
    assert "cat" in listed.out
    done = await program.run("approvals", "list", "--json", "--agent", "other")
    assert list(done.json["agents"]) == ["*"]


@pytest.mark.parametrize("agent", ["nope", "", " ", "*", "日本"])
async def test_an_agent_that_is_not_configured_is_never_another_one(program: Program, agent: str) -> None:
    program.configure({"agents": {"list": [{"id": "main"}, {"id": "work"}]}})
    commands = (("allow", "npm"), ("deny", "npm"), ("remove", "npm"), ("list",))
    for done in await asyncio.gather(
        *(program.run("approvals", *words, "--agent", agent, "--json") for words in commands),
        program.run("agents", "show", agent, "--json"),
    ):
        assert (done.code, done.json["error"]["code"]) == (1, "agent_not_found")
        assert "These are configured: main, work." in done.json["error"]["message"]
    assert not (program.state / "gateway" / "exec-approvals.json").exists()


async def test_only_the_agents_of_the_configuration_are_looked_at(program: Program) -> None:
    """The rest may hold what only the gateway's own environment fills in."""
    program.configure({"gateway": {"auth": {"token": "${GW_TOKEN}"}}, "agents": {"list": [{"id": "work"}]}})
    assert (await program.run("approvals", "allow", "npm", "--agent", "work")).code == 0
    other = program.state / "other.json"
    other.write_text('{agents: {list: [{id: "elsewhere"}]}}')
    done = await program.run("approvals", "allow", "npm", "--agent", "elsewhere", "--config", str(other))
    assert done.out == "npm is allowed for agent elsewhere.\n"


async def test_denying_what_was_allowed_turns_it_round(program: Program) -> None:
    for word in ("allow", "deny"):
        await program.run("approvals", word, "make")
    agents = (await program.run("approvals", "list", "--json")).json["agents"]
    assert (agents["*"]["allow"], agents["*"]["deny"]) == ([], ["make"])


async def test_what_could_never_match_is_refused(program: Program) -> None:
    done = await asyncio.gather(
        *(
            program.run("approvals", "allow", pattern)
            for pattern in ("npm 'test", "", "''", "bin/x", "npm test && npm start")
        )
    )
    assert [one.code for one in done] == [2] * len(done)
    assert "not closed" in done[0].err
    assert "between && needs one of its own" in done[-1].err
    assert not (program.state / "gateway" / "exec-approvals.json").exists()


@pytest.mark.promise("error.approvals_broken")
async def test_a_broken_file_is_named_and_kept(program: Program) -> None:
    (program.state / "gateway").mkdir()
    path = program.state / "gateway" / "exec-approvals.json"
    path.write_text("{")
    for words in (("list",), ("allow", "npm")):
        done = await program.run("approvals", *words, "--json")
        assert (done.code, done.json["error"]["code"]) == (1, "approvals_broken")
    assert path.read_text() == "{"
    assert "no agent runs a command" in (await program.run("approvals", "list")).err


async def test_writers_do_not_lose_each_others_patterns(program: Program) -> None:
    names = [f"tool{number}" for number in range(6)]
    await asyncio.gather(*(program.run("approvals", "allow", name) for name in names))
    allowed = (await program.run("approvals", "list", "--json")).json["agents"]["*"]["allow"]
    assert sorted(allowed) == names


@pytest.mark.promise("approvals-remove")
async def test_remove_takes_back_what_was_allowed_or_denied(program: Program) -> None:
    program.configure({"agents": {"list": [{"id": "work"}]}})
    await asyncio.gather(program.run("approvals", "allow", "npm"), program.run("approvals", "deny", "rm"))
    await program.run("approvals", "allow", "npm", "--agent", "work")
    done = await program.run("approvals", "remove", "npm")
    assert done.out == "npm is neither allowed nor denied by name for all agents any more.\n"
    done = await program.run("approvals", "remove", "npm")
    assert (done.code, done.out) == (0, "npm was neither allowed nor denied by name for all agents.\n")
    done = await program.run("approvals", "remove", "rm", "--json")
    assert done.json == {"ok": True, "changed": True, "pattern": "rm", "agent": "*"}
    agents = (await program.run("approvals", "list", "--json")).json["agents"]
    assert (agents["*"]["allow"], agents["*"]["deny"]) == ([], [])
    assert agents["work"]["allow"] == ["npm"]
    done = await program.run("approvals", "remove", "npm", "--agent", "work", "--json")
    assert done.json["changed"] is True


@pytest.mark.promise("CVE-2026-100560")
async def test_allowing_what_only_looked_says_what_that_opens(program: Program) -> None:
    more = "now with any argument, also outside the workspace"
    patterns = ("cat", "/usr/bin/git", "c?t", "npm")
    done = await asyncio.gather(*(program.run("approvals", "allow", pattern) for pattern in patterns))
    assert [more in one.out for one in done] == [True, True, True, False]


async def test_what_is_denied_is_not_listed_for_looking(program: Program) -> None:
    program.configure({"agents": {"list": [{"id": "work"}]}})
    await program.run("approvals", "deny", "cat")
    await program.run("approvals", "deny", "he*", "--agent", "work")
    (program.state / "exec-approvals.json").write_text(
        '{"version": 1, "agents": {"*": {"denylist": [{"pattern": "*/tail"}]}}}'
    )
    everybody, work = [
        set((await program.run("approvals", "list", "--json", *words)).json["readOnly"])
        for words in ((), ("--agent", "work"))
    ]
    assert not everybody & {"cat", "tail"}
    assert "head" in everybody
    assert not work & {"cat", "tail", "head"}
    (line,) = [one for one in (await program.run("approvals", "list")).out.splitlines() if "looking" in one]
    assert "ls" in line
    assert "cat" not in line


async def test_an_allow_that_covers_nothing_says_so(program: Program) -> None:
    said = (await program.run("approvals", "allow", "env", "--yes")).out
    assert "which changes nothing: it runs other programs" in said
    said = (await program.run("approvals", "allow", "git")).out
    assert "now with any argument" in said
    assert "a clone, a worktree or an archive is written wherever it says" in said


async def test_a_git_that_is_not_on_the_list_is_named_with_the_reason(
    program: Program, tmp_path: Path
) -> None:
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\necho git version 2.30.1\n")
    git.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    listed = await program.run("approvals", "list", PATH=path)
    assert "older than 2.38 (2.30)" in listed.err
    assert "git" not in (await program.run("approvals", "list", "--json", PATH=path)).json["readOnly"]


@pytest.mark.promise("approvals-yes")
async def test_what_allows_everything_is_said_and_needs_a_yes(program: Program) -> None:
    opens = ("python3", "bash", "*", "/usr/bin/*", "python3 -c", "node *", "awk", "perl -e")
    covers = ("xargs", "env", "sudo", "/usr/bin/timeout")
    done = await asyncio.gather(*(program.run("approvals", "allow", one) for one in (*opens, *covers)))
    assert [one.code for one in done] == [2] * len(done)
    assert all("allows every command" in one.err for one in done[: len(opens)])
    assert [one.err.count("but those of interpreters") for one in done[: len(opens)]] == [
        "*" in name.split()[0] for name in opens
    ]
    assert all("makes other programs run" in one.err for one in done[len(opens) :])
    assert not (program.state / "gateway" / "exec-approvals.json").exists()
    assert (await program.run("approvals", "allow", "python3", "--yes")).code == 0


@pytest.mark.promise("approvals-arguments")
async def test_an_allow_may_have_arguments(program: Program) -> None:
    patterns = ("npm test", "git commit", "python3 -m pytest", "/usr/bin/npm run *", "bash build.sh")
    for pattern in patterns:
        assert (await program.run("approvals", "allow", pattern)).out == (
            f"{pattern} is allowed for all agents, with what follows it, also paths outside the workspace; "
            "what it makes of the workspace's files (scripts, settings), which agents write, is allowed "
            "with it.\n"
        )
    allowed = (await program.run("approvals", "list", "--json")).json["agents"]["*"]["allow"]
    assert allowed == list(patterns)


@pytest.mark.parametrize("pattern", ["find", "find . -exec", "/usr/bin/ssh", "ssh host", "tar xf"])
async def test_what_runs_others_by_an_option_needs_a_yes(program: Program, pattern: str) -> None:
    refused = await program.run("approvals", "allow", pattern)
    assert (refused.code, "runs what one of its options names" in refused.err) == (2, True)
    assert (await program.run("approvals", "allow", pattern, "--yes")).code == 0


@pytest.mark.promise("ask-pending")
async def test_questions_are_seen_and_answered_in_a_terminal(program: Program, models: ModelServer) -> None:
    (program.state / "workspace").mkdir(exist_ok=True)
    program.configure(model_config(models.base_url))
    models.script("mock-echo", calls(("x", "exec", '{"command": "touch made"}')), says("Done."))
    await program.gateway()
    assert (await program.run("approvals", "pending")).out == "No command waits for an answer.\n"
    done = await program.run("approvals", "answer", "none", "deny", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "approval_not_found")
    watching = await program.start("approvals", "pending", "--follow")
    await watching.says("Waiting for questions", on="err")
    asking = await program.start("agent", "-m", "go")
    shown = await watching.says("approvals answer")
    assert "touch made" in shown
    (pending,) = (await program.run("approvals", "pending", "--json")).json["pending"]
    done = await program.run("approvals", "answer", pending["id"], "allow-once")
    assert (done.code, done.out) == (0, f"{pending['id']} is answered: allow-once.\n")
    assert (await asking.ends()).out == "Done.\n"
    await watching.says("is answered, or over")
    assert (program.state / "workspace" / "made").exists()
    watching.signal(signal.SIGINT)
    await watching.ends()


async def test_where_processes_share_a_store_the_rules_are_there(program: Program, postgres_url: str) -> None:
    own_dir = program.state / "gateway"
    own_dir.mkdir(mode=0o700)
    (own_dir / "exec-approvals.json").write_text(
        '{"version": 1, "agents": {"*": {"denylist": [{"pattern": "rm"}]}}}'
    )
    program.configure({"store": {"url": postgres_url}})
    listed = (await program.run("approvals", "list", "--json")).json
    assert (listed["path"], listed["agents"]["*"]["deny"]) == ("exec-approvals.json of the store", ["rm"])
    assert (await program.run("approvals", "allow", "npm")).out == "npm is allowed for all agents.\n"
    assert [file.name for file in own_dir.glob("exec-*")] == ["exec-approvals.json.taken-over"]
    # One that came from elsewhere counts for nothing.
    (own_dir / "exec-approvals.json").write_text("{}")
    names = [f"tool{number}" for number in range(4)]
    await asyncio.gather(*(program.run("approvals", "allow", name) for name in names))
    agents = (await program.run("approvals", "list", "--json")).json["agents"]
    assert agents["*"]["deny"] == ["rm"]
    assert sorted(agents["*"]["allow"]) == ["npm", *names]
    assert (own_dir / "exec-approvals.json").read_text() == "{}"
    assert "For all processes" in (await program.run("approvals", "list")).out


async def test_a_store_that_cannot_be_named_is_not_taken_for_none(program: Program) -> None:
    program.configure({"store": {"url": "postgresql://u:${NOT_SET_HERE}@127.0.0.1:1/db"}})
    for words in (("list",), ("allow", "npm")):
        done = await program.run("approvals", *words, "--json")
        assert done.code != 0
        assert "NOT_SET_HERE" in done.json["error"]["message"]
    assert not (program.state / "gateway").exists()
