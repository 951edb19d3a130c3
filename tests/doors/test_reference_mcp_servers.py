"""The reference MCP servers as people install them: their tools in a run, and their death in the middle."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import say
from tests.doors.npm_servers import server_script
from tests.doors.test_mcp_tools import gateway_with, offered, results
from tests.doors.tool_replies import Asked, calls
from tests.tools.pages import Pages

PAGE = "What the page says."


def kill_server(part: str) -> None:
    """End that one of this process's children that was started with `part` in its command line."""
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and part in (process / "cmdline").read_text():
                os.kill(int(process.name), signal.SIGKILL)
                return
    raise AssertionError(f"no server {part}")


def pages(server: str) -> Pages:
    """A page, and one that ends the server which asks for it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/deadly":
            kill_server(server)
        return web.Response(text=PAGE)

    return Pages(answer)


async def in_one_run(models: ModelServer, server: dict[str, Any], works: Asked, deadly: Asked) -> list[str]:
    """What the model gets when it calls a tool, makes its server die during a call, and calls again."""
    name = works[1].split("__")[1]
    async with gateway_with(models, **{name: server}) as gateway:
        assert {works[1], deadly[1]} <= offered(models)
        models.script("mock-echo", calls(works), calls(deadly), calls(works), says("Done."))
        assert (await say(gateway, "use them")).content == "Done."
    return results(models)


async def test_fetch(models: ModelServer) -> None:
    arguments = ["-m", "mcp_server_fetch", "--ignore-robots-txt", "--allow-private-ips"]
    server = {"command": sys.executable, "args": arguments}
    async with pages("mcp_server_fetch") as site:
        works = ("w", "mcp__fetch__fetch", f'{{"url": "{site.url("/page", "127.0.0.1")}"}}')
        deadly = ("d", "mcp__fetch__fetch", f'{{"url": "{site.url("/deadly", "127.0.0.1")}"}}')
        before, died, after = await in_one_run(models, server, works, deadly)
    assert PAGE in before
    assert "went away during the call" in died
    assert PAGE in after


async def test_everything(models: ModelServer) -> None:
    server = {"command": "node", "args": [server_script("server-everything"), "stdio"]}
    async with pages("server-everything") as site:
        url = site.url("/deadly", "127.0.0.1")
        works = ("w", "mcp__everything__get-sum", '{"a": 2, "b": 3}')
        deadly = ("d", "mcp__everything__gzip-file-as-resource", f'{{"name": "a.gz", "data": "{url}"}}')
        before, died, after = await in_one_run(models, server, works, deadly)
    assert "5" in before
    assert "went away during the call" in died
    assert after == before


async def test_filesystem(models: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("in the file\n")
    os.mkfifo(tmp_path / "pipe")
    server = {"command": "node", "args": [server_script("server-filesystem"), str(tmp_path)]}
    works = ("w", "mcp__files__read_text_file", f'{{"path": "{tmp_path}/a.txt"}}')
    deadly = ("d", "mcp__files__read_text_file", f'{{"path": "{tmp_path}/pipe"}}')

    async def kill_reader() -> None:
        """A pipe can be opened for writing once the server is reading it."""
        while True:
            with contextlib.suppress(OSError):
                pipe = os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)
                break
            await asyncio.sleep(0.01)
        kill_server("server-filesystem")
        os.close(pipe)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(kill_reader())
        before, died, after = await in_one_run(models, server, works, deadly)
    assert "in the file" in before
    assert "went away during the call" in died
    assert after == before
