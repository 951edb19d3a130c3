"""What the operator allowed, and no more: the words that were judged, the program that was named, its agent,
its file, its environment.

Each case tries to get a program that leaves a mark to run.
"""

import shlex
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.tools.allowlist import Rules, decide
from openclaw_gateway.tools.approvals import allow, approvals_path, changing, rules_for
from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.commands.sessions import CommandSessions
from tests.security.planted import Workshop
from tests.tools.houses import Room


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    commands = CommandSessions()
    yield Workshop(tmp_path, commands)
    await commands.close()


def allowed(shop: Workshop, *patterns: str, agent: str = "main") -> None:
    with changing(approvals_path(shop.state)) as document:
        for pattern in patterns:
            allow(document, agent, pattern)


async def tried(room: Room, commands: Iterable[str], **arguments: Any) -> None:
    """Refused or not."""
    for command in commands:
        try:
            await room.result("exec", command=command, **arguments)
        except ToolError as error:
            assert "Not run" in str(error) or "character" in str(error), error


BREAKS = (
    *("\n", "\r", "\r\n", "\0", "\v", "\f", "\x1b", "\x85", "\u2028", "\u2029", "\u00a0", "\ufeff"),
    *("\\\n", "\\\r\n", "\\\\\n", "\\\u2028", "$'\\n'", "\x1a", "\x7f", "\u037e", "\uff1b", "\uff06\uff06"),
)
AROUND = (
    *("ls{b}{evil}", "ls {b}{evil}", "ls{b} {evil}", "{b}{evil}", "'ls'{b}{evil}", "ls '{b}'{b}{evil}"),
    *('ls "{b}{evil}"', "ls a{b}; {evil}", "ls #{b}{evil}", "echo a && ls{b}{evil}", "ls | cat{b}{evil}"),
    *("ls \\{b}{evil}", "l{b}s{b}{evil}", "git{b}status{b}{evil}", "ls -{b}{evil}", "cd sub && ls{b}{evil}"),
)


@pytest.mark.promise("CVE-2026-100559")
@pytest.mark.parametrize("around", AROUND)
async def test_no_break_hides_a_command_from_the_check(shop: Workshop, around: str) -> None:
    """CVE-2026-100559: newline, CR, NUL, U+2028 and the like, escaped or not, in any position."""
    shop.write("sub/a", "")
    commands = [around.format(b=one, evil=shop.evil) for one in BREAKS]
    await tried(shop, commands)
    allowed(shop, "ls", "echo")
    await tried(shop, commands[::4])
    assert not shop.mark.exists()


@pytest.mark.promise("CVE-2026-100560")
async def test_an_allow_holds_for_the_file_that_was_shown(shop: Workshop) -> None:
    """CVE-2026-100560: not for another of its name, and not for what is put in its place as a link."""
    fine = shop.script(shop.root / "fine.sh", more="exit 0")
    fine.write_text("#!/bin/sh\necho fine $1\n")
    allowed(shop, str(fine))
    assert await shop.call("exec", command="./fine.sh a") == "fine a\n[exit code 0]"
    shop.script(shop.root / "sub" / "fine.sh")
    shop.script(shop.root / "fine.shx")
    shop.script(shop.root / "other.sh")
    await tried(shop, ("sub/fine.sh", "cd sub && ./fine.sh", "./fine.shx", "./other.sh", "fine.sh"))
    await tried(shop, ("./fine.sh; ./other.sh", f"./fine.sh && {shop.evil}", f"./fine.sh | {shop.evil}"))
    fine.unlink()
    fine.symlink_to(shop.evil)
    await tried(shop, ("./fine.sh",))
    assert not shop.mark.exists()


WRAPPERS = (
    *("env {p}", "env -i A=1 {p}", "xargs {p}", "nice {p}", "nice -n 5 {p}", "timeout 5 {p}", "nohup {p}"),
    *("setsid {p}", "setsid -w {p}", "flock lock {p}", "stdbuf -o0 {p}", "time {p}", "ionice {p}"),
    *("unshare {p}", "prlimit {p}", "setarch -R {p}", "linux64 {p}", "script -c {p} out", "taskset 1 {p}"),
    *(
        "run-parts {p}",
        "watch {p}",
        "strace {p}",
        "busybox sh -c {p}",
        "chrt 0 {p}",
        "exec {p}",
        "command {p}",
    ),
    *("builtin command {p}", "eval {p}", "sudo {p}", "systemd-run {p}", "env env env {p}", "ssh-agent {p}"),
    *("X=1 {p}", "'env' {p}", "/usr/bin/env {p}", "/usr/bin/timeout 5 {p}", "setpriv {p}", "ENV {p}"),
)


@pytest.mark.promise("CVE-2026-100561", "no-allow-inherited")
@pytest.mark.parametrize("command", WRAPPERS)
async def test_an_allowed_wrapper_runs_no_other_program(shop: Workshop, command: str) -> None:
    """CVE-2026-100561, CVE-2026-62190."""
    name = shlex.split(command)[0]
    for patterns in ((name,), ("*",), ("/*",), ("/usr/bin/*", "/bin/*"), (f"{name[:2]}*", f"*{name[-2:]}")):
        allowed(shop, *patterns)
        await tried(shop, (command.format(p=shop.evil), f"ls | {command.format(p=shop.evil)}"))
    assert not shop.mark.exists()


