"""A git that may only look: whatever somebody planted in a repository runs nothing and reads nothing outside.

File tools do not write inside .git, but others do: an MCP server, a sandboxed agent, a command of another
agent. Each plant is first tried with the operator's own git, to see that it is one.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from openclaw_gateway.tools.allowlist import NO_RULES
from openclaw_gateway.tools.approvals import allow, approvals_path, changing
from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.commands.sessions import CommandSessions
from openclaw_gateway.tools.listed import git_place, git_program
from openclaw_gateway.tools.permission import Permit, Wish, permit
from openclaw_gateway.tools.sandbox import check_sandbox
from tests.security.planted import SECRET, Workshop, configure, git
from tests.tools.houses import Room

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")

LOOKS = (
    "git status",
    "git diff",
    "git diff HEAD -- a.txt",
    "git log -p --stat",
    "git show HEAD",
    "git blame a.txt",
    "git ls-files -m -o",
    "git branch -avv",
    "git rev-parse HEAD",
)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    commands = CommandSessions()
    yield Workshop(tmp_path, commands)
    await commands.close()


async def looked(shop: Workshop, workdir: str = "repo") -> str:
    """What all the looks say."""
    said = []
    for command in LOOKS:
        try:
            said.append((await shop.result("exec", command=command, workdir=workdir)).text)
        except ToolError as error:
            said.append(str(error))
    return "\n".join(said)


async def test_looking_works(shop: Workshop) -> None:
    shop.repository()
    assert "modified:   a.txt" in await shop.call("exec", command="git status", workdir="repo")
    assert "-one\n+two" in await shop.call("exec", command="git diff", workdir="repo")
    assert "first" in await shop.call("exec", command="cd repo && git log --oneline | head -n 1")
    assert "+one" in await shop.call("exec", command="git show", workdir="repo")
    assert "one" in await shop.call("exec", command="git show HEAD:a.txt", workdir="repo")
    (shop.root / "repo" / "sub").mkdir()
    text = await shop.call("exec", command="git rev-parse --show-toplevel", workdir="repo/sub")
    assert text.startswith(str(shop.root / "repo"))
    # It follows what happens: a commit, another branch, packed objects.
    repo = shop.root / "repo"
    git(repo, "checkout", "-q", "-b", "other")
    git(repo, "commit", "-q", "-a", "-m", "second")
    git(repo, "gc", "-q")
    git(repo, "update-index", "--split-index")
    text = await shop.call("exec", command="git log --oneline", workdir="repo")
    assert "first" in text
    assert "second" in text
    assert "On branch other" in await shop.call("exec", command="git status", workdir="repo")


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


def plant(shop: Workshop, repo: Path, name: str) -> str:
    """The key that must be named."""
    key, text = PLANTS[name]
    (repo / "more").write_text(f"[core]\n\tfsmonitor = {shop.evil}\n")
    hooks = shop.root / "hooks"
    shop.script(hooks / "post-index-change")
    configure(repo, text.format(evil=shop.evil, hooks=hooks, secret=shop.outside / "secret"))
    return key


@pytest.mark.promise("CVE-2026-71963", "git-looks")
@pytest.mark.parametrize("name", PLANTS)
async def test_a_planted_setting_runs_nothing_and_is_named(shop: Workshop, name: str) -> None:
    """Hermes CVE-2026-71963."""
    repo = shop.repository()
    key = plant(shop, repo, name)
    for command in LOOKS:
        text = await shop.refused("exec", command=command, workdir="repo")
        assert key in text
        assert "openclaw approvals allow 'git' --agent main" in text
    assert not shop.mark.exists()
    if name in RUNS:
        git(repo, "diff")
        git(repo, "status")
        assert shop.mark.exists(), "the plant is one"


@pytest.mark.promise("CVE-2026-71963")
@pytest.mark.parametrize("name", sorted(RUNS | {"a hook", "a pager", "gpg", "another work tree"}))
async def test_what_is_planted_between_check_and_run_has_no_say(shop: Workshop, name: str) -> None:
    """Hermes CVE-2026-71963: git is not given the repository's own settings at all."""
    repo = shop.repository()
    allowed = [permission(shop, command) for command in LOOKS]
    plant(shop, repo, name)
    for one in allowed:
        await run(one)
    assert not shop.mark.exists()
    assert "two" in await run(allowed[1])


def permission(shop: Workshop, command: str) -> Permit:
    wish = Wish(command, "main", shop.root, "repo", None, {}, NO_RULES)
    return permit(wish, shop.state, shop.house.environ)


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


Plant = Callable[[Workshop, Path], None]


