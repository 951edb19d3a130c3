"""What of a command a person is asked, what runs after a yes, and what nobody is ever asked."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.tools.base import Reply, ToolContext
from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.exec.approvals import allow, deny, read_approvals
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing
from openclaw_gateway.tools.exec.asking import permitted
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.permission import Wish
from openclaw_gateway.wire.approvals import CommandQuestion
from tests.tools.rooms import Room


class Operator:
    """Answers every question alike, after doing something; `asked` are the questions."""

    def __init__(self) -> None:
        self.asked: list[CommandQuestion] = []
        self.says: Reply = "allow-once"
        self.first: Callable[[], object] = lambda: None
        self._allowed: set[tuple[str, bytes]] = set()

    async def ask(self, context: ToolContext, question: CommandQuestion) -> Reply:
        self.asked.append(question)
        self.first()
        return self.says

    async def remember(self, context: ToolContext, what: bytes) -> None:
        self._allowed.add((context.conversation, what))

    async def remembered(self, context: ToolContext) -> frozenset[bytes]:
        return frozenset(what for where, what in self._allowed if where == context.conversation)


@pytest.fixture
def operator() -> Operator:
    return Operator()


@pytest.fixture
async def room(tmp_path: Path, operator: Operator) -> AsyncIterator[Room]:
    commands = CommandSessions()
    yield Room(tmp_path, exec_tool, settings={"exec": {}}, commands=commands, questions=operator)
    await commands.close()


def rules(room: Room, change: Callable[[dict[str, Any], str, str], bool], *patterns: str) -> None:
    with changing(approvals_path(room.state)) as document:
        for pattern in patterns:
            change(document, "main", pattern)


async def test_a_command_is_shown_as_it_runs(room: Room, operator: Operator) -> None:
    room.write("notes", "b\na\n")
    said = await room.call("exec", command="cat notes|sort -o 'out file' && rm  notes", env={"LANG": "C"})
    assert said == "[exit code 0]"
    assert (room.root / "out file").read_text() == "a\nb\n"
    (question,) = operator.asked
    assert question.command == "cat notes | sort -o 'out file' && rm notes"
    assert (question.command_argv, question.env_keys, question.host) == (None, ("LANG",), "gateway")
    assert question.decisions == ("allow-once", "allow-session", "allow-always", "deny")
    assert "'sort', 'rm'" in question.warning_text


@pytest.mark.parametrize(
    "command",
    [
        "cd / && touch made",  # cd to where it may not look
        "touch made & ls",
        "touch made; cd sub; ls",
        "cat link && touch made",  # a link out of the workspace
        "xargs touch made",
        "timeout 5 touch made",
        "X=1 touch made",
        "no-such-program made",
        "eval 'touch made'",
        "cd sub && ./tool made",
    ],
)
async def test_what_could_not_be_shown_whole_is_not_asked(
    room: Room, operator: Operator, command: str, tmp_path: Path
) -> None:
    room.write("sub/tool", "#!/bin/sh\ntouch made\n").chmod(0o755)
    (tmp_path / "secret").write_text("s")
    (room.root / "link").symlink_to(tmp_path / "secret")
    assert "Not run" in await room.refused("exec", command=command)
    assert operator.asked == []
    assert not (room.root / "made").exists()


async def test_where_all_is_asked_about_the_shape_of_a_command_is_what_is_wrong_with_it(
    room: Room, operator: Operator
) -> None:
    said = await room.refused("exec", command="touch $HOME/made", ask="always")
    assert "variables and $( ) are not allowed" in said
    assert operator.asked == []
    await room.call("exec", command="touch made", ask="always")
    assert operator.asked[0].decisions == ("allow-once", "deny")


async def test_a_folder_that_a_person_cannot_read_is_not_asked_about(room: Room, operator: Operator) -> None:
    (room.root / "safe\u202eevas").mkdir()
    await room.refused("exec", command="touch made", workdir="safe\u202eevas")
    assert operator.asked == []


@pytest.mark.parametrize("unseen", ["\ufe0f", "\u3164", "\u2800", "\u200b", "\U000e0101"])
async def test_a_name_that_looks_like_another_for_what_nobody_sees_in_it_is_not_asked_about(
    room: Room, operator: Operator, unseen: str
) -> None:
    room.write("safe", "#!/bin/sh\n").chmod(0o755)
    room.write(f"safe{unseen}", "#!/bin/sh\ntouch made\n").chmod(0o755)
    await room.refused("exec", command=f"./safe{unseen}")
    assert operator.asked == []
    await room.call("exec", command="./safe")
    assert len(operator.asked) == 1


async def test_scripts_that_a_glob_gives_an_interpreter_are_not_asked_about(
    room: Room, operator: Operator
) -> None:
    operator.says = "allow-session"
    room.write("run.sh", "echo one\n")
    for command in ("sh *.sh", "sh ru[n].sh", "ls && sh r?n.sh"):
        assert "Not run" in await room.refused("exec", command=command)
    assert operator.asked == []
    await room.call("exec", command="rm *.sh")
    assert len(operator.asked) == 1


async def test_what_is_denied_is_not_asked_and_not_run_after_a_yes(room: Room, operator: Operator) -> None:
    rules(room, deny, "rm")
    assert "denied by the operator" in await room.refused("exec", command="touch made && rm made")
    assert operator.asked == []
    operator.first = lambda: rules(room, deny, "touch")
    assert "denied by the operator" in await room.refused("exec", command="touch made")
    assert len(operator.asked) == 1
    assert not (room.root / "made").exists()


async def test_a_program_that_changed_meanwhile_does_not_run(room: Room, operator: Operator) -> None:
    tool = room.write("tool", "#!/bin/sh\necho fine\n")
    tool.chmod(0o755)
    operator.first = lambda: tool.write_text("#!/bin/sh\ntouch made\n")
    assert "changed meanwhile" in await room.refused("exec", command="./tool")
    assert not (room.root / "made").exists()
    assert operator.asked[0].resolved_path == str(tool.resolve())


async def test_a_session_remembers_the_very_same_only(room: Room, operator: Operator) -> None:
    operator.says = "allow-session"
    script = room.write("run.sh", "echo one\n")
    for _ in range(2):
        assert "one" in await room.call("exec", command="sh run.sh", session_key="agent:main:a")
    assert len(operator.asked) == 1
    for again in (
        {"command": "sh  ./run.sh"},
        {"command": "sh run.sh", "session_key": "agent:main:b"},
        {"command": "sh run.sh", "env": {"LANG": "C"}},
    ):
        await room.call("exec", **{"session_key": "agent:main:a", **again})
    assert len(operator.asked) == 4
    script.write_text("echo two\n")
    assert "two" in await room.call("exec", command="sh run.sh", session_key="agent:main:a")
    assert len(operator.asked) == 5


async def test_a_yes_for_the_sandbox_is_none_for_the_machine(room: Room, operator: Operator) -> None:
    operator.says = "allow-session"
    wish = Wish("touch made", "main", room.root, None, None, {})
    for sandboxed in (True, True, False, False):
        await permitted(wish, room.services, room.context("agent:main:a"), sandboxed=sandboxed)
    assert [question.host for question in operator.asked] == ["sandbox", "gateway"]


async def test_always_is_open_only_where_a_rule_says_no_more(room: Room, operator: Operator) -> None:
    operator.says = "deny"
    room.write("build.sh")
    for command, always in (
        ("git commit -m x", True),
        ("touch a", True),
        ("python3 -m json.tool", True),
        ("python3 -c pass", False),
        ("sh build.sh", True),
        ("tar cf a.tar build.sh", False),
        ("cat /etc/hostname", False),
        ("find . -delete", False),
    ):
        operator.asked.clear()
        await room.refused("exec", command=command)
        offered = [("allow-always" in question.decisions) for question in operator.asked]
        assert offered == [always], command


async def test_always_writes_every_rule_that_it_showed(room: Room, operator: Operator) -> None:
    operator.says = "allow-always"
    await room.call("exec", command="touch a && mkdir b", session_key="agent:main:a")
    section = read_approvals(approvals_path(room.state)).agents["main"]
    assert [one.pattern for one in section.allowlist] == ["touch", "mkdir"]
    await room.call("exec", command="touch c", session_key="agent:main:b")
    assert len(operator.asked) == 1


async def test_rules_that_cannot_be_written_are_a_yes_for_once(room: Room, operator: Operator) -> None:
    operator.says = "allow-always"
    approvals_path(room.state).with_suffix(".lock").mkdir()
    await room.call("exec", command="touch made")
    assert (room.root / "made").exists()
    assert not approvals_path(room.state).exists()


async def test_a_git_that_is_agreed_to_is_hardened_like_an_allowed_one(
    room: Room, operator: Operator
) -> None:
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@b.c", "-C", str(room.root))
    clean = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(room.root)}
    for words in (["init", "-q"], ["config", "user.name", "A"], ["config", "user.email", "a@b.c"]):
        await asyncio.to_thread(subprocess.run, [*git, *words], check=True, env=clean)
    hook = room.write(".git/hooks/pre-commit", "#!/bin/sh\ntouch planted\n")
    hook.chmod(0o755)
    said = await room.call("exec", command="git commit -q --allow-empty -m x")
    assert said == "[exit code 0]"
    assert operator.asked[0].command == "git commit -q --allow-empty -m x"
    assert not (room.root / "planted").exists()


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (
            "nobody",
            "Nobody was there to ask. To allow it from now on, the operator types: openclaw approvals",
        ),
        ("expired", "did not answer in time. To allow"),
        ("full", "too many questions"),
        ("shutdown", "shutting down"),
        ("deny", "said no"),
    ],
)
async def test_what_the_model_is_told_without_a_yes(
    room: Room, operator: Operator, says: Reply, text: str
) -> None:
    operator.says = says
    assert text in await room.refused("exec", command="touch made")
    rules(room, allow, "touch")
    await room.call("exec", command="touch made")
    assert len(operator.asked) == 1
