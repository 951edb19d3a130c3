"""A gateway that may have few files open: everybody gets an answer, probes are always answered."""

import asyncio
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientTimeout

from openclaw_gateway.descriptors import share_out
from openclaw_gateway.errors import StartupError
from openclaw_gateway.testing.gateway import TOKEN, model_config, running_gateway, write_config
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.doors.chat import ask
from tests.doors.raw import chat_body, post, wire

FILES = 256
DEADLINE = ClientTimeout(total=30)
CHAT = {"messages": [{"role": "user", "content": "hi"}], "stream": True}


@asynccontextmanager
async def gateway_with(
    files: int, state_dir: Path, models: ModelServer, **limits: object
) -> AsyncIterator[str]:
    """The real program, which may have so many files open; its URL once it is ready."""
    write_config(state_dir, model_config(models.base_url, {"gateway": {"limits": limits}}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with (state_dir / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "openclaw_gateway", "gateway", "run", "--port", str(port)),
            stdout=log,
            stderr=log,
            env={"OPENCLAW_STATE_DIR": str(state_dir), "HOME": str(state_dir), "PATH": ""},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files // 2, files)),
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30):
            while True:
                if await ready(url):
                    break
                # The port opens when it opens; asking again is the only way to hear of it.
                await asyncio.sleep(0.02)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ready(url: str, path: str = "/ready") -> bool:
    """Whether a probe on a connection of its own is answered well."""
    async with aiohttp.ClientSession(timeout=ClientTimeout(total=10)) as session:
        try:
            async with session.get(url + path) as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False


async def test_every_stream_is_served_or_refused_and_probes_are_answered(
    models: ModelServer, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one", Hold(gate), "two"))
    async with (
        gateway_with(FILES, tmp_path, models) as url,
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=DEADLINE,
            headers={"Authorization": f"Bearer {TOKEN}"},
        ) as session,
    ):
        answered = asyncio.Semaphore(0)
        streaming = 0

        async def stream() -> tuple[int, bytes, str | None]:
            nonlocal streaming
            async with session.post(f"{url}/v1/chat/completions", json=CHAT) as response:
                streaming += response.status == 200
                answered.release()
                return response.status, await response.read(), response.headers.get("Retry-After")

        streams = [asyncio.create_task(stream()) for _ in range(300)]
        for _ in range(300):
            await answered.acquire()
        for path in ("/ready", "/health"):
            assert await ready(url, path)
        assert streaming >= 50
        gate.set()
        results = await asyncio.gather(*streams)
        assert await ready(url)
    for status, body, retry_after in results:
        if status == 200:
            assert b"two" in body and body.endswith(b"data: [DONE]\n\n")
        else:
            assert (status, retry_after) == (503, "1")
            assert b'"code":"overloaded"' in body and b"ulimit -n" in body
    log = (tmp_path / "log").read_text()
    assert "http.too_many_connections" in log
    assert "Traceback" not in log


async def test_the_soft_limit_is_raised_to_the_hard_one(models: ModelServer, tmp_path: Path) -> None:
    async with gateway_with(FILES, tmp_path, models) as url:
        assert await ready(url)
        (limits,) = (
            (Path("/proc") / process / "limits").read_text()
            for process in children()
            if "\0gateway\0run\0" in (Path("/proc") / process / "cmdline").read_text()
        )
    (line,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    assert line.split()[3:5] == [str(FILES), str(FILES)]


def children() -> list[str]:
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [process for process in found if process]


async def test_too_few_files_for_anybody_is_a_clear_refusal_to_start(models: ModelServer) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openclaw_gateway.doors.listener.current_limit", lambda: 20)
        with pytest.raises(StartupError, match=r"only 20 files open.*ulimit -n 1024"):
            async with running_gateway(model_config(models.base_url)):
                pass


@pytest.mark.parametrize(
    ("limit", "in_use", "connections", "spare"),
    [
        (256, 30, 65, 32),
        (1024, 30, 449, 32),
        (20_000, 40, 9_932, 32),
        (64, 20, 10, 8),
        (20, 30, -9, 2),
    ],
)
def test_what_there_is_for_connections(limit: int, in_use: int, connections: int, spare: int) -> None:
    share = share_out(limit, in_use)
    assert (share.connections, share.spare) == (connections, spare)
    # All of them with a connection to a provider each, those who are refused, and something left for files.
    assert connections < 0 or in_use + 2 * connections + spare < limit


async def test_probes_are_answered_and_requests_refused_however_many_sit_there(models: ModelServer) -> None:
    """Idle connections beyond the caps give way to the newest; a large body is read before the close."""
    config = model_config(models.base_url, {"gateway": {"limits": {"maxConnections": 2}}})
    async with running_gateway(config) as gateway, AsyncExitStack() as open_wires:
        idle = [await open_wires.enter_async_context(wire(gateway)) for _ in range(100)]
        for path in ("/ready", "/readyz", "/health", "/healthz"):
            assert await ready(gateway.url, path)
        async with wire(gateway) as raw:
            raw.send(post(gateway, b" " * 3_000_000))
            answer = await raw.answer()
            await raw.closed()
        assert (answer.status, answer.code) == (503, "overloaded")
        assert b"Retry-After: 1\r\n" in answer.head and b"gateway.limits.maxConnections" in answer.body
        async with wire(gateway) as raw:
            raw.send(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"Connection: close" in (await raw.answer()).head
            await raw.closed()
        # The first two are served as ever.
        idle[0].send(post(gateway, chat_body()))
        assert (await idle[0].answer()).status == 200
        # Those that waited for nothing were told why, sooner or later.
        told = await idle[-1].answer()
        assert (told.status, told.code) == (503, "overloaded")


async def test_a_call_of_a_model_that_may_open_no_socket_is_refused_as_overload(
    models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_gateway(model_config(models.base_url)) as gateway:
        monkeypatch.setattr("openclaw_gateway.models.http.descriptors.beyond_line", lambda number: True)
        refused = await ask(gateway, CHAT)
        assert (refused.status, refused.error["code"]) == (503, "overloaded")
        assert refused.headers["Retry-After"] == "1"
        assert "ulimit -n" in refused.error["message"]
        monkeypatch.undo()
        assert (await ask(gateway, CHAT)).status == 200
