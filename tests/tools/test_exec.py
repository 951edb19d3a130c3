"""exec and process with real programs: what they give, what they leave behind (nothing), what they refuse."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.builtin import process
from openclaw_gateway.tools.exec.approvals import allow, deny
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing
from openclaw_gateway.tools.exec.commands.command import Command, CommandRefused, Order, OutputReader
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from tests.tools.rooms import KEY, Room

FULL = {"exec": {"security": "full", "ask": "off"}}
Make = Callable[..., Room]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    commands = CommandSessions()

    def build(**settings: object) -> Room:
        return Room(tmp_path, exec_tool, process, settings=settings or FULL, commands=commands)

    yield build
    await commands.close()


async def gone(pid: int) -> None:
    def over() -> bool:
        status = Path(f"/proc/{pid}/status")
        try:
            return "State:\tZ" in status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True

    await asyncio.to_thread(until, over)


async def appears(path: Path) -> str:
    await asyncio.to_thread(until, lambda: path.exists() and path.read_text().endswith("\n"))
    return path.read_text()  # noqa: ASYNC240  a line


def until(over: Callable[[], bool]) -> None:
    """For what no event tells of: the end of somebody else's process, a file of theirs."""
    deadline = time.monotonic() + 10
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_a_command_runs_in_the_workspace(make: Make) -> None:
    room = make()
    before = Path.cwd()
    room.write("sub/a.txt", "hello\n")
    assert await room.call("exec", command="pwd") == f"{room.root}\n[exit code 0]"
    assert await room.call("exec", command="cat a.txt; exit 3", workdir="sub") == "hello\n[exit code 3]"
    assert await room.call("exec", command="echo out; echo err >&2") == "out\nerr\n[exit code 0]"
    assert await room.call("exec", command="kill -9 $$") == "[ended by signal 9]"
    assert "no directory" in await room.refused("exec", command="pwd", workdir="none")
    assert Path.cwd() == before


async def test_a_command_sees_no_secret(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    room = make()
    text = await room.call("exec", command="env; cat /proc/self/environ")
    assert KEY not in text
    assert "OPENCLAW" not in text
    assert "TERM=dumb" in text


@pytest.mark.promise("CVE-2026-100570")
@pytest.mark.parametrize("background", [False, True])
async def test_nobodys_shell_files_are_read(make: Make, tmp_path: Path, *, background: bool) -> None:
    """A shell whose input is a socket takes itself for one that was called from afar, and reads ~/.bashrc."""
    room = make()
    for name in (".bashrc", ".bash_profile", ".profile"):
        (tmp_path / name).write_text(f"echo {KEY}\nls() {{ echo not ls; }}\n")
    environ = {**room.services.environ, "HOME": str(tmp_path), "BASH_ENV": str(tmp_path / ".bashrc")}
    environ["ENV"] = environ["BASH_ENV"]
    services = msgspec.structs.replace(room.services, environ=environ)
    (tool,) = exec_tool.build(services, room.agent)
    text = (await tool.run({"command": "echo run; ls", "background": background}, room.context())).text
    if background:
        id_ = text.partition("sessionId: ")[2].partition(";")[0]
        assert services.commands is not None
        await services.commands.find("main", room.context().conversation, id_).ended.wait()
        text = await room.call("process", action="log", sessionId=id_)
    assert text.startswith("run\n[")
    assert text.endswith("exit code 0]")


@pytest.mark.promise("CVE-2026-100570")
@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "BASH_ENV", "ENV", "PYTHONPATH", "NODE_OPTIONS", "GIT_DIR"]
)
async def test_a_call_cannot_add_what_loads_code(make: Make, name: str) -> None:
    room = make()
    for one in (name, name.lower()):
        assert "not taken" in await room.refused("exec", command="true", env={one: "x"})
    assert "is no name" in await room.refused("exec", command="true", env={"A=B": "x"})
    assert "must be an object" in await room.refused("exec", command="true", env=["A=B"])
    assert "y" in await room.call("exec", command="echo $MINE", env={"MINE": "y"})


async def test_output_is_capped_and_may_be_anything(make: Make) -> None:
    room = make()
    text = await room.call(
        "exec", command="echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last"
    )
    assert len(text) < 31_000
    assert text.startswith("first")
    assert "left out" in text
    assert text.endswith("last\n[exit code 0]")
    assert "\ufffd" in await room.call("exec", command="head -c 100 /bin/ls; printf '\\377\\376'")


