"""`kill -9` of the real program: what it has started for its agents dies with it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import say
from tests.doors.test_kill import at, process
from tests.doors.tool_replies import calls
from tests.tools import mcp_server
from tests.tools.test_orphans import appears, dies, is_alive, read

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

# An MCP server with a child that hears nothing of the end of its input.
_SERVER = """
import os, runpy, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.DEVNULL)
for name, pid in (("server", os.getpid()), ("child", child.pid)):
    with open(os.path.join(sys.argv[1], name + ".new"), "w") as file:
        file.write(str(pid))
    os.rename(file.name, os.path.join(sys.argv[1], name))
runpy.run_path(sys.argv[2], run_name="__main__")
"""


async def child_of(parent: int, word: str) -> int:
    """The process of this parent with the word in its command line, once there is one."""
    async with asyncio.timeout(20):
        while True:
            for number in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
                status = read(Path(f"/proc/{number}/stat")).rpartition(")")[2].split()
                if status[1:2] == [str(parent)] and word in read(Path(f"/proc/{number}/cmdline")):
                    return int(number)
            await asyncio.sleep(0.01)


async def killed(gateway: asyncio.subprocess.Process) -> None:
    gateway.send_signal(signal.SIGKILL)
    await gateway.wait()


async def test_a_search_that_takes_for_ever(models: ModelServer, tmp_path: Path) -> None:
    pattern = msgspec.json.encode({"pattern": "(a+)+$"}).decode()
    models.script("mock-echo", calls(("g", "grep", pattern)), says("never"))
    async with process(tmp_path, models) as (gateway, url):
        (tmp_path / "workspace").mkdir(exist_ok=True)
        (tmp_path / "workspace" / "long.txt").write_text("a" * 60 + "!")
        asking = asyncio.create_task(say(at(url, tmp_path), "search"))
        search = await child_of(gateway.pid, "tools.files.jobs")
        assert not asking.done()
        await killed(gateway)
        (lost,) = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(lost, aiohttp.ClientError)
    await dies(search)


async def test_an_mcp_server_and_what_it_has_started(models: ModelServer, tmp_path: Path) -> None:
    arguments = ["-c", _SERVER, str(tmp_path), str(mcp_server.__file__)]
    servers = {"small": {"command": sys.executable, "args": arguments}}
    async with process(tmp_path, models, {"mcp": {"servers": servers}}) as (gateway, _):
        pids = [await appears(tmp_path / name) for name in ("server", "child")]
        assert all(map(is_alive, pids))
        await killed(gateway)
    for pid in pids:
        await dies(pid)