def _worktree_config(shop: Workshop, repo: Path) -> None:
    configure(repo, "[extensions]\n\tworktreeConfig = true\n")
    configure(repo, f"[core]\n\tfsmonitor = {shop.evil}\n", ".git/config.worktree")


def _git_file(shop: Workshop, repo: Path) -> None:
    (repo / ".git").rename(shop.root / "hidden")
    (repo / ".git").write_text("gitdir: ../hidden\n")
    configure(shop.root, f"[core]\n\tfsmonitor = {shop.evil}\n", "hidden/config")


def _common(shop: Workshop, repo: Path) -> None:
    shop.repository("other")
    configure(shop.root / "other", f"[core]\n\tfsmonitor = {shop.evil}\n")
    (repo / ".git" / "commondir").write_text("../../other/.git\n")


def _submodule(shop: Workshop, repo: Path) -> None:
    part = shop.repository("part")
    git(repo, "submodule", "add", "-q", str(part), "part")
    git(repo, "commit", "-q", "-m", "part")
    configure(repo, f"[core]\n\tfsmonitor = {shop.evil}\n", ".git/modules/part/config")
    (repo / "part" / "a.txt").write_text("three\n")
    # What .gitmodules says goes before the configuration.
    configure(repo, "\tignore = none\n", ".gitmodules")


def _gitlink(shop: Workshop, repo: Path) -> None:
    """A repository in a repository, which the index knows as a submodule."""
    part = shop.repository("repo/part")
    git(repo, "add", "part")
    git(repo, "commit", "-q", "-m", "part")
    configure(part, f"[core]\n\tfsmonitor = {shop.evil}\n")
    (part / "a.txt").write_text("three\n")


def _hooks(shop: Workshop, repo: Path) -> None:
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"):
        shop.script(repo / ".git" / "hooks" / name, more="exit 0")
    os.utime(repo / ".gitattributes", (1, 1))


@pytest.mark.promise("CVE-2026-71963")
@pytest.mark.parametrize("place", [_worktree_config, _git_file, _common, _submodule, _gitlink, _hooks])
async def test_whatever_place_a_plant_has_it_runs_nothing(shop: Workshop, place: Plant) -> None:
    """Hermes CVE-2026-71963."""
    repo = shop.repository()
    place(shop, repo)
    said = await looked(shop)
    assert not shop.mark.exists()
    assert "core.fsmonitor" in said or "modified:   a.txt" in said
    git(repo, "status")
    git(repo, "diff")
    assert shop.mark.exists(), "the plant is one"


@pytest.mark.promise("CVE-2026-71963")
async def test_a_planted_bare_repository_is_none(shop: Workshop) -> None:
    """Hermes CVE-2026-71963: with git < 2.38 the folder itself was taken for a git directory."""
    bare = shop.root / "bare"
    for folder in ("objects", "refs/heads"):
        (bare / folder).mkdir(parents=True)
    (bare / "HEAD").write_text("ref: refs/heads/x\n")
    (bare / "config").write_text(
        f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = {shop.evil}\n"
    )
    for command in LOOKS:
        assert "no git repository" in await shop.refused("exec", command=command, workdir="bare")
    assert not shop.mark.exists()
    git(bare, "status")
    assert shop.mark.exists(), "the plant is one"


async def test_no_repository_above_the_workspace_is_found(shop: Workshop) -> None:
    git(shop.outside, "init", "-q")
    configure(shop.outside, f"[core]\n\tfsmonitor = {shop.evil}\n")
    (shop.root / "sub").mkdir()
    assert "no git repository" in await shop.refused("exec", command="git status", workdir="sub")
    assert not shop.mark.exists()


@pytest.mark.promise("CVE-2026-71963")
async def test_settings_of_a_home_that_agents_write_to_are_not_read(tmp_path: Path) -> None:
    """Hermes CVE-2026-71963: a container's home is often the workspace."""
    commands = CommandSessions()
    home = tmp_path / "state" / "workspace"
    shop = Workshop(tmp_path, commands, environ={"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")})
    shop.repository()
    shop.write(".gitconfig", f"[core]\n\tfsmonitor = {shop.evil}\n[diff]\n\texternal = {shop.evil}\n")
    shop.write(".config/git/config", f"[core]\n\tfsmonitor = {shop.evil}\n")
    said = await looked(shop)
    assert "modified:   a.txt" in said
    assert not shop.mark.exists()
    await commands.close()


def _outside_repository(shop: Workshop) -> Path:
    """The operator's own, beside the workspace; its file name is its secret."""
    place = shop.outside / "private"
    place.mkdir()
    git(place, "init", "-q", "-b", "main")
    (place / "secret-name").write_text(SECRET)
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", SECRET)
    return place / ".git"


