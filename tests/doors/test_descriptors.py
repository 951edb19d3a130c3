"""A gateway that may have few files open: everybody gets an answer, probes are always answered."""

import asyncio
import resource
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import ClientTimeout

from openclaw_gateway.testing.gateway import TOKEN, model_config, write_config
from openclaw_gateway.testing.model_server import Hold, ModelServer, says

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
            while not await ready(url):
                # The port opens when it opens; asking again is the only way to hear of it.
                await asyncio.sleep(0.02)
        yield url
    finally:
        if process.returncode is None:
            process.kill()
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
