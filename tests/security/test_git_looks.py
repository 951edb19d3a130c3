"""A git that may only look does look: into what, with which git, in a sandbox too, and many at once."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.exec.approvals import allow
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.listed import git_place, git_program
from openclaw_gateway.tools.exec.sandbox import check_sandbox
from tests.security.planted import LOOKS, PlantedRoom, configure, git
from tests.tools.rooms import Room

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[PlantedRoom]:
    commands = CommandSessions()
    yield PlantedRoom(tmp_path, commands)
    await commands.close()


async def test_looking_works(room: PlantedRoom) -> None:
    room.repository()
    assert "modified:   a.txt" in await room.call("exec", command="git status", workdir="repo")
    assert "-one\n+two" in await room.call("exec", command="git diff", workdir="repo")
    assert "first" in await room.call("exec", command="cd repo && git log --oneline | head -n 1")
    assert "+one" in await room.call("exec", command="git show", workdir="repo")
    assert "one" in await room.call("exec", command="git show HEAD:a.txt", workdir="repo")
    (room.root / "repo" / "sub").mkdir()
    text = await room.call("exec", command="git rev-parse --show-toplevel", workdir="repo/sub")
    assert text.startswith(str(room.root / "repo"))
    # It follows what happens: a commit, another branch, packed objects.
    repo = room.root / "repo"
    git(repo, "checkout", "-q", "-b", "other")
    git(repo, "commit", "-q", "-a", "-m", "second")
    git(repo, "gc", "-q")
    git(repo, "update-index", "--split-index")
    text = await room.call("exec", command="git log --oneline", workdir="repo")
    assert "first" in text
    assert "second" in text
    assert "On branch other" in await room.call("exec", command="git status", workdir="repo")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("git version 2.37.9", "older than 2.38 (2.37)"),
        ("git version 1.8.3.1", "older than 2.38"),
        ("git, some version", "does not say its version"),
        ("", "does not say its version"),
    ],
)
@pytest.mark.promise("CVE-2026-71963")
async def test_an_old_git_is_not_on_the_list(
    tmp_path: Path, said: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Hermes CVE-2026-71963: it is asked once, and the log is told once."""
    git_place._tell.cache_clear()
    commands = CommandSessions()
    tools = tmp_path / "tools"
    room = PlantedRoom(tmp_path, commands, environ={"PATH": f"{tools}:{os.environ['PATH']}"})
    room.repository()
    room.script(tools / "git", more=f"echo {said}")
    for command in LOOKS:
        assert reason in await room.refused("exec", command=command, workdir="repo")
    assert room.mark.read_text() == "ran\n", "asked for its version, and nothing else"
    assert sum("not on the list" in record.message for record in caplog.records) == 1
    await commands.close()


async def test_a_git_that_does_not_answer_is_not_on_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_program, "_PATIENCE_S", 0.1)
    commands = CommandSessions()
    tools = tmp_path / "tools"
    room = PlantedRoom(tmp_path, commands, environ={"PATH": f"{tools}:{os.environ['PATH']}"})
    room.repository()
    room.script(tools / "git", more="exec sleep 60")
    text = await room.refused("exec", command="git status", workdir="repo")
    assert "does not say its version" in text
    await commands.close()


async def test_a_new_kind_of_git_is_on_the_list(tmp_path: Path) -> None:
    commands = CommandSessions()
    tools = tmp_path / "tools"
    room = PlantedRoom(tmp_path, commands, environ={"PATH": f"{tools}:{os.environ['PATH']}"})
    room.repository()
    room.script(tools / "git", more="echo git version 3.0.1.vendor")
    assert "3.0.1" in await room.call("exec", command="git status", workdir="repo")
    await commands.close()


@pytest.mark.parametrize("access", ["ro", "rw"])
async def test_a_sandboxed_git_looks_too(tmp_path: Path, access: str) -> None:
    sandbox = {"mode": "all", "workspaceAccess": access}
    commands = CommandSessions()
    room = Room(tmp_path, exec_tool, sandbox=sandbox, commands=commands)
    if await check_sandbox(room.agent, room.services.environ) is not None:
        pytest.skip("no bubblewrap here")
    room = PlantedRoom(tmp_path, commands)
    room.repository()
    assert "modified:   a.txt" in await room.call("exec", command="git status", workdir="repo")
    await commands.close()


async def test_work_trees_and_submodules_inside_the_workspace_are_looked_into(room: PlantedRoom) -> None:
    repo = room.repository()
    git(repo, "worktree", "add", "-q", "../tree")
    git(repo, "submodule", "add", "-q", str(room.repository("part")), "part")
    assert "On branch tree" in await room.call("exec", command="git status", workdir="tree")
    assert "first" in await room.call("exec", command="git log", workdir="repo/part")


async def test_the_operators_own_git_keeps_his_settings(room: PlantedRoom) -> None:
    """What he allowed by name is not hardened: it commits, and finds its repository itself."""
    repo = room.repository()
    with changing(approvals_path(room.state)) as document:
        allow(document, "main", "git")
    configure(repo, "[alias]\n\tone = log --oneline\n")
    assert "first" in await room.call("exec", command="git one", workdir="repo")
    assert "modified" in await room.call("exec", command="git status && echo a | wc -l", workdir="repo")


async def test_there_is_one_view_for_each_repository_that_is_there(room: PlantedRoom) -> None:
    room.repository("one")
    await room.call("exec", command="git status && git log", workdir="one")
    await room.call("exec", command="git status", workdir="one")
    views = room.state / "git"
    assert len(list(views.iterdir())) == 1
    shutil.rmtree(room.root / "one")
    room.repository("two")
    await room.call("exec", command="git status", workdir="two")
    (view,) = views.iterdir()
    assert view.joinpath("index").readlink() == room.root / "two/.git/index"
    assert view.stat().st_mode & 0o777 == 0o700


async def test_many_look_at_once_and_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    commands = CommandSessions()
    room = PlantedRoom(tmp_path / 'it\'s a\n$(touch x) `y` "z"', commands)
    for name in ("one", "two's"):
        room.repository(name)
    looks = [("git status -s", name) for name in ("one", "two's") for _ in range(4)]
    said = await asyncio.gather(
        *(room.call("exec", command=command, workdir=name) for command, name in looks)
    )
    assert {one.startswith(" M a.txt") for one in said} == {True}, said
    assert {path.name for path in (room.state / "git").iterdir() if path.name.startswith(".")} == set()
    await commands.close()
