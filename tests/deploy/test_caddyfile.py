"""The Caddyfile of deploy/, with the real program in front of two gateways."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.deploy.tools import DEPLOY, said
from tests.docs.test_reverse_proxies import answers, free_port
from tests.doors.chat import CHAT, user

pytestmark = pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
FILE = DEPLOY / "Caddyfile"
DEADLINE_S = 30
# Nobody waits for a second here, and four answers in a row are of one gateway where the other is not asked.
HERE = {"health_interval 1s": "health_interval 100ms", "lb_policy least_conn": "lb_policy round_robin"}


def test_caddy_takes_the_file_and_would_not_word_it_otherwise(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    code, told = said(["caddy", "validate", "--adapter", "caddyfile", "--config", FILE], environ)
    assert code == 0, told
    code, worded = said(["caddy", "fmt", FILE], environ)
    assert (code, worded) == (0, FILE.read_text("utf-8"))


@contextlib.asynccontextmanager
async def in_front(folder: Path, *gateways: RunningGateway) -> AsyncIterator[aiohttp.ClientSession]:
    port = free_port()
    places = " ".join(gateway.url.removeprefix("http://") for gateway in gateways)
    text = FILE.read_text("utf-8").replace("front-1:18789 front-2:18789", places)
    text = re.sub(r"^:8080 \{", f"http://127.0.0.1:{port} {{", text, flags=re.MULTILINE)
    for written, here in HERE.items():
        assert written in text
        text = text.replace(written, here)
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
        async with aiohttp.ClientSession(url, headers=gateways[0].headers) as session:
            yield session
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def ask(session: aiohttp.ClientSession) -> tuple[int, str]:
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with session.post(CHAT, json=body) as response:
        return response.status, await response.text()


async def test_a_front_that_leaves_is_seen_by_nobody(models: ModelServer, tmp_path: Path) -> None:
    """A stream that it has comes to its end; who asks meanwhile, and afterwards, is answered by the other."""
    gate = asyncio.Event()
    models.script("one", says("begun ", Hold(gate), "ended"))
    models.script("two", says("two"))
    async with (
        running_gateway(model_config(models.base_url, model="one")) as one,
        running_gateway(model_config(models.base_url, model="two")) as two,
        in_front(tmp_path, one, two) as session,
    ):
        running = [asyncio.create_task(ask(session)) for _ in range(2)]
        await one.wait_runs(1)
        drain = asyncio.create_task(one.daemon.drain())
        async with asyncio.timeout(DEADLINE_S):
            while [(await ask(session))[0] for _ in range(4)] != [200] * 4:
                pass
        gate.set()
        ended = await asyncio.gather(*running)
        assert {status for status, _ in ended} == {200}
        assert any("begun ended" in text for _, text in ended)
        await drain
        await one.daemon.close()
        assert [(await ask(session))[0] for _ in range(4)] == [200] * 4
