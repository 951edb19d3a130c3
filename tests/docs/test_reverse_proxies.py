"""The proxies' files of the page about reverse proxies, in front of a gateway, with the real programs."""

import asyncio
import contextlib
import io
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pyjson5
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.testing.replies import Hang, Hold, says
from tests.docs.pages import blocks, pages
from tests.doors.chat import CHAT, user
from tests.doors.logged import logged

PAGE = pages()["docs/reverse-proxies.md"]
KNOWN: dict[str, Any] = pyjson5.decode(next(block.text for block in blocks(PAGE, "json5")))
NAME = KNOWN["gateway"]["allowedHosts"][0]
OTHER_NAME = {"caddy": (200, True), "nginx": (421, False)}
DEADLINE_S = 20


def file_of(language: str, *, port: int, gateway: str) -> str:
    """The page's file, without TLS, and with ports that are free here."""
    (block,) = blocks(PAGE, language)
    text = block.text.replace("127.0.0.1:18789", gateway.removeprefix("http://"))
    text = re.sub(r"listen 443 ssl;", f"listen 127.0.0.1:{port};", text)
    text = re.sub(r"^ *ssl_\w+ .*\n", "", text, flags=re.MULTILINE)
    return text.replace(f"{NAME} {{", f"http://{NAME}:{port} {{\n\tbind 127.0.0.1", 1)


def caddy(folder: Path, port: int, gateway: str) -> list[str]:
    file = folder / "Caddyfile"
    text = file_of("caddyfile", port=port, gateway=gateway)
    file.write_text(f"{{\n\tadmin off\n}}\n{text}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]


def nginx(folder: Path, port: int, gateway: str) -> list[str]:
    (folder / "site.conf").write_text(file_of("nginx", port=port, gateway=gateway))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder / kind}; " for kind in kinds)
    account = "user root; " if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{account}daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;\n"
        f"events {{ }}\nhttp {{ access_log off; {places} include {folder}/site.conf; }}\n"
    )
    return ["nginx", "-e", f"{folder}/errors", "-c", f"{folder}/nginx.conf"]


PROXIES = {"caddy": caddy, "nginx": nginx}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def in_front(kind: str, gateway: RunningGateway, folder: Path) -> AsyncIterator[str]:
    """The proxy's address, once it answers."""
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *PROXIES[kind](folder, port, gateway.url),
        env=environ,
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


async def answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/health", headers={"Host": NAME}):
            return True
    except aiohttp.ClientError:
        await asyncio.sleep(0)
        return False


@pytest.fixture(params=PROXIES)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


def host(url: str) -> str:
    """As a browser says it, which is not at the usual port."""
    return f"{NAME}:{url.rpartition(':')[2]}"


def client(gateway: RunningGateway, url: str, address: str = "127.0.0.1") -> aiohttp.ClientSession:
    """A client at an address of its own."""
    return aiohttp.ClientSession(
        url,
        headers={**gateway.headers, "Host": host(url)},
        connector=aiohttp.TCPConnector(local_addr=(address, 0)),
    )


def question(model: str, **more: Any) -> dict[str, Any]:
    return {"model": "openclaw", "messages": [user("hi")], **more}


JSON = {"Content-Type": "application/json"}


async def test_the_page_holds(kind: str, models: ModelServer, tmp_path: Path) -> None:
    gate = asyncio.Event()
    models.script("m", says("first ", Hold(gate), "last"), says("whole"), says("never ", Hang()))
    config = model_config(models.base_url, KNOWN, model="m")
    with logged() as log:
        async with running_gateway(config) as gateway, in_front(kind, gateway, tmp_path) as url:
            async with client(gateway, url) as session:
                # A stream comes as it is said.
                async with session.post(CHAT, json=question("m", stream=True)) as response:
                    assert response.status == 200
                    seen = b""
                    async with asyncio.timeout(DEADLINE_S):
                        while b"first" not in seen:
                            seen += await response.content.readany()
                        assert b"last" not in seen
                        gate.set()
                        assert b"[DONE]" in await response.read()
                # A body that nginx refuses unless it is told otherwise.
                large = msgspec.json.encode(question("m", messages=[user("x" * 2_000_000)]))
                async with session.post(CHAT, data=io.BytesIO(large), headers=JSON) as response:
                    assert response.status == 200
                # Who leaves ends his run.
                async with session.post(CHAT, json=question("m", stream=True)) as response:
                    await response.content.readany()
                await gateway.wait_no_runs()
                # The WebSocket, as the page at this name opens it.
                async with session.ws_connect("/", headers={"Origin": f"http://{host(url)}"}) as socket_:
                    async with asyncio.timeout(DEADLINE_S):
                        first = await socket_.receive_json()
                    assert first["event"] == "connect.challenge"
                # A name that the gateway was not told of. Caddy answers it by itself, with nothing.
                async with session.get("/v1/models", headers={"Host": "other.example.org"}) as response:
                    assert (response.status, await response.read() == b"") == OTHER_NAME[kind]
            # It is the client's address that counts, whatever the client says of it.
            async with client(gateway, url, "127.0.0.9") as session:
                wrong = {"Authorization": "Bearer wrong-one-of-length", "X-Forwarded-For": "203.0.113.7"}
                async with session.get("/v1/models", headers=wrong) as response:
                    assert response.status == 401
        (line,) = [line for line in log.lines("http.refused") if line["code"] == "invalid_api_key"]
        assert line["peer"] == "127.0.0.9"
