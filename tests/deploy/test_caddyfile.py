"""The Caddyfile of deploy/, with the real program in front of two gateways."""

import asyncio
import os
import re
from pathlib import Path

import aiohttp

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.deploy.caddy import DEADLINE_S, FILE, in_front, needs_caddy
from tests.deploy.tools import said
from tests.docs.pages import blocks, pages
from tests.doors.chat import CHAT, user

pytestmark = needs_caddy


def test_caddy_takes_the_file_and_would_not_word_it_otherwise(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    code, told = said(["caddy", "validate", "--adapter", "caddyfile", "--config", FILE], environ)
    assert code == 0, told
    code, worded = said(["caddy", "fmt", FILE], environ)
    assert (code, worded) == (0, FILE.read_text("utf-8"))


def test_what_the_gateway_takes_the_proxy_lets_through(tmp_path: Path) -> None:
    """Of the compose file's, and of the page's."""
    page = tmp_path / "Caddyfile"
    page.write_text(next(blocks(pages()["docs/reverse-proxies.md"], "caddyfile")).text)
    for file in (FILE, page):
        code, adapted = said(["caddy", "adapt", "--adapter", "caddyfile", "--config", file], os.environ)
        assert code == 0, adapted
        (size,) = re.findall(r'"max_size":(\d+)', adapted)
        assert int(size) == Limits().max_body_bytes


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
        in_front(tmp_path, one.url, two.url) as url,
        aiohttp.ClientSession(url, headers=one.headers) as session,
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