def _file_to_outside(repo: Path, private: Path) -> None:
    shutil.rmtree(repo / ".git")
    (repo / ".git").write_text(f"gitdir: {private}\n")


def _link_to_outside(repo: Path, private: Path) -> None:
    shutil.rmtree(repo / ".git")
    (repo / ".git").symlink_to(private)


def _common_outside(repo: Path, private: Path) -> None:
    (repo / ".git" / "commondir").write_text(f"{private}\n")


def _borrowed(repo: Path, private: Path) -> None:
    (repo / ".git/objects/info/alternates").write_text(f"{private}/objects\n")
    (repo / ".git/refs/heads/main").write_text((private / "refs/heads/main").read_text())


def _linked(part: str) -> Callable[[Path, Path], None]:
    def plant(repo: Path, private: Path) -> None:
        target = repo / ".git" / part
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        target.symlink_to(private / part)
        (repo / ".git/refs/heads").mkdir(parents=True, exist_ok=True)

    plant.__name__ = f"linked {part}"
    return plant


def _linked_object(repo: Path, private: Path) -> None:
    for folder in (private / "objects").iterdir():
        (repo / ".git/objects" / folder.name).mkdir(exist_ok=True)
        for one in folder.iterdir():
            link = repo / ".git/objects" / folder.name / one.name
            link.unlink(missing_ok=True)
            link.symlink_to(one)
    (repo / ".git/refs/heads/main").write_text((private / "refs/heads/main").read_text())


@pytest.mark.parametrize(
    "place",
    [
        *(_file_to_outside, _link_to_outside, _common_outside, _borrowed, _linked_object),
        *map(_linked, ("HEAD", "index", "objects", "refs", "refs/heads", "logs", "config")),
    ],
)
async def test_nothing_outside_is_read(shop: Workshop, place: Callable[[Path, Path], None]) -> None:
    private = _outside_repository(shop)
    repo = shop.repository()
    place(repo, private)
    for command in LOOKS:
        text = await shop.refused("exec", command=command, workdir="repo")
        assert "secret-name" not in text
        assert SECRET not in text


async def test_a_split_index_is_not_another_repositorys(shop: Workshop) -> None:
    private = _outside_repository(shop)
    git(private.parent, "update-index", "--split-index")
    (shared,) = private.glob("sharedindex.*")
    repo = shop.repository()
    (repo / ".git" / shared.name).symlink_to(shared)
    (repo / ".git/index").write_bytes((private / "index").read_bytes())
    assert "secret-name" not in await shop.refused("exec", command="git ls-files", workdir="repo")


@pytest.mark.parametrize("name", ["HEAD", "config", "index", "packed-refs", "refs/heads/pipe", "commondir"])
async def test_a_pipe_in_a_repository_holds_nobody_up(shop: Workshop, name: str) -> None:
    repo = shop.repository()
    (repo / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(repo / ".git" / name)
    assert "Not run" in await shop.refused("exec", command="git status", workdir="repo")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((".git", b""), (".git", b"gitdir: \0\n"), (".git", b"gitdir: nowhere\n"), (".git", b"x" * 100_000)),
        *((".git", b"gitdir: .\n"), (".git", b"gitdir: ../../../../../../etc\n"), (".git", b"gitdir:\n")),
        *((".git/HEAD", b""), (".git/HEAD", b"ref: refs/../../x\n"), (".git/HEAD", b"ref: ../HEAD\n")),
        *((".git/HEAD", b"ref: refs/heads/a\nref: refs/heads/b\n"), (".git/HEAD", b"x" * 100_000)),
        *((".git/config", b"[core\n"), (".git/config", b"\0"), (".git/config", b"[a]\n" * 100_000)),
        *((".git/commondir", b"\0"), (".git/commondir", b"/etc\n"), (".git/commondir", b"nowhere\n")),
    ],
)
async def test_an_odd_repository_is_refused(shop: Workshop, name: str, content: bytes) -> None:
    repo = shop.repository()
    if name == ".git":
        shutil.rmtree(repo / ".git")
    (repo / name).write_bytes(content)
    text = await shop.refused("exec", command="git status", workdir="repo")
    assert text.startswith("Not run: the repository ")


