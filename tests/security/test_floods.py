"""Floods of tool calls, bodies and patches on a machine of 2 GB: the gateway goes on answering, and ends when
it is told to.

The times are measured by a process of its own, which has nothing else to do; the deadlines are those of an
operator who looks on, five seconds, and not how fast it is.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from openclaw_gateway.testing.gateway import TOKEN
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import ask, say, user
from tests.doors.test_kill import at, process
from tests.doors.tool_replies import calls

DEADLINE_S = 5.0
_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
os.execv(sys.argv[1], sys.argv[1:])
"""
LIMITED = (sys.executable, "-c", _LIMITED)
# Asks for /health until its input ends, and says each time how long it took.
_PROBE = """
import http.client, select, sys, time
host, port = sys.argv[1], int(sys.argv[2])
while not select.select([0], [], [], 0.02)[0]:
    began = time.monotonic()
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", "/health")
    assert connection.getresponse().read()
    connection.close()
    print(time.monotonic() - began, flush=True)
"""
_PROBES = 40
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")


@asynccontextmanager
async def looked_at(url: str) -> AsyncIterator[None]:
    """/health answers all the time."""
    host, port = url.removeprefix("http://").split(":")
    probe = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROBE, host, port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert probe.stdin is not None
    assert probe.stdout is not None
    yield
    took = [float(await probe.stdout.readline()) for _ in range(_PROBES)]
    probe.stdin.close()
    took += map(float, (await probe.stdout.read()).split())
    await probe.wait()
    assert max(took) < DEADLINE_S, f"{len(took)} times, median {sorted(took)[len(took) // 2]}"


async def ends(gateway: asyncio.subprocess.Process) -> None:
    """Told to, in the middle of it."""
    gateway.send_signal(signal.SIGTERM)
    async with asyncio.timeout(DEADLINE_S):
        assert await gateway.wait() == 0


def flood(kind: str, folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """The tool and its calls."""
    if kind == "searches":
        (folder / "a").write_text("a" * 60 + "!")
        return "grep", [{"pattern": f"(a+)+{number}$"} for number in range(80)]
    # Whose lines are all in the file, and nowhere together.
    (folder / "big.txt").write_text("a\nb\n" * 1_625_000)
    if kind == "patches":
        patch = "*** Begin Patch\n*** Update File: big.txt\n@@\n a\n-a\n*** End Patch"
        return "apply_patch", [{"input": patch} for _ in range(8)]
    return "edit", [{"path": "big.txt", "oldText": "a \na ", "newText": f"{n}"} for n in range(8)]


@pytest.mark.parametrize("kind", ["searches", "patches", "edits"])
async def test_a_flood_of_tool_calls(models: ModelServer, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    name, each = flood(kind, folder)
    asked = [(f"c{number}", name, json.dumps(arguments)) for number, arguments in enumerate(each)]
    models.script("mock-echo", *(calls(*asked) for _ in range(4)), says("done"))
    async with process(tmp_path, models, under=LIMITED) as (gateway, url):
        flooding = [asyncio.create_task(say(at(url, tmp_path), f"go {n}", user=f"u{n}")) for n in range(4)]
        async with looked_at(url):
            async with asyncio.timeout(20):
                while len(models.requests) < 4:  # noqa: ASYNC110 - the model is asked, and answers with calls
                    await asyncio.sleep(0.01)
            (folder / "b").touch()
            listed = json.dumps({"path": "."})
            models.script("mock-echo", calls(("l", "ls", listed)), says("there it is"))
            # Another agent's, or user's, small call is not kept waiting by large ones for ever.
            async with asyncio.timeout(60):
                assert (await say(at(url, tmp_path), "look", user="other")).status == 200
        await ends(gateway)
        await asyncio.gather(*flooding, return_exceptions=True)


@pytest.mark.promise("limit.maxBodiesBytes")
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_flood_of_bodies(models: ModelServer, tmp_path: Path) -> None:
    history = [user("x" * 1_000_000) for _ in range(18)]
    async with process(tmp_path, models, under=LIMITED) as (gateway, url):

        async def send() -> int:
            try:
                return (await ask(at(url, tmp_path), {"messages": history})).status
            except aiohttp.ClientError:
                return 0

        async with looked_at(url):
            statuses = await asyncio.gather(*(send() for _ in range(40)))
        assert set(statuses) <= {200, 503, 0}, statuses
        assert 200 in statuses
        assert TOKEN  # the gateway is the one of the tests
        await ends(gateway)
