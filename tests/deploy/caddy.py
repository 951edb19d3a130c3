"""The Caddyfile of deploy/ in the real program, on a free port and in front of what a test has."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.deploy.tools import DEPLOY
from tests.docs.test_reverse_proxies import answers, free_port

FILE = DEPLOY / "Caddyfile"
DEADLINE_S = 30
needs_caddy = pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
# Nobody waits for a second here, and four answers in a row are of one gateway where the other is not asked.
_HERE = {"health_interval 1s": "health_interval 100ms", "lb_policy least_conn": "lb_policy round_robin"}


@contextlib.asynccontextmanager
async def in_front(folder: Path, *urls: str, here: Mapping[str, str] = _HERE) -> AsyncIterator[str]:
    """The address, once something answers there. `here` is what is worded otherwise for a test."""
    port = free_port()
    places = " ".join(url.removeprefix("http://") for url in urls)
    text = FILE.read_text("utf-8")
    for written, instead in {**here, "front-1:18789 front-2:18789": places}.items():
        assert written in text
        text = text.replace(written, instead)
    text = re.sub(r"^:8080 \{", f"http://127.0.0.1:{port} {{", text, flags=re.MULTILINE)
    (folder / "Caddyfile").write_text(text)
    process = await asyncio.create_subprocess_exec(
        *("caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")),
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not await answers(url):
                assert process.returncode is None, "the proxy does not take its file"
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
