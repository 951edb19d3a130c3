"""A git that may only look: whatever somebody planted in a repository runs nothing.

File tools do not write inside .git, but others do: an MCP server, a sandboxed agent, a command of another
agent. Each plant is first tried with the operator's own git, to see that it is one.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.exec.allowlist import NO_RULES
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.permission import Permit, Wish, permit
from tests.security.planted import LOOKS, PlantedRoom, configure, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[PlantedRoom]:
    commands = CommandSessions()
    yield PlantedRoom(tmp_path, commands)
    await commands.close()


async def looked(room: PlantedRoom, workdir: str = "repo") -> str:
    """What all the looks say."""
    said = []
    for command in LOOKS:
        try:
            said.append((await room.result("exec", command=command, workdir=workdir)).text)
        except ToolError as error:
            said.append(str(error))
    return "\n".join(said)


PLANTS: dict[str, tuple[str, str]] = {
    # The key that is named, and what is planted; {evil} is a program.
    "core.fsmonitor": ("core.fsmonitor", "[core]\n\tfsmonitor = {evil}\n"),
    "fsmonitor on one line": ("core.fsmonitor", "[cOre] FSMonitor = {evil}\n"),
    "fsmonitor in quotes": ("core.fsmonitor", '[core]\n\tfsmonitor = "{evil}\\\n" ; x\n'),
    "a hook": ("core.hookspath", "[core]\n\thooksPath = {hooks}\n"),
    "diff.external": ("diff.external", "[diff]\n\texternal = {evil}\n"),
    "a diff driver": ("diff.x.command", '[diff "x"]\n\tcommand = {evil}\n'),
    "a textconv": ("diff.x.textconv", '[diff "x"]\n\ttextconv = {evil}\n'),
    "a filter": ("filter.x.clean", '[filter "x"]\n\tclean = {evil}\n\tsmudge = {evil}\n'),
    "a filter process": ("filter.x.process", '[filter "x"]\n\tprocess = {evil}\n\trequired\n'),
    "an include": ("include.path", "[include]\n\tpath = ../more\n"),
    "a conditional include": ("includeif.onbranch:**.path", '[includeIf "onbranch:**"]\n\tpath = ../more\n'),
    "a pager": ("pager.log", "[pager]\n\tlog = {evil}\n[core]\n\tpager = {evil}\n"),
    "gpg": ("gpg.program", "[gpg]\n\tprogram = {evil}\n[log]\n\tshowSignature = true\n"),
    "an alias": ("alias.status", "[alias]\n\tstatus = !{evil}\n"),
    "ssh": ("core.sshcommand", "[core]\n\tsshCommand = {evil}\n"),
    "a remote helper": ("remote.o.url", '[remote "o"]\n\turl = ext::{evil}\n\tpromisor = true\n'),
    "a remote program": ("remote.o.uploadpack", '[remote "o"]\n\tuploadpack = {evil}\n'),
    "refs of others": ("core.alternaterefscommand", "[core]\n\talternateRefsCommand = {evil}\n"),
    "another work tree": ("core.worktree", "[core]\n\tworktree = /etc\n"),
    "attributes of others": ("core.attributesfile", "[core]\n\tattributesFile = {secret}\n"),
    "ignores of others": ("core.excludesfile", "[core]\n\texcludesFile = {secret}\n"),
    "revisions of others": ("blame.ignorerevsfile", "[blame]\n\tignoreRevsFile = {secret}\n"),
    "an order of others": ("diff.orderfile", "[diff]\n\torderFile = {secret}\n"),
    "names of others": ("mailmap.file", "[mailmap]\n\tfile = {secret}\n"),
    "what nobody knows": ("future.thing", "[future]\n\tthing = {evil}\n"),
}
# Those for which the plain git runs the program when it looks.
RUNS = {"core.fsmonitor", "fsmonitor on one line", "diff.external", "a diff driver", "a textconv"} | {
    *("fsmonitor in quotes", "a filter", "a filter process", "an include", "a conditional include"),
}


def plant(room: PlantedRoom, repo: Path, name: str) -> str:
    """The key that must be named."""
    key, text = PLANTS[name]
    (repo / "more").write_text(f"[core]\n\tfsmonitor = {room.evil}\n")
    hooks = room.root / "hooks"
    room.script(hooks / "post-index-change")
    configure(repo, text.format(evil=room.evil, hooks=hooks, secret=room.outside / "secret"))
    return key


@pytest.mark.promise("CVE-2026-71963", "git-looks")
@pytest.mark.parametrize("name", PLANTS)
async def test_a_planted_setting_runs_nothing_and_is_named(room: PlantedRoom, name: str) -> None:
    """Hermes CVE-2026-71963."""
    repo = room.repository()
    key = plant(room, repo, name)
    for command in LOOKS:
        text = await room.refused("exec", command=command, workdir="repo")
        assert key in text
        assert f"openclaw approvals allow '{' '.join(command.split()[:2])}' --agent main" in text
    assert not room.mark.exists()
    if name in RUNS:
        git(repo, "diff")
        git(repo, "status")
        assert room.mark.exists(), "the plant is one"


@pytest.mark.promise("CVE-2026-71963")
@pytest.mark.parametrize("name", sorted(RUNS | {"a hook", "a pager", "gpg", "another work tree"}))
async def test_what_is_planted_between_check_and_run_has_no_say(room: PlantedRoom, name: str) -> None:
    """Hermes CVE-2026-71963: git is not given the repository's own settings at all."""
    repo = room.repository()
    allowed = [permission(room, command) for command in LOOKS]
    plant(room, repo, name)
    for one in allowed:
        await run(one)
    assert not room.mark.exists()
    assert "two" in await run(allowed[1])


