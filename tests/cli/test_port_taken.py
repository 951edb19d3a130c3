"""A port that is taken: by whom is said, and which one is free."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openclaw_gateway.cli.process.port_holder import free_port, port_holder
from openclaw_gateway.doors.listener import PortTaken
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.conftest import DEADLINE_S, Program

# Stands for the other systems' gateways: a program of another kind that names itself as they do.
OTHER = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = b"<!doctype html><body><openclaw-app></openclaw-app>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
"""


@asynccontextmanager
async def other_program(named: str | None = None) -> AsyncIterator[tuple[int, int]]:
    """A process with that page and, where one is given, that name; its pid and port."""
    process = await asyncio.create_subprocess_exec(
        *(named or sys.executable, "-c", OTHER),
        executable=sys.executable,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            yield process.pid, int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


@pytest.mark.promise("error.port_taken", "port-taken")
async def test_a_taken_port_says_by_whom_and_offers_a_free_one(configured: Program) -> None:
    async with other_program("openclaw-gateway") as (pid, port):
        done = await configured.run("gateway", "--port", str(port))
        assert (done.code, done.out) == (69, "")
        assert f"on 127.0.0.1 port {port}: it is taken by OpenClaw's own gateway (pid {pid}" in done.err
        offered = re.search(r"Port (\d+) is free: openclaw gateway run --port (\d+) ", done.err)
        assert offered is not None
        assert offered[1] == offered[2] != str(port)
        again = await configured.start("gateway", "run", "--port", offered[1])
        await again.says("Ready.")


async def test_a_port_that_another_has_on_the_other_loopback_is_taken(models: ModelServer) -> None:
    """Browsers and clients that are told "localhost" ask there first."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    try:
        other = socket.create_server(("::1", port), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no ::1")
    with other, pytest.raises(PortTaken) as taken:
        async with running_gateway(model_config(models.base_url), port=port):
            pass
    assert taken.value.host == "::1"


async def test_the_other_systems_are_known_by_their_page_too() -> None:
    async with other_program() as (pid, port):
        found = await asyncio.to_thread(port_holder, "127.0.0.1", port)
    assert (found.pid, found.whose) == (pid, "OpenClaw's own gateway")


async def test_another_gateway_of_ours_and_any_other_program_are_told_apart(configured: Program) -> None:
    started = await configured.gateway("--token", "a-secret-on-a-command-line")
    port = int(started.row("gateway").rpartition(":")[2])
    found = await asyncio.to_thread(port_holder, "127.0.0.1", port)
    assert (found.pid, found.whose) == (started.pid, "another gateway of this program")
    assert "--token" in found.command
    assert "a-secret" not in found.command
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = await asyncio.to_thread(port_holder, "127.0.0.1", server.getsockname()[1])
    assert (found.pid, found.whose) == (os.getpid(), None)
    assert str(found).startswith(f"another program (pid {os.getpid()}, ")


async def test_quickstart_offers_what_the_person_typed(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = await program.run("gateway", "quickstart", "--port", port, MAKELEVEL="1")
        assert re.search(r"Port \d+ is free: make run PORT=\d+ ", done.err)
        done = await program.run("gateway", "quickstart", "--port", port)
        assert "openclaw gateway quickstart --port" in done.err


def test_only_a_port_that_is_free_everywhere_is_offered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        found = free_port(("127.0.0.1", "::1"), port - 1)
    assert found is not None
    assert found > port
    assert free_port(("127.0.0.1",), 65_535) is None
