"""What the operator allowed, and no more: the words that were judged, the program that was named, its agent,
its file, its environment.

Each case tries to get a program that leaves a mark to run.
"""

import shlex
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.exec.allowlist import Rules, decide
from openclaw_gateway.tools.exec.approvals import FILE_NAME, allow, rules_for
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile, approvals_path, changing
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from tests.security.planted import PlantedRoom
from tests.tools.rooms import Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[PlantedRoom]:
    commands = CommandSessions()
    yield PlantedRoom(tmp_path, commands)
    await commands.close()


def allowed(room: PlantedRoom, *patterns: str, agent: str = "main") -> None:
    with changing(approvals_path(room.state)) as document:
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
async def test_no_break_hides_a_command_from_the_check(room: PlantedRoom, around: str) -> None:
    """CVE-2026-100559: newline, CR, NUL, U+2028 and the like, escaped or not, in any position."""
    room.write("sub/a", "")
    commands = [around.format(b=one, evil=room.evil) for one in BREAKS]
    await tried(room, commands)
    allowed(room, "ls", "echo")
    await tried(room, commands[::4])
    assert not room.mark.exists()


@pytest.mark.promise("CVE-2026-100560")
async def test_an_allow_holds_for_the_file_that_was_shown(room: PlantedRoom) -> None:
    """CVE-2026-100560: not for another of its name, and not for what is put in its place as a link."""
    fine = room.script(room.root / "fine.sh", more="exit 0")
    fine.write_text("#!/bin/sh\necho fine $1\n")
    allowed(room, str(fine))
    assert await room.call("exec", command="./fine.sh a") == "fine a\n[exit code 0]"
    room.script(room.root / "sub" / "fine.sh")
    room.script(room.root / "fine.shx")
    room.script(room.root / "other.sh")
    await tried(room, ("sub/fine.sh", "cd sub && ./fine.sh", "./fine.shx", "./other.sh", "fine.sh"))
    await tried(room, ("./fine.sh; ./other.sh", f"./fine.sh && {room.evil}", f"./fine.sh | {room.evil}"))
    fine.unlink()
    fine.symlink_to(room.evil)
    await tried(room, ("./fine.sh",))
    assert not room.mark.exists()


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
async def test_an_allowed_wrapper_runs_no_other_program(room: PlantedRoom, command: str) -> None:
    """CVE-2026-100561, CVE-2026-62190."""
    name = shlex.split(command)[0]
    for patterns in ((name,), ("*",), ("/*",), ("/usr/bin/*", "/bin/*"), (f"{name[:2]}*", f"*{name[-2:]}")):
        allowed(room, *patterns)
        await tried(room, (command.format(p=room.evil), f"ls | {command.format(p=room.evil)}"))
    assert not room.mark.exists()


INTERPRETERS = ("sh -c {p}", "bash {p}", "python3 -c 'import os; os.system(\"{p}\")'")


@pytest.mark.promise("CVE-2026-100561")
@pytest.mark.parametrize("command", INTERPRETERS)
async def test_only_its_name_allows_an_interpreter(room: PlantedRoom, command: str) -> None:
    """CVE-2026-100561, CVE-2026-62190: a pattern for a folder of programs does not."""
    name = shlex.split(command)[0]
    allowed(room, "/usr/bin/*", "/bin/*", "/usr/*", name[0] + "*")
    await tried(room, (command.format(p=room.evil),))
    assert not room.mark.exists()
    allowed(room, name)
    await tried(room, (command.format(p=room.evil),))
    assert room.mark.exists()


@pytest.mark.promise("CVE-2026-100561")
async def test_a_link_does_not_make_a_wrapper_another_program(room: PlantedRoom) -> None:
    """CVE-2026-100561, CVE-2026-62190."""
    for name in ("env", "sh", "timeout", "nice"):
        (room.root / f"tool-{name}").symlink_to(f"/usr/bin/{name}")
    allowed(room, "/usr/bin/*", "/bin/*", f"{room.root}/*", "tool-*")
    await tried(
        room, (f"./tool-env {room.evil}", f"./tool-timeout 5 {room.evil}", f"./tool-nice {room.evil}")
    )
    await tried(room, (f"./tool-sh {room.evil}", f"./tool-sh -c {room.evil}"))
    assert not room.mark.exists()


@pytest.mark.promise("CVE-2026-100530", "CVE-2026-100598")
async def test_an_allow_holds_for_its_agent_its_folder_and_its_environment(room: PlantedRoom) -> None:
    """CVE-2026-100530, CVE-2026-100598."""
    program = room.script(room.root / "run.sh")
    allowed(room, str(program), agent="work")
    await tried(room, ("./run.sh", str(program)))
    kept, theirs = ApprovalsFile(room.state), room.state.parent / FILE_NAME
    assert rules_for(kept, theirs, "work", {}).allow == (str(program),)
    assert rules_for(kept, theirs, "main", {}).allow == ()
    other = room.root / "other"
    room.script(other / "run.sh")
    allowed(room, str(program))
    await tried(room, ("./run.sh",), workdir="other")
    await tried(room, ("cd other && ./run.sh",))
    assert not room.mark.exists()
    for name in ("PATH", "LD_PRELOAD", "BASH_ENV", "MINE", "HOME", "GIT_DIR", "PYTHONPATH"):
        refused = await room.refused("exec", command="./run.sh", env={name: str(other)})
        assert "not taken" in refused
    assert not room.mark.exists()
    await tried(room, ("./run.sh",))
    assert room.mark.exists(), "allowed, there and so"


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
async def test_arguments_of_a_listed_program_are_judged(room: PlantedRoom, command: str) -> None:
    """CVE-2026-100570, nanobot CVE-2026-90808, -90809, -19243, -19245."""
    room.write("a", "a\n")
    room.repository(".")
    await room.refused("exec", command=command.format(p=room.evil))
    assert not room.mark.exists()


def test_no_pattern_covers_what_a_wrapper_runs() -> None:
    programs = {"env": "/usr/bin/env", "npm": "/usr/bin/npm", "e": "/usr/bin/coreutils"}
    for pattern in ("env", "/usr/bin/env", "e*", "*", "/usr/bin/e*"):
        verdict = decide("env npm", Rules(allow=(pattern, "npm")), resolve=programs.get, root="/w")
        assert "makes another program run" in getattr(verdict, "reason", "")
