"""A git that the operator allowed: it commits in his name, and runs nothing that somebody planted."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openclaw_gateway.tools.exec.allowed_git import harmful_here, refused
from openclaw_gateway.tools.exec.approvals import allow
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.listed.git_config import Setting
from tests.security.planted import PlantedRoom, configure, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


@pytest.fixture
async def commands() -> AsyncIterator[CommandSessions]:
    commands = CommandSessions()
    yield commands
    await commands.close()


def shop_with(tmp_path: Path, commands: CommandSessions, **exec_: object) -> PlantedRoom:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = The Owner\n\temail = owner@example.org\n")
    room = PlantedRoom(tmp_path, commands, {"exec": exec_}, {"HOME": str(home)})
    with changing(approvals_path(room.state)) as document:
        allow(document, "main", "git")
    return room


@pytest.mark.promise("allowed-git")
async def test_it_commits_in_the_owners_name(tmp_path: Path, commands: CommandSessions) -> None:
    room = shop_with(tmp_path, commands)
    room.repository()
    said = await room.call("exec", command="git add -A && git commit -q -m 'a; b' 2>&1", workdir="repo")
    assert said == "[exit code 0]"
    assert await room.call("exec", command="git log -1 --format='%an %ae %s'", workdir="repo") == (
        "The Owner owner@example.org a; b\n[exit code 0]"
    )


async def test_an_isolated_one_knows_no_owner(tmp_path: Path, commands: CommandSessions) -> None:
    room = shop_with(tmp_path, commands, env={"git": "isolated"})
    room.repository()
    said = (await room.result("exec", command="git commit -qam x", workdir="repo")).text
    assert "exit code 128" in said
    assert "The Owner" not in (await room.result("exec", command="git config user.name", workdir="repo")).text


async def test_settings_of_a_home_that_agents_write_to_are_not_the_owners(
    tmp_path: Path, commands: CommandSessions
) -> None:
    room = shop_with(tmp_path, commands)
    room.write(".gitconfig", f"[core]\n\tfsmonitor = {room.evil}\n[alias]\n\tx = !{room.evil}\n")
    room = PlantedRoom(tmp_path, commands, environ={"HOME": str(room.root)})
    room.repository()
    for command in ("git status", "git x", "git add ."):
        await room.result("exec", command=command, workdir="repo")
    assert not room.mark.exists()


@pytest.mark.parametrize(
    "key", ["filter.x.clean", "diff.external", "alias.x", "core.sshCommand", "include.path"]
)
async def test_what_a_repository_would_run_is_named(
    tmp_path: Path, commands: CommandSessions, key: str
) -> None:
    room = shop_with(tmp_path, commands)
    repo = room.repository()
    git(repo, "config", key, str(room.evil))
    for command in ("git add .", "git commit -am x", "git push", "git -C . status"):
        assert "may run programs" in await room.refused("exec", command=command, workdir="repo")
    assert "may run programs" in await room.refused("exec", command="git -C repo add .")
    assert not room.mark.exists()


async def test_a_cd_that_may_fail_leaves_git_where_the_command_began(
    tmp_path: Path, commands: CommandSessions
) -> None:
    room = shop_with(tmp_path, commands)
    configure(room.repository(), f'[filter "x"]\n\tclean = {room.evil}\n')
    room.repository("repo/clean")
    for command in (
        "cd clean/gone; git add .",
        "cd clean/a.txt; ls; git commit -am x",
        "cd clean; git add .",
    ):
        assert "may run programs" in await room.refused("exec", command=command, workdir="repo")
    assert not room.mark.exists()
    assert await room.call("exec", command="cd clean && git add .", workdir="repo") == "[exit code 0]"


@pytest.mark.parametrize(
    ("value", "harmless"),
    [
        ("log --oneline", True),
        ("!evil", False),
        ("-c core.fsmonitor=evil status", False),
        ("clone", False),
        ("rebase --exec=evil", False),
        ("", False),
    ],
)
def test_an_alias_is_what_it_stands_for(value: str, *, harmless: bool) -> None:
    assert (harmful_here((Setting("alias", None, "x", value),), "/", "/") == ()) is harmless


async def test_hooks_and_fsmonitor_are_off(tmp_path: Path, commands: CommandSessions) -> None:
    room = shop_with(tmp_path, commands)
    repo = room.repository()
    for name in ("pre-commit", "post-commit", "post-checkout", "commit-msg", "post-index-change"):
        room.script(repo / ".git" / "hooks" / name)
        room.script(repo / "hooks" / name)
    configure(repo, f"[core]\n\tfsmonitor = {room.evil}\n\thooksPath = hooks\n")
    said = await room.call(
        "exec", command="git add . && git commit -qm x && git checkout -q -b y", workdir="repo"
    )
    assert said == "[exit code 0]"
    assert not room.mark.exists()
    git(repo, "commit", "-q", "--allow-empty", "-m", "x")
    assert room.mark.exists(), "the plant is one"


async def test_a_nested_bare_repository_is_not_obeyed(tmp_path: Path, commands: CommandSessions) -> None:
    room = shop_with(tmp_path, commands)
    for name, text in (
        ("HEAD", "ref: refs/heads/x\n"),
        ("config", f"[core]\n\tworktree = ..\n\tfsmonitor = {room.evil}\n"),
    ):
        room.write(f"bare/{name}", text)
    (room.root / "bare" / "objects").mkdir()
    (room.root / "bare" / "refs").mkdir()
    for command in ("git status", "git add .", "git -C . commit -m x"):
        await room.result("exec", command=command, workdir="bare")
    assert not room.mark.exists()


@pytest.mark.parametrize(
    "command",
    [
        "git push ./planted HEAD:refs/heads/x",
        "git push planted HEAD:refs/heads/x",
        "git -C sub push ../planted HEAD:refs/heads/x",
        "git push --repo=planted",
        "git push gone HEAD:refs/heads/x",
        "git send-pack ./planted HEAD:refs/heads/x",
        "git remote add y ./planted && git push y HEAD:refs/heads/x",
    ],
)
async def test_a_planted_repository_that_is_pushed_to_runs_nothing(
    tmp_path: Path, commands: CommandSessions, command: str
) -> None:
    room = shop_with(tmp_path, commands)
    repo = room.repository()
    (repo / "sub").mkdir()
    git(repo, "init", "-q", "--bare", "planted")
    git(repo, "remote", "add", "gone", "./planted")
    room.script(repo / "planted" / "hooks" / "pre-receive")
    await room.result("exec", command=command, workdir="repo")
    assert not room.mark.exists()
    git(repo, "push", "-q", "./planted", "HEAD:refs/heads/y")
    assert room.mark.exists(), "the plant is one"


async def test_a_repository_outside_is_pushed_to(tmp_path: Path, commands: CommandSessions) -> None:
    room = shop_with(tmp_path, commands)
    repo = room.repository()
    git(tmp_path, "init", "-q", "--bare", "theirs.git")
    git(repo, "remote", "add", "origin", str(tmp_path / "theirs.git"))
    said = await room.call(
        "exec", command="git add . && git commit -qm x && git push -q -u origin main", workdir="repo"
    )
    assert "[exit code 0]" in said
    assert "x" in git(tmp_path / "theirs.git", "log", "-1", "--format=%s", "main")


async def test_an_old_git_does_not_work_in_what_looks_like_a_bare_repository(
    tmp_path: Path, commands: CommandSessions
) -> None:
    old = tmp_path / "old" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.30.1\n")
    old.chmod(0o755)
    room = shop_with(tmp_path, commands)
    room = PlantedRoom(tmp_path, commands, environ={"PATH": f"{old.parent}:/usr/bin:/bin"})
    room.write("bare/HEAD", "ref: refs/heads/x\n")
    for name in ("objects", "refs", "sub"):
        (room.root / "bare" / name).mkdir()
    assert "bare repository" in await room.refused("exec", command="git add .", workdir="bare")
    assert "bare repository" in await room.refused("exec", command="git add .", workdir="bare/sub")
    assert "2.30" in await room.call("exec", command="git add .")


@pytest.mark.parametrize(
    "command",
    [
        "-c core.fsmonitor=./evil status",
        "--exec-path=. x",
        "--git-dir=planted status",
        "-p log",
        "bisect run ./evil",
        "submodule foreach ./evil",
        "submodule --quiet foreach ./evil",
        "rebase -x ./evil HEAD",
        "rebase --exec=./evil HEAD",
        "clone --upload-pack=./evil a b",
        "clone --upl ./evil a b",
        "clone --u ./evil a b",
        "clone -u ./evil a b",
        "clone -c core.fsmonitor=./evil a b",
        "fetch --upload-pack ./evil",
        "push --receive-pack=./evil",
        "grep -O./evil x",
        "grep --open-files-in-pager=./evil x",
        "difftool -x ./evil",
        "filter-branch --tree-filter ./evil",
        "init --template=planted",
        "credential fill",
        "config core.fsmonitor ./evil",
        "config --global user.name x",
        "config --add alias.x !./evil",
        "config set core.hooksPath hooks",
        "config --file x.cfg a.b c",
        "config -e",
        "remote-ext a ./evil",
        "diff --ext-diff",
        "config --rename-section user core",
        "config --rename user core",
        "config rename-section user core",
        "config gc.recentObjectsHook ./evil",
        "log -1 --format=%B --output=.git/config",
        "show --outp .git/config",
    ],
)
def test_what_an_allow_for_git_does_not_cover(command: str) -> None:
    assert refused(command.split()) is not None


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "--no-pager log -p -c",
        "-C sub commit -m x",
        "commit -c HEAD",
        "commit --amend --no-edit",
        "config user.name x",
        "config --get remote.origin.url",
        "config --list",
        "checkout -b x",
        "push -u origin main",
        "clone --depth 1 https://example.org/a",
        "rebase --continue",
        "stash pop",
        "submodule update --init",
        "merge --no-ff x",
        "diff --text --exit-code",
        "archive --output=a.tar HEAD",
        "format-patch -o patches HEAD~1",
        "--version",
    ],
)
def test_what_it_covers(command: str) -> None:
    assert refused(command.split()) is None


@pytest.mark.parametrize(
    ("key", "plain"),
    [
        ("http.proxy", False),
        ("http.https://example.org/.sslVerify", False),
        ("https.sslCAInfo", False),
        ("http.extraHeader", False),
        ("remote.origin.proxy", False),
        ("http.postBuffer", True),
        ("remote.origin.url", True),
    ],
)
async def test_nobody_between_git_and_its_server_is_named_by_a_repository(
    tmp_path: Path, commands: CommandSessions, key: str, *, plain: bool
) -> None:
    """The owner's credentials go where the owner's own settings lead."""
    room = shop_with(tmp_path, commands)
    repo = room.repository()
    assert (refused(["config", key, "x"]) is None) is plain
    git(repo, "config", key, "1000")
    if plain:
        assert not (await room.result("exec", command="git add .", workdir="repo")).is_error
    else:
        assert key.lower() in (await room.refused("exec", command="git add .", workdir="repo")).lower()