INTERPRETERS = ("sh -c {p}", "bash {p}", "python3 -c 'import os; os.system(\"{p}\")'")


@pytest.mark.promise("CVE-2026-100561")
@pytest.mark.parametrize("command", INTERPRETERS)
async def test_only_its_name_allows_an_interpreter(shop: Workshop, command: str) -> None:
    """CVE-2026-100561, CVE-2026-62190: a pattern for a folder of programs does not."""
    name = shlex.split(command)[0]
    allowed(shop, "/usr/bin/*", "/bin/*", "/usr/*", name[0] + "*")
    await tried(shop, (command.format(p=shop.evil),))
    assert not shop.mark.exists()
    allowed(shop, name)
    await tried(shop, (command.format(p=shop.evil),))
    assert shop.mark.exists()


@pytest.mark.promise("CVE-2026-100561")
async def test_a_link_does_not_make_a_wrapper_another_program(shop: Workshop) -> None:
    """CVE-2026-100561, CVE-2026-62190."""
    for name in ("env", "sh", "timeout", "nice"):
        (shop.root / f"tool-{name}").symlink_to(f"/usr/bin/{name}")
    allowed(shop, "/usr/bin/*", "/bin/*", f"{shop.root}/*", "tool-*")
    await tried(
        shop, (f"./tool-env {shop.evil}", f"./tool-timeout 5 {shop.evil}", f"./tool-nice {shop.evil}")
    )
    await tried(shop, (f"./tool-sh {shop.evil}", f"./tool-sh -c {shop.evil}"))
    assert not shop.mark.exists()


@pytest.mark.promise("CVE-2026-100530", "CVE-2026-100598")
async def test_an_allow_holds_for_its_agent_its_folder_and_its_environment(shop: Workshop) -> None:
    """CVE-2026-100530, CVE-2026-100598."""
    program = shop.script(shop.root / "run.sh")
    allowed(shop, str(program), agent="work")
    await tried(shop, ("./run.sh", str(program)))
    assert rules_for(shop.state, "work", {}).allow == (str(program),)
    assert rules_for(shop.state, "main", {}).allow == ()
    other = shop.root / "other"
    shop.script(other / "run.sh")
    allowed(shop, str(program))
    await tried(shop, ("./run.sh",), workdir="other")
    await tried(shop, ("cd other && ./run.sh",))
    assert not shop.mark.exists()
    for name in ("PATH", "LD_PRELOAD", "BASH_ENV", "MINE", "HOME", "GIT_DIR", "PYTHONPATH"):
        refused = await shop.refused("exec", command="./run.sh", env={name: str(other)})
        assert "not taken" in refused
    assert not shop.mark.exists()
    await tried(shop, ("./run.sh",))
    assert shop.mark.exists(), "allowed, there and so"


@pytest.mark.promise("CVE-2026-100570")
@pytest.mark.parametrize(
    "command",
    [
        *(
            "sort --compress-program={p} a",
            "sort --compress-prog {p} a",
            "find . -exec {p} +",
            "rg --pre {p} x",
        ),
        *(
            "find . -okdir {p}",
            "find . -fprintf {p} x",
            "git -c core.fsmonitor={p} status",
            "git --exec-path={p} x",
        ),
        *("git -c alias.x=!{p} x", "git --paginate log", "git difftool -x {p}", "git log --ext-diff"),
        *("git diff --textconv", "git grep --open-files-in-pager={p} a", "git status --config-env=a=b"),
        *(
            "rg --hostname-bin {p} x",
            "rg --search-zip x",
            "tar --to-command={p} -xf a",
            "less a",
            "man -P {p} ls",
        ),
        *("date -f a", "file -z a", "file -m a a", "jq -L . .", "jq --from-file a", "tail --follow a"),
        *("diff --to-file=a b", "wc --files0-from=a", "ls --hyperlink", "xargs -a a {p}", "bash -l", "sh -i"),
    ],
)
async def test_arguments_of_a_listed_program_are_judged(shop: Workshop, command: str) -> None:
    """CVE-2026-100570, nanobot CVE-2026-90808, -90809, -19243, -19245."""
    shop.write("a", "a\n")
    shop.repository(".")
    await shop.refused("exec", command=command.format(p=shop.evil))
    assert not shop.mark.exists()


def test_no_pattern_covers_what_a_wrapper_runs() -> None:
    programs = {"env": "/usr/bin/env", "npm": "/usr/bin/npm", "e": "/usr/bin/coreutils"}
    for pattern in ("env", "/usr/bin/env", "e*", "*", "/usr/bin/e*"):
        verdict = decide("env npm", Rules(allow=(pattern, "npm")), resolve=programs.get, root="/w")
        assert "makes another program run" in getattr(verdict, "reason", "")