def permission(room: PlantedRoom, command: str) -> Permit:
    wish = Wish(command, "main", room.root, "repo", None, {}, NO_RULES)
    return permit(wish, room.state, room.services.environ, room.services.approvals)


async def run(allowed: Permit) -> str:
    process = await asyncio.create_subprocess_exec(
        *("bash", "--norc", "--noprofile", "-c", allowed.command),
        cwd=allowed.cwd,
        env=dict(allowed.environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode()


Plant = Callable[[PlantedRoom, Path], None]


def _worktree_config(room: PlantedRoom, repo: Path) -> None:
    configure(repo, "[extensions]\n\tworktreeConfig = true\n")
    configure(repo, f"[core]\n\tfsmonitor = {room.evil}\n", ".git/config.worktree")


def _git_file(room: PlantedRoom, repo: Path) -> None:
    (repo / ".git").rename(room.root / "hidden")
    (repo / ".git").write_text("gitdir: ../hidden\n")
    configure(room.root, f"[core]\n\tfsmonitor = {room.evil}\n", "hidden/config")


def _common(room: PlantedRoom, repo: Path) -> None:
    room.repository("other")
    configure(room.root / "other", f"[core]\n\tfsmonitor = {room.evil}\n")
    (repo / ".git" / "commondir").write_text("../../other/.git\n")


def _submodule(room: PlantedRoom, repo: Path) -> None:
    part = room.repository("part")
    git(repo, "submodule", "add", "-q", str(part), "part")
    git(repo, "commit", "-q", "-m", "part")
    configure(repo, f"[core]\n\tfsmonitor = {room.evil}\n", ".git/modules/part/config")
    (repo / "part" / "a.txt").write_text("three\n")
    # What .gitmodules says goes before the configuration.
    configure(repo, "\tignore = none\n", ".gitmodules")


def _gitlink(room: PlantedRoom, repo: Path) -> None:
    """A repository in a repository, which the index knows as a submodule."""
    part = room.repository("repo/part")
    git(repo, "add", "part")
    git(repo, "commit", "-q", "-m", "part")
    configure(part, f"[core]\n\tfsmonitor = {room.evil}\n")
    (part / "a.txt").write_text("three\n")


def _hooks(room: PlantedRoom, repo: Path) -> None:
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"):
        room.script(repo / ".git" / "hooks" / name, more="exit 0")
    os.utime(repo / ".gitattributes", (1, 1))


@pytest.mark.promise("CVE-2026-71963")
@pytest.mark.parametrize("place", [_worktree_config, _git_file, _common, _submodule, _gitlink, _hooks])
async def test_whatever_place_a_plant_has_it_runs_nothing(room: PlantedRoom, place: Plant) -> None:
    """Hermes CVE-2026-71963."""
    repo = room.repository()
    place(room, repo)
    said = await looked(room)
    assert not room.mark.exists()
    assert "core.fsmonitor" in said or "modified:   a.txt" in said
    git(repo, "status")
    git(repo, "diff")
    assert room.mark.exists(), "the plant is one"


@pytest.mark.promise("CVE-2026-71963")
async def test_a_planted_bare_repository_is_none(room: PlantedRoom) -> None:
    """Hermes CVE-2026-71963: with git < 2.38 the folder itself was taken for a git directory."""
    bare = room.root / "bare"
    for folder in ("objects", "refs/heads"):
        (bare / folder).mkdir(parents=True)
    (bare / "HEAD").write_text("ref: refs/heads/x\n")
    (bare / "config").write_text(
        f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = {room.evil}\n"
    )
    for command in LOOKS:
        assert "no git repository" in await room.refused("exec", command=command, workdir="bare")
    assert not room.mark.exists()
    git(bare, "status")
    assert room.mark.exists(), "the plant is one"


async def test_no_repository_above_the_workspace_is_found(room: PlantedRoom) -> None:
    git(room.outside, "init", "-q")
    configure(room.outside, f"[core]\n\tfsmonitor = {room.evil}\n")
    (room.root / "sub").mkdir()
    assert "no git repository" in await room.refused("exec", command="git status", workdir="sub")
    assert not room.mark.exists()


@pytest.mark.promise("CVE-2026-71963")
async def test_settings_of_a_home_that_agents_write_to_are_not_read(tmp_path: Path) -> None:
    """Hermes CVE-2026-71963: a container's home is often the workspace."""
    commands = CommandSessions()
    home = tmp_path / "state" / "workspace"
    room = PlantedRoom(
        tmp_path, commands, environ={"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    )
    room.repository()
    room.write(".gitconfig", f"[core]\n\tfsmonitor = {room.evil}\n[diff]\n\texternal = {room.evil}\n")
    room.write(".config/git/config", f"[core]\n\tfsmonitor = {room.evil}\n")
    said = await looked(room)
    assert "modified:   a.txt" in said
    assert not room.mark.exists()
    await commands.close()
