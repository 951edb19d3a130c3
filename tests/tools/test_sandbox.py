"""The sandbox: what a command sees of the machine, and that an agent without one is told so."""

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openclaw_gateway.tools.base import ToolAgent
from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.builtin import process, read, write
from openclaw_gateway.tools.exec.approvals import allow
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.sandbox import check_sandbox
from openclaw_gateway.tools.scope import sandboxed
from openclaw_gateway.wire.run import Origin
from tests.tools.rooms import OPERATOR, Room

STRANGER = Origin("owner", "http", "conversation")
FULL = {"exec": {"security": "full", "ask": "off"}}


@pytest.fixture
async def commands() -> AsyncIterator[CommandSessions]:
    sessions = CommandSessions()
    yield sessions
    await sessions.close()


async def sandboxed_room(tmp_path: Path, commands: CommandSessions, **sandbox: Any) -> Room:
    room = Room(
        tmp_path,
        exec_tool,
        process,
        read,
        write,
        settings=FULL,
        sandbox={"mode": "all", **sandbox},
        commands=commands,
    )
    why = await check_sandbox(room.agent, room.services.environ)
    if why is not None:
        pytest.skip(why)
    return room


@pytest.mark.promise("sandbox")
async def test_a_sandboxed_command_sees_its_workspace_and_nothing_of_the_machine(
    tmp_path: Path, commands: CommandSessions
) -> None:
    room = await sandboxed_room(tmp_path, commands, workspaceAccess="rw")
    room.write("a.txt", "hello\n")
    (tmp_path / "state" / "openclaw.json").write_text("the secret")
    assert await room.call("exec", command="cat a.txt; pwd") == f"hello\n{room.root}\n[exit code 0]"
    await room.call("exec", command="echo new > b.txt")
    assert (room.root / "b.txt").read_text() == "new\n"
    text = await room.call(
        "exec", command=f"cat {tmp_path}/state/openclaw.json; ls /root /home /etc/shadow; touch /usr/x; env"
    )
    assert "the secret" not in text
    assert "OPENAI" not in text
    assert text.count("No such file") >= 2
    assert "Read-only file system" in text
    assert await room.call("exec", command=f"kill -0 {os.getpid()} 2>&1 || echo nobody") != "[exit code 0]"


async def test_access_is_as_granted(tmp_path: Path, commands: CommandSessions) -> None:
    room = await sandboxed_room(tmp_path, commands, workspaceAccess="ro")
    room.write("a.txt", "hello\n")
    assert "Read-only" in await room.call("exec", command="cat a.txt; echo x > a.txt")
    assert await room.call("read", path="a.txt") == "hello"
    assert "read-only" in await room.refused("write", path="a.txt", content="x")
    assert (room.root / "a.txt").read_text() == "hello\n"


@pytest.mark.promise("sandbox-access")
async def test_without_access_there_is_a_folder_of_its_own(tmp_path: Path, commands: CommandSessions) -> None:
    room = await sandboxed_room(tmp_path, commands)
    room.write("a.txt", "hello\n")
    assert "Created" in await room.call("write", path="c.txt", content="x")
    assert "no such file" in await room.refused("read", path="a.txt")
    text = await room.call("exec", command=f"cat {room.root}/a.txt; echo mine > b.txt")
    assert "hello" not in text
    assert await room.call("read", path="b.txt") == "mine"
    assert not (room.root / "b.txt").exists()


@pytest.mark.promise("sandbox-network")
async def test_the_network_is_only_there_when_granted(tmp_path: Path, commands: CommandSessions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected"
        for network in (False, True):
            room = await sandboxed_room(tmp_path, commands, workspaceAccess="rw", network=network)
            assert ("connected\n" in await room.call("exec", command=command)) is network


async def test_a_sandboxed_command_is_killed_whole(tmp_path: Path, commands: CommandSessions) -> None:
    room = await sandboxed_room(tmp_path, commands, workspaceAccess="rw")
    result = await room.result("exec", command="setsid sleep 54321 & sleep 54321", timeout=1)
    assert "timed out" in result.text
    cmdlines = [path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdecimal()]  # noqa: ASYNC240
    alive = [path for path in cmdlines if path.exists() and b"54321" in path.read_bytes()]
    assert alive == []


async def test_an_agent_without_its_sandbox_is_told_why(tmp_path: Path) -> None:
    agent = ToolAgent("main", tmp_path / "workspace", {}, {"mode": "all"})
    assert "not installed" in (await check_sandbox(agent, {"PATH": str(tmp_path)}) or "")
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    assert "No permissions" in (await check_sandbox(agent, {"PATH": str(tmp_path)}) or "")
    assert await check_sandbox(ToolAgent("main", tmp_path, {}), {"PATH": ""}) is None


@pytest.mark.parametrize(
    ("mode", "origin", "key", "expected"),
    [
        ("off", OPERATOR, None, False),
        ("all", OPERATOR, "agent:main:main", True),
        ("non-main", OPERATOR, "agent:main:main", False),
        ("non-main", OPERATOR, "agent:main:other", True),
        ("non-main", OPERATOR, None, True),
        # Whoever writes the main session's key into a header is not the operator.
        ("non-main", STRANGER, "agent:main:main", True),
        (None, OPERATOR, None, False),
        ("off", replace(OPERATOR, confined=True), "agent:main:main", True),
        (None, replace(STRANGER, confined=True), None, True),
    ],
)
def test_which_calls_are_sandboxed(
    mode: str | None, origin: Origin, key: str | None, *, expected: bool
) -> None:
    assert sandboxed(ToolAgent("main", Path("/"), {}, {"mode": mode}), origin, key) is expected


async def test_a_repository_is_read_only_there_unless_git_is_allowed(
    tmp_path: Path, commands: CommandSessions
) -> None:
    room = await sandboxed_room(tmp_path, commands, workspaceAccess="rw")
    room.write("repo/.git/config", "as it was\n")
    room.write("repo/a", "")
    plant = "echo planted >> repo/.git/config; echo b > repo/a; cat repo/a"
    said = await room.call("exec", command=plant)
    assert "Read-only file system" in said
    assert "b\n" in said
    assert (room.root / "repo/.git/config").read_text() == "as it was\n"
    with changing(approvals_path(room.state)) as document:
        allow(document, "main", "git")
    assert "Read-only" not in await room.call("exec", command=plant)
    assert (room.root / "repo/.git/config").read_text() == "as it was\nplanted\n"