async def test_what_a_setting_is_called_is_shown_on_one_line(shop: Workshop) -> None:
    """It is somebody's text, and a model reads it."""
    repo = shop.repository()
    configure(repo, '[evil "a\x1b\u2028b\r' + "c" * 500 + '"]\n\tk = v\n')
    configure(repo, "".join(f"[evil]\n\tk{number} = v\n" for number in range(500)))
    text = await shop.refused("exec", command="git status", workdir="repo")
    assert text.isprintable()
    assert "and 493 more" in text
    assert len(text) < 1000


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
    shop = Workshop(tmp_path, commands, environ={"PATH": f"{tools}:{os.environ['PATH']}"})
    shop.repository()
    shop.script(tools / "git", more=f"echo {said}")
    for command in LOOKS:
        assert reason in await shop.refused("exec", command=command, workdir="repo")
    assert shop.mark.read_text() == "ran\n", "asked for its version, and nothing else"
    assert sum("not on the list" in record.message for record in caplog.records) == 1
    await commands.close()


async def test_a_git_that_does_not_answer_is_not_on_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_program, "_PATIENCE_S", 0.1)
    commands = CommandSessions()
    tools = tmp_path / "tools"
    shop = Workshop(tmp_path, commands, environ={"PATH": f"{tools}:{os.environ['PATH']}"})
    shop.repository()
    shop.script(tools / "git", more="exec sleep 60")
    text = await shop.refused("exec", command="git status", workdir="repo")
    assert "does not say its version" in text
    await commands.close()


async def test_a_new_kind_of_git_is_on_the_list(tmp_path: Path) -> None:
    commands = CommandSessions()
    tools = tmp_path / "tools"
    shop = Workshop(tmp_path, commands, environ={"PATH": f"{tools}:{os.environ['PATH']}"})
    shop.repository()
    shop.script(tools / "git", more="echo git version 3.0.1.vendor")
    assert "3.0.1" in await shop.call("exec", command="git status", workdir="repo")
    await commands.close()


@pytest.mark.parametrize("access", ["ro", "rw"])
async def test_a_sandboxed_git_looks_too(tmp_path: Path, access: str) -> None:
    sandbox = {"mode": "all", "workspaceAccess": access}
    commands = CommandSessions()
    room = Room(tmp_path, exec_tool, sandbox=sandbox, commands=commands)
    if await check_sandbox(room.agent, room.house.environ) is not None:
        pytest.skip("no bubblewrap here")
    shop = Workshop(tmp_path, commands)
    shop.repository()
    assert "modified:   a.txt" in await room.call("exec", command="git status", workdir="repo")
    await commands.close()


async def test_work_trees_and_submodules_inside_the_workspace_are_looked_into(shop: Workshop) -> None:
    repo = shop.repository()
    git(repo, "worktree", "add", "-q", "../tree")
    git(repo, "submodule", "add", "-q", str(shop.repository("part")), "part")
    assert "On branch tree" in await shop.call("exec", command="git status", workdir="tree")
    assert "first" in await shop.call("exec", command="git log", workdir="repo/part")


async def test_the_operators_own_git_keeps_his_settings(shop: Workshop) -> None:
    """What he allowed by name is not hardened: it commits, and finds its repository itself."""
    repo = shop.repository()
    with changing(approvals_path(shop.state)) as document:
        allow(document, "main", "git")
    configure(repo, "[alias]\n\tone = log --oneline\n")
    assert "first" in await shop.call("exec", command="git one", workdir="repo")
    assert "modified" in await shop.call("exec", command="git status && echo a | wc -l", workdir="repo")


async def test_there_is_one_view_for_each_repository_that_is_there(shop: Workshop) -> None:
    shop.repository("one")
    await shop.call("exec", command="git status && git log", workdir="one")
    await shop.call("exec", command="git status", workdir="one")
    views = shop.state / "git"
    assert len(list(views.iterdir())) == 1
    shutil.rmtree(shop.root / "one")
    shop.repository("two")
    await shop.call("exec", command="git status", workdir="two")
    (view,) = views.iterdir()
    assert view.joinpath("index").readlink() == shop.root / "two/.git/index"
    assert view.stat().st_mode & 0o777 == 0o700


async def test_many_look_at_once_and_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    commands = CommandSessions()
    shop = Workshop(tmp_path / 'it\'s a\n$(touch x) `y` "z"', commands)
    for name in ("one", "two's"):
        shop.repository(name)
    looks = [("git status -s", name) for name in ("one", "two's") for _ in range(4)]
    said = await asyncio.gather(
        *(shop.call("exec", command=command, workdir=name) for command, name in looks)
    )
    assert {one.startswith(" M a.txt") for one in said} == {True}, said
    assert {path.name for path in (shop.state / "git").iterdir() if path.name.startswith(".")} == set()
    await commands.close()
