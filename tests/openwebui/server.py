"""Open WebUI as a child process with a folder of its own: no telemetry, nothing fetched, nobody to log in."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from msgspec import Struct

# The first start makes its database; a busy machine takes minutes for the imports.
_DEADLINE_S = 600.0
_END_S = 20.0
_LOOK_S = 0.5
_QUIET = {
    "WEBUI_AUTH": "False",
    "WEBUI_SECRET_KEY": "of-this-trial",
    "ENABLE_OLLAMA_API": "False",
    "OFFLINE_MODE": "True",
    "HF_HUB_OFFLINE": "1",
    "ENABLE_VERSION_UPDATE_CHECK": "False",
    "RAG_EMBEDDING_ENGINE": "openai",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "true",
    "SCARF_NO_ANALYTICS": "true",
    "NO_PROXY": "localhost,127.0.0.1",
    "PYTHONUTF8": "1",
}


class Server(Struct, frozen=True):
    url: str
    log: Path


@asynccontextmanager
async def started(
    program: Path, home: Path, port: int, settings: Mapping[str, str], log: Path
) -> AsyncIterator[Server]:
    """Open WebUI on that port with `settings` (environment), until the block ends. Raises TimeoutError, and
    RuntimeError when it ends by itself."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LC_ALL", "TZ", "TMPDIR"}}
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *(str(program), "serve", "--host", "127.0.0.1", "--port", str(port)),
            cwd=home,
            env={**kept, **_QUIET, "HOME": str(home), "DATA_DIR": str(home), **settings},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        await _healthy(url, process, log)
        yield Server(url, log)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(_END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _healthy(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(_DEADLINE_S), aiohttp.ClientSession(url) as session:
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"Open WebUI ended with {process.returncode}:\n{_end_of(log)}")
            try:
                async with session.get("/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(_LOOK_S)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