async def test_stdin_is_closed(make: Make) -> None:
    assert await make().call("exec", command="cat; read x; echo done") == "done\n[exit code 0]"


async def test_a_timeout_kills_the_whole_group(make: Make) -> None:
    room = make()
    result = await room.result(
        "exec", command="trap '' TERM; sleep 300 & echo $! > pid; sleep 300; sleep 300", timeout=1
    )
    assert result.is_error
    assert "timed out after 1 s" in result.text
    await gone(int((room.root / "pid").read_text()))


async def test_cancelling_kills_the_whole_group(make: Make) -> None:
    room = make()
    running = asyncio.create_task(room.call("exec", command="(sleep 300 & echo $! > pid; wait) & wait"))
    pid = int(await appears(room.root / "pid"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(pid)


async def test_what_a_command_left_in_the_background_ends_with_it(make: Make) -> None:
    room = make()
    for command in ("sleep 300 & echo $!", "nohup sleep 300 >/dev/null 2>&1 & echo $!"):
        text = await room.call("exec", command=command)
        await gone(int(text.partition("\n")[0]))
        assert "left in the background, ended with it" in text
    for command in ("sleep 0 & echo $!; wait", "yes | head -n 1", "true"):
        assert "background" not in await room.call("exec", command=command)


async def test_a_long_command_goes_on_in_the_background(make: Make) -> None:
    room = make()
    os.mkfifo(room.root / "fifo")
    text = await room.call("exec", command="echo one; read x < fifo; echo two; sleep 300", yieldMs=600)
    id_ = text.partition("sessionId: ")[2].partition(";")[0]
    assert text.startswith("one\n[status: running")
    assert room.shown[-1] == "one\n"
    assert id_ in await room.call("process", action="list")
    assert await room.call("process", action="poll", sessionId=id_) == "(no new output)\n[status: running]"
    poll = asyncio.create_task(room.call("process", action="poll", sessionId=id_, timeout=30_000))
    await asyncio.to_thread((room.root / "fifo").write_text, "x\n")
    assert await poll == "two\n\n[status: running]"
    assert "one\ntwo\n[2 of 2 lines" in await room.call("process", action="log", sessionId=id_)
    assert "still running" in await room.refused("process", action="clear", sessionId=id_)
    assert await room.call("process", action="kill", sessionId=id_) == "[killed]"
    assert "killed" in await room.call("process", action="poll", sessionId=id_)
    await room.call("process", action="clear", sessionId=id_)
    assert "no session" in await room.refused("process", action="poll", sessionId=id_)


async def test_background_keeps_the_input_open(make: Make) -> None:
    room = make()
    text = await room.call("exec", command="read x; echo got $x; cat", background=True)
    id_ = text.partition("sessionId: ")[2].partition(";")[0]
    await room.call("process", action="submit", sessionId=id_, data="a")
    assert "terminal" in await room.refused("process", action="send-keys", sessionId=id_, keys=["Enter"])
    await room.call("process", action="paste", sessionId=id_, data="b\n", eof=True)
    seen = ""
    while "exit code 0" not in seen:
        seen += await room.call("process", action="poll", sessionId=id_, timeout=5000)
    assert "got a" in seen
    assert "b" in seen
    assert "input is closed" in await room.refused("process", action="write", sessionId=id_, data="x")
    await room.call("process", action="remove", sessionId=id_)
    assert await room.call("process", action="list") == "[no background commands]"


async def test_what_waits_for_a_program_that_never_reads_has_a_bound(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_READS_S", 0.2)
    room = make()
    text = await room.call("exec", command="sleep 60", background=True)
    id_ = text.partition("sessionId: ")[2].partition(";")[0]
    much = "y" * 900_000
    assert "Wrote 900000" in await room.call("process", action="write", sessionId=id_, data=much)
    for _ in range(3):
        told = await room.refused("process", action="write", sessionId=id_, data=much)
        assert "Nothing was written: it has not read" in told
    await room.call("process", action="kill", sessionId=id_)


async def test_another_agents_session_does_not_exist(make: Make, tmp_path: Path) -> None:
    room = make()
    text = await room.call("exec", command="sleep 300", background=True)
    id_ = text.partition("sessionId: ")[2].partition(";")[0]
    assert room.services.commands is not None
    with pytest.raises(CommandRefused):
        room.services.commands.find("other", room.context().conversation, id_)


async def test_another_conversations_command_does_not_exist(make: Make) -> None:
    room = make()
    text = (await room.result("exec", session_key="agent:main:a", command="sleep 300", background=True)).text
    id_ = text.partition("sessionId: ")[2].partition(";")[0]
    mine = await room.result("process", session_key="agent:main:a", action="list")
    assert id_ in mine.text
    for other in ("agent:main:b", None):
        theirs = await room.result("process", session_key=other, action="list")
        assert theirs.text == "[no background commands]"
        with pytest.raises(ToolError, match="no session"):
            await room.result("process", session_key=other, action="kill", sessionId=id_)
    assert "running" in (await room.result("process", session_key="agent:main:a", action="list")).text


# What a command leaves behind: orphans, in sessions of their own, with nobody's environment.
_THERE = "until [ -s pid ]; do sleep 0.01; done"
LEFT_BEHIND = {
    "in the background": "sleep 600 & echo $! > pid",
    "a session of its own": f"setsid sh -c 'echo $$ > pid; exec sleep 600' & {_THERE}",
    "without its environment": f"env -i setsid sh -c 'echo $$ > pid; exec sleep 600' & {_THERE}",
    "twice removed": f"(setsid sh -c '(env -i setsid sh -c \"echo \\$\\$ > pid; sleep 600\" &)' &); {_THERE}",
}


@pytest.mark.promise("command-ends")
@pytest.mark.skipif(sys.platform != "linux", reason="needs a reaper of orphans")
@pytest.mark.parametrize("line", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
async def test_nothing_that_a_command_started_outlives_it(make: Make, line: str) -> None:
    room = make()
    assert (await room.call("exec", command=f"{line}; exit 3")).endswith("[exit code 3]")
    await gone(int((room.root / "pid").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a reaper of orphans")
@pytest.mark.parametrize("line", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
async def test_nothing_outlives_a_command_that_is_killed(make: Make, line: str) -> None:
    """Not even by a shell that takes no notice of being asked to end."""
    room = make()
    text = await room.call("exec", command=f"trap '' TERM; {line}; sleep 600", background=True)
    id_ = text.partition("sessionId: ")[2].partition(";")[0]
    pid = int(await appears(room.root / "pid"))
    assert "[killed]" in await room.call("process", action="kill", sessionId=id_)
    await gone(pid)


async def test_commands_are_given_what_the_skills_have(make: Make) -> None:
    room = make()
    given = {"S_KEY": "for the skill", "LD_PRELOAD": "/evil.so", "PYTHONPATH": "/evil", "no name": "x"}
    services = msgspec.structs.replace(room.services, skill_environment={"main": given}.__getitem__)
    (tool,) = exec_tool.build(services, room.agent)
    text = (await tool.run({"command": "env"}, room.context())).text
    assert "S_KEY=for the skill" in text
    assert "evil" not in text
    assert "no name" not in text


@pytest.mark.promise("command-limits")
async def test_a_command_has_limits(make: Make) -> None:
    room = make()
    assert (
        await room.call("exec", command="nice; ulimit -c") == f"{min(os.nice(0) + 10, 19)}\n0\n[exit code 0]"
    )
    hungry = f"{sys.executable} -c 'bytearray(2 << 30)'"
    assert "MemoryError" in await room.call("exec", command=hungry)
    limits = {"memoryMb": 0, "cpuSeconds": 1, "processes": 0, "fileMb": 1}
    strict = make(exec=FULL["exec"] | {"limits": limits})
    assert "ended by signal 24" in await strict.call("exec", command="while :; do :; done")
    told = await strict.call("exec", command="head -c 3000000 /dev/zero > big; wc -c < big")
    assert "1048576" in told
    assert await strict.call("exec", command="ulimit -d") == "unlimited\n[exit code 0]"


async def test_closing_ends_everything(tmp_path: Path) -> None:
    commands = CommandSessions()
    room = Room(tmp_path, exec_tool, process, settings=FULL, commands=commands)
    await room.call("exec", command="sleep 300 & echo $! > pid; wait", background=True)
    pid = int(await appears(room.root / "pid"))
    await commands.close()
    await gone(pid)
    assert "shutting down" in await room.refused("exec", command="true")


async def test_there_are_only_so_many(tmp_path: Path) -> None:
    now = 0.0
    commands = CommandSessions(max_running_per_agent=2, max_finished_per_agent=1, clock=lambda: now)
    order = Order(("/bin/sleep", "300"), tmp_path, {}, "sleep", "main", "run run", 300)
    try:
        started = [await commands.start(order) for _ in range(2)]
        for command in started:
            commands.keep(command)
        with pytest.raises(CommandRefused, match="running already"):
            await commands.start(order)
        for command in started:
            await command.kill()
        assert len(commands.of("main", "run run")) == 1
        now = 1801.0
        assert commands.of("main", "run run") == ()
    finally:
        await commands.close()


async def test_one_conversation_does_not_take_all_the_room(tmp_path: Path) -> None:
    commands = CommandSessions()
    order = Order(("/bin/sleep", "300"), tmp_path, {}, "sleep", "main", "session one", 300)
    try:
        with pytest.raises(CommandRefused, match="running already"):
            for _ in range(16):
                await commands.start(order)
        await commands.start(msgspec.structs.replace(order, conversation="session two"))
    finally:
        await commands.close()


async def test_a_flood_does_not_hold_the_loop(make: Make) -> None:
    room = make()
    flood = asyncio.create_task(room.result("exec", command="yes", timeout=1))
    turns = 0
    while not flood.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 20
    assert "timed out" in flood.result().text


async def test_what_is_not_taken_of_a_call_is_said(make: Make) -> None:
    room = make()
    text = await room.call("exec", command="echo hi", pty=True, elevated=True, host="gateway", node="")
    assert text == "hi\n[exit code 0]\n[not taken: pty, host, elevated]"


async def test_a_call_may_ask_for_less_than_it_may(make: Make) -> None:
    room = make()
    assert "switched off" in await room.refused("exec", command="ls", security="deny")
    assert "approvals allow 'touch'" in await room.refused("exec", command="touch a", security="allowlist")
    assert await room.call("exec", command="pwd", security="allowlist") == f"{room.root}\n[exit code 0]"
    assert "must be one of" in await room.refused("exec", command="ls", security="open")
    room = make(exec={"security": "allowlist"})
    assert "Not run" in await room.refused("exec", command="touch a", security="full", ask="off")
    assert "Not run" in await room.refused("exec", command="touch a", ask="always")
    assert not (room.root / "a").exists()


@pytest.mark.parametrize("command", ["cat /etc/passwd", "cat ../a", "cat out/passwd"])
async def test_for_a_path_outside_nobody_is_told_to_allow_the_program(make: Make, command: str) -> None:
    room = make(exec={})
    (room.root / "out").symlink_to("/etc")
    text = await room.refused("exec", command=command)
    assert "use a path inside the workspace" in text
    assert "approvals allow" not in text


async def test_what_models_write_to_look_passes(make: Make) -> None:
    room = make(exec={})
    room.write("src/a.py", "one\n/api/v1\nthree\n")
    room.write("src/b.py", "two\n")
    room.write("-n", "dash\n")
    for command, said in (
        ("cat src/*.py 2>&1 | head -n 2", "one\n/api/v1"),
        ("ls nosuch 2>/dev/null || echo none", "none"),
        ("ls nosuch >/dev/null 2>&1; echo on", "on"),
        ("grep -rn '/api/v1' src", "src/a.py:2:/api/v1"),
        ("grep -l --include=*.py two -r .", "./src/b.py"),
        ("sed -n '2,3p' src/a.py", "/api/v1\nthree"),
        ("sed -n '/\\/api/p' src/a.py", "/api/v1"),
        ("cd src && ls *.py", "./a.py\n./b.py"),
        ("cd src; cat b.py", "two"),
        ("cat [!s]*", "dash"),
        ("echo *.none", "./*.none"),
        ("find . -name *.py -path '*/b*'", "./src/b.py"),
        ("cut -d / -f 2 src/a.py | sed -n 2p", "api"),
    ):
        text = await room.call("exec", command=command)
        assert text == f"{said}\n[exit code 0]"
    assert "bash" in await room.call("exec", command="which bash")
    assert "bash" in await room.call("exec", command="command -v bash")


@pytest.mark.parametrize(
    "command",
    [
        "cat *",
        "cat out/*",
        "cat o*/secret",
        "head -n 1 ./*",
        "cat */secret",
        "cat li?k",
        "cd in; cat secret",
    ],
)
async def test_no_glob_leads_out(make: Make, tmp_path: Path, command: str) -> None:
    room = make(exec={})
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "secret").write_text("what nobody may see\n")
    (room.root / "out").symlink_to(tmp_path / "beside")
    (room.root / "link").symlink_to(tmp_path / "beside" / "secret")
    (room.root / "secret").symlink_to(tmp_path / "beside" / "secret")
    (room.root / "in").mkdir()
    assert "leads out of the workspace" in await room.refused("exec", command=command)


@pytest.mark.parametrize(
    "script",
    [
        "w out",
        "p;w out",
        "s/a/b/w out",
        "s/.*/touch out/e",
        "1e touch out",
        "r /etc/passwd",
        "R /etc/passwd",
        "W out",
    ],
)
async def test_sed_neither_writes_nor_reads_nor_runs(make: Make, script: str) -> None:
    room = make(exec={})
    room.write("a", "a\n")
    for command in (f"sed -n '{script}' a", f"sed -e '{script}' a", f"sed --expression '{script}' a"):
        text = await room.call("exec", command=command)
        assert "root:" not in text
        assert "exit code 1" in text
    assert not (room.root / "out").exists()


@pytest.mark.promise("exec-starter-list")
async def test_the_default_is_a_list_and_the_answer_is_no(make: Make) -> None:
    room = make(exec={})
    room.write("a.txt", "hello\n")
    assert await room.call("exec", command="cat a.txt | wc -l") == "1\n[exit code 0]"
    assert await room.call("exec", command="echo /etc | tr / _") == "_etc\n[exit code 0]"
    text = await room.refused("exec", command="python3 -c 'print(1)'")
    assert "no narrow rule allows this" in text
    assert "approvals allow" not in text
    text = await room.refused("exec", command="python3 -m pip list")
    assert "openclaw approvals allow 'python3 -m pip' --agent main" in text
    assert "redirections" in await room.refused("exec", command="ls > b")
    assert "not taken" in await room.refused("exec", command="ls", env={"MINE": "1"})
    assert "outside the workspace" in await room.refused("exec", command="ls", workdir="..")
    with changing(approvals_path(room.state)) as document:
        allow(document, "main", "python3")
    assert await room.call("exec", command="python3 -c 'print(1)'") == "1\n[exit code 0]"


def deep_link(root: Path, names: list[str], target: Path) -> None:
    """`deep`, from where the names lead to a link `x`: farther down than a path from / can say."""
    at = os.open(root, os.O_RDONLY)
    for name in ("real", *names):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.symlink(target, "x", dir_fd=at)
    os.close(at)
    (root / "deep").symlink_to("real")


async def test_looking_stays_in_the_workspace(make: Make, tmp_path: Path) -> None:
    room = make(exec={})
    (tmp_path / "secret").write_text("the secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "secret").write_text("the secret")
    (room.root / "link.txt").symlink_to(tmp_path / "secret")
    (room.root / "out").symlink_to(tmp_path / "folder")
    (room.root / ".hidden").symlink_to(tmp_path / "secret")
    room.write("sub/a", "fine\n")
    (room.root / "sub" / "deep").symlink_to(tmp_path / "secret")
    deep_link(room.root, ["d" * 200] * 20, tmp_path / "secret")
    for command in (
        "cat link.txt",
        "cat *.txt",
        "cat .h*",
        "cat ./l?nk.txt",
        "cat out/secret",
        "cat out/*",
        "cat */*",
        "cd out && cat secret",
        "cd sub && cat deep",
        "grep -r secret out",
        "diff sub out",
        "sort --key=1 link.txt",
        f"cat {tmp_path}/secret",
        f"cat {'./' * 2030}link.txt",
        f"cat deep/{'/'.join(['d' * 200] * 20)}/x",
        f"cat /proc/{os.getpid()}/environ",
    ):
        assert "the secret" not in await room.refused("exec", command=command)
    assert "the secret" not in await room.call("exec", command="grep -r secret .")
    assert await room.call("exec", command="cd sub && cat a") == "fine\n[exit code 0]"


@pytest.mark.promise("CVE-2026-100561")
async def test_the_shell_does_not_walk_round_what_is_denied(make: Make) -> None:
    room = make()
    with changing(approvals_path(room.state)) as document:
        deny(document, "*", "touch")
    for command in (
        "touch made",
        "X=1 touch made",
        "time touch made",
        "if touch made; then echo; fi",
        "command touch made",
        "env touch made",
        "hash -p /bin/touch ls; ls made",
    ):
        await room.refused("exec", command=command)
    assert not (room.root / "made").exists()
    assert await room.call("exec", command="printf %s fine") == "fine\n[exit code 0]"


async def test_after_cd_a_relative_program_is_not_another_one(make: Make) -> None:
    room = make(exec={})
    for name in ("run.sh", "sub/run.sh"):
        room.write(name, f"#!/bin/sh\necho {name}\n").chmod(0o755)
    with changing(approvals_path(room.state)) as document:
        allow(document, "*", str(room.root / "run.sh"))
    assert await room.call("exec", command="./run.sh") == "run.sh\n[exit code 0]"
    assert "set workdir" in await room.refused("exec", command="cd sub && ./run.sh")
    assert "Not run" in await room.refused("exec", command="./run.sh", workdir="sub")


@pytest.mark.promise("CVE-2026-100584")
async def test_a_program_of_the_workspace_does_not_pass_for_another(tmp_path: Path) -> None:
    room = Room(tmp_path, settings={})
    fake = room.write("bin/ls", "#!/bin/sh\necho fake\n")
    fake.chmod(0o755)
    commands = CommandSessions()
    environ = {**room.services.environ, "PATH": f"{room.root}/bin:.::{os.environ['PATH']}"}
    services = msgspec.structs.replace(room.services, environ=environ, commands=commands)
    (tool,) = exec_tool.build(services, room.agent)
    assert "fake" not in (await tool.run({"command": "ls"}, room.context())).text
    with pytest.raises(ToolError):
        await tool.run({"command": "bin/ls"}, room.context())
    await commands.close()


@pytest.mark.promise("CVE-2026-71963")
async def test_a_repository_made_by_file_tools_runs_nothing(make: Make) -> None:
    room = make(exec={})
    for name, text in (
        ("HEAD", "ref: refs/heads/x\n"),
        ("config", "[core]\n\tworktree = ..\n\tfsmonitor = touch ../pwned\n"),
    ):
        room.write(f"bare/{name}", text)
    (room.root / "bare" / "objects").mkdir()
    (room.root / "bare" / "refs").mkdir()
    text = await room.refused("exec", command="git status", workdir="bare")
    assert "no git repository" in text or not shutil.which("git")
    assert not (room.root / "pwned").exists()
    assert not (room.root.parent / "pwned").exists()


@pytest.mark.parametrize(
    "command",
    [
        "cat [^x]w",
        "cat p*",
        "cd l[d] && cat evil",
        "diff ./ld* ./le*",
        "uniq v[12]",
    ],
)
async def test_patterns_are_no_way_around_the_checks(make: Make, tmp_path: Path, command: str) -> None:
    """What the shell makes of a pattern is not what was judged."""
    room = make(exec={})
    (tmp_path / "secret").write_text("the secret")
    (room.root / "pw").symlink_to(tmp_path / "secret")
    (room.root / "ld").mkdir()
    (room.root / "ld" / "evil").symlink_to(tmp_path / "secret")
    room.write("le/evil", "x")
    room.write("v1", "one\n")
    room.write("v2", "two\n")
    assert "the secret" not in await room.refused("exec", command=command)
    assert (room.root / "v2").read_text() == "two\n"


async def test_a_pattern_that_only_the_shell_would_know_gives_nothing(make: Make, tmp_path: Path) -> None:
    room = make(exec={})
    (tmp_path / "secret").write_text("the secret")
    (room.root / "pw").symlink_to(tmp_path / "secret")
    (room.root / "out").symlink_to(tmp_path)
    for command in ("cat [[:alpha:]]w", "cat [o]ut/s*", "jq -n -c i*/t*/o*/c*", "cat o*/s*", "echo out/*"):
        text = await room.call("exec", command=command)
        assert "the secret" not in text
        assert "out/secret" not in text


async def test_the_output_s_descriptor_is_closed_once(tmp_path: Path) -> None:
    """A second close would hit whoever has the number by then."""
    order = Order(("/bin/echo", "hi"), tmp_path, {}, "echo hi", "main", "run run", timeout_s=10)
    reading, writing = os.pipe()
    reader = OutputReader(Command("c", order, time.monotonic), reading)
    reader.open()
    reader.close()
    somebody, else_ = os.pipe()
    assert reading in {somebody, else_}, "the number is used again at once"
    reader.close()
    reader.open()
    for descriptor in (somebody, else_, writing):
        os.fstat(descriptor)
        os.close(descriptor)
