"""What the gateway started dies with it, also when it is killed, and also what left its process group."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from openclaw_gateway.children import MARK
from openclaw_gateway.tools.exec.commands.command import Command, Order

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

_GATEWAY = """
import asyncio, os, sys
from pathlib import Path
from openclaw_gateway.tools.exec.commands.command import Order
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions

async def main():
    commands = CommandSessions()
    environ = {"PATH": os.environ["PATH"]}
    order = Order(("/bin/sh", "-c", sys.argv[1]), Path.cwd(), environ, "", "main", "run run", 600.0)
    await commands.start(order)
    if sys.argv[2:] == ["uvloop"]:
        assert type(asyncio.get_running_loop()).__module__ == "uvloop"
    print("started", flush=True)
    await asyncio.Event().wait()

import uvloop
runner = asyncio.Runner(loop_factory=uvloop.new_event_loop if sys.argv[2:] else None)
runner.run(main())
"""
LINES = {
    "itself": "echo $$ > pid; exec sleep 600",
    "its child": "sleep 600 & echo $! > pid; wait",
    "in the background": "(sleep 600 & echo $! > pid) ; exec sleep 600",
    "a session of its own": "setsid sh -c 'echo $$ > pid; exec sleep 600'",
    "without its environment": "setsid env -i sh -c 'echo $$ > pid; exec sleep 600' & wait",
    "takes no notice": "trap '' TERM HUP INT; echo $$ > pid; while :; do sleep 1; done",
}


def read(path: Path) -> str:
    """Nothing when there is nothing."""
    try:
        return path.read_text()
    except OSError:
        return ""


async def appears(path: Path) -> int:
    return int(await text_of(path))


async def text_of(path: Path) -> str:
    """Once there is one: a program that begins another has no environment for a moment."""
    async with asyncio.timeout(20):
        # A file tells nobody when it is written, nor a stranger's child when it dies.
        while not (text := read(path).strip()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return text


async def dies(pid: int) -> None:
    """Until it is no more, or only its parent has not asked yet."""
    async with asyncio.timeout(20):
        while is_alive(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    status = read(Path(f"/proc/{pid}/stat"))
    return bool(status) and status.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.parametrize("loop", [(), ("uvloop",)])
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
async def test_a_command_dies_with_a_gateway_that_is_killed(
    tmp_path: Path, line: str, loop: tuple[str, ...]
) -> None:
    environ = {name: value for name, value in os.environ.items() if name != MARK}
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _GATEWAY, line, *loop), cwd=tmp_path, env=environ
    )
    try:
        pid = await appears(tmp_path / "pid")
        if "env -i" not in line:
            assert f"{MARK}=" in await text_of(Path(f"/proc/{pid}/environ"))
    finally:
        gateway.send_signal(signal.SIGKILL)
        await gateway.wait()
    await dies(pid)


_CHAIN = """
import os, signal, sys, time
for number in range(int(sys.argv[1])):
    if os.fork():
        time.sleep(0 if not number else 600)
        os._exit(0)
    if sys.argv[2] == "sessions":
        os.setsid()
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open("pid", "w") as file:
    print(os.getpid(), file=file)
time.sleep(600)
"""


def _command(folder: Path, how: str, then: str) -> Command:
    line = f'"$1" -c "$2" 30 {how}; until [ -s pid ]; do sleep 0.01; done; {then}'
    argv = ("/bin/sh", "-c", line, "sh", sys.executable, _CHAIN)
    order = Order(argv, folder, {"PATH": os.environ["PATH"]}, "", "main", "run run", 600.0)
    return Command("id", order, time.monotonic)


@pytest.mark.parametrize("how", ["sessions", "group"])
async def test_what_started_one_another_all_ends_with_its_command(tmp_path: Path, how: str) -> None:
    command = _command(tmp_path, how, "exit 3")
    await command.launch()
    async with asyncio.timeout(20):
        await command.ended.wait()
    assert command.exit_code == 3
    await dies(int(read(tmp_path / "pid")))


@pytest.mark.parametrize("how", ["sessions", "group"])
async def test_or_when_it_is_killed(tmp_path: Path, how: str) -> None:
    command = _command(tmp_path, how, "sleep 600")
    await command.launch()
    pid = await appears(tmp_path / "pid")
    async with asyncio.timeout(20):
        await command.kill()
    await dies(pid)


async def test_ending_very_many_does_not_hold_the_loop(tmp_path: Path) -> None:
    line = "trap '' TERM; for i in $(seq 400); do sleep 600 & done; echo $! > pid; wait; wait"
    order = Order(("/bin/sh", "-c", line), tmp_path, {"PATH": os.environ["PATH"]}, "", "main", "run", 600.0)
    command = Command("id", order, time.monotonic)
    await command.launch()
    pid = await appears(tmp_path / "pid")
    ending = asyncio.create_task(command.kill())
    longest = 0.0
    while not ending.done():
        before = time.monotonic()
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
    await dies(pid)
    assert longest < 0.5


_NAMED = """
import ctypes, os, time
if os.fork():
    os._exit(0)
os.setsid()
ctypes.CDLL(None).prctl(15, b"x) Z\\n", 0, 0, 0)
with open("pid", "w") as file:
    print(os.getpid(), file=file)
time.sleep(600)
"""


async def test_one_whose_name_says_that_it_has_ended_ends_too(tmp_path: Path) -> None:
    argv = (
        "/bin/sh",
        "-c",
        '"$@"; until [ -s pid ]; do sleep 0.01; done',
        "sh",
        sys.executable,
        "-c",
        _NAMED,
    )
    order = Order(argv, tmp_path, {"PATH": os.environ["PATH"]}, "", "main", "run run", 600.0)
    command = Command("id", order, time.monotonic)
    await command.launch()
    async with asyncio.timeout(20):
        await command.ended.wait()
    await dies(int(read(tmp_path / "pid")))
