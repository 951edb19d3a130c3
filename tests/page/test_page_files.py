"""The control page as it comes over HTTP: what its headers allow, how it is kept, that it is what its sources
make."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import aiohttp
import pytest

from openclaw_gateway.doors.ui.page_files import PAGE, page_files
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.npm_packages import NotInstalled, installed

ROOT = Path(__file__).parents[2]
SOURCES, BUILT = ROOT / "ui", ROOT / "src" / "openclaw_gateway" / "doors" / "ui" / "built"
CONNECT = ROOT / "docs" / "connect"
# Of what is loaded at first, compressed.
MOST_BYTES = 48_000


async def got(gateway: RunningGateway, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with aiohttp.ClientSession(gateway.url, auto_decompress=False) as session:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with session.get(path, headers={"Accept-Encoding": "gzip", **sent}) as response:
            return response, await response.read()


def named(page: bytes) -> list[str]:
    return re.findall(r'(?:src|href)="(ui/[^"]+)"', page.decode())


@pytest.mark.promise("control-page-strict")
async def test_only_its_own_files_may_be_in_the_page(gateway: RunningGateway) -> None:
    page, body = await got(gateway, "/")
    files = named(gzip.decompress(body))
    assert len(files) == 2
    for path in ("/", *(f"/{name}" for name in files)):
        response, _ = await got(gateway, path)
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in response.headers["Content-Security-Policy"].split(";")
        )
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "connect-src": "'self'",
            "img-src": "'self' data: blob:",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<style" not in gzip.decompress(body)
    assert not re.search(rb"<script(?![^>]* src=)", gzip.decompress(body))


async def test_the_page_tells_a_stranger_nothing(models: ModelServer) -> None:
    named_agents = {"agents": {"list": [{"id": "butler", "name": "Jeeves"}, {"id": "accountant"}]}}
    async with running_gateway(model_config(models.base_url, named_agents)) as gateway:
        _, body = await got(gateway, "/")
        on_it = gzip.decompress(body).decode().lower()
        for word in ("butler", "jeeves", "accountant", "mock", gateway.token, str(gateway.state_dir)):
            assert word.lower() not in on_it, word


async def test_a_file_is_asked_for_once_and_the_page_each_time(gateway: RunningGateway) -> None:
    page, body = await got(gateway, "/")
    assert page.headers["Cache-Control"] == "no-cache"
    again, nothing = await got(gateway, "/", If_None_Match=page.headers["ETag"])
    assert (again.status, nothing) == (304, b"")
    other, whole = await got(gateway, "/", If_None_Match='"another"')
    assert (other.status, whole) == (200, body)
    for name in named(gzip.decompress(body)):
        file, _ = await got(gateway, f"/{name}")
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip, br", True), ("*", True), ("identity", False), ("br, gzip;q=0", False), ("", False)],
)
async def test_who_cannot_unpack_gets_it_unpacked(
    gateway: RunningGateway, accepted: str, is_packed: bool
) -> None:
    response, body = await got(gateway, "/", Accept_Encoding=accepted)
    assert response.headers.get("Content-Encoding") == ("gzip" if is_packed else None)
    assert response.headers["Vary"] == "Accept-Encoding"
    assert (gzip.decompress(body) if is_packed else body).startswith(b"<!doctype html>")


async def test_who_keeps_an_answer_is_told_all_that_it_depends_on(models: ModelServer) -> None:
    page = {"gateway": {"http": {"cors": {"allowedOrigins": ["https://app.example"]}}}}
    async with running_gateway(model_config(models.base_url, page)) as gateway:
        there, _ = await got(gateway, "/", Origin="https://app.example")
        document, _ = await got(gateway, "/openapi.json")
    assert there.headers["Vary"] == "Origin, Accept-Encoding"
    assert document.headers["Vary"] == "Origin"


async def test_what_is_no_file_of_the_page_is_not_found(gateway: RunningGateway) -> None:
    licences, body = await got(gateway, "/ui/licences.txt")
    assert licences.headers["Cache-Control"] == "no-cache"
    assert b"streaming-markdown" in gzip.decompress(body)
    for path in ("/ui/nothing.js", "/ui/../page_files.py", "/ui/%2e%2e/start.html", "/ui/page.html.gz"):
        response, _ = await got(gateway, path)
        assert response.status == 404, path


@pytest.mark.promise("control-page-off")
async def test_the_page_can_be_switched_off(models: ModelServer) -> None:
    off = {"gateway": {"controlUi": {"enabled": False}}}
    async with running_gateway(model_config(models.base_url, off)) as gateway:
        start, body = await got(gateway, "/")
        assert start.status == 200
        assert b"<script" not in body
        for name in page_files():
            response, _ = await got(gateway, f"/ui/{name}")
            assert response.status == 404


@pytest.mark.parametrize(("trusted", "scheme"), [(["127.0.0.1", "::1"], "https"), ([], "http")])
async def test_behind_a_proxy_that_is_trusted_the_start_page_says_how_it_was_asked_for(
    models: ModelServer, trusted: list[str], scheme: str
) -> None:
    off = {"gateway": {"controlUi": {"enabled": False}, "trustedProxies": trusted}}
    async with running_gateway(model_config(models.base_url, off)) as gateway:
        _, body = await got(gateway, "/", X_Forwarded_Proto="https")
    assert f"{scheme}://{gateway.url.removeprefix('http://')}/v1".encode() in body


def test_it_is_small() -> None:
    files = page_files()
    first = named(files[PAGE].plain())
    size = sum(len(files[name.removeprefix("ui/")].packed) for name in first)
    assert size <= MOST_BYTES


def test_it_is_what_its_sources_make(tmp_path: Path) -> None:
    """If this fails: `make ui`, and commit what it makes."""
    try:
        packages = installed(SOURCES, needs=("node", "npm"))
    except NotInstalled as error:
        pytest.skip(f"the control page is not built: {error}")
    for name in ("src", "build.mjs", "package.json", "tsconfig.json"):
        at = SOURCES / name
        (shutil.copytree if at.is_dir() else shutil.copy)(at, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    made = tmp_path / "made"
    done = subprocess.run(
        ["npm", "run", "--silent", "build", "--", str(made)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(made) == contents(BUILT)


def contents(folder: Path) -> dict[str, bytes]:
    """Unpacked: how well it is compressed depends on the machine."""
    return {file.name: gzip.decompress(file.read_bytes()) for file in folder.iterdir()}


def test_what_is_pasted_is_what_the_documents_say() -> None:
    written = (SOURCES / "src" / "views" / "snippets.ts").read_text("utf-8")
    pages = [file.read_text("utf-8") for file in [*CONNECT.glob("*.md"), ROOT / "README.md"]]
    documents = {line.strip() for page in pages for line in page.splitlines()}
    documents |= {line.replace("YOUR_HOST", "127.0.0.1") for line in documents}
    address = re.search(r'BASE = "([^"]+)"', written)
    assert address is not None
    snippets = re.findall(r"text: `([^`]+)`", written)
    assert len(snippets) > 10
    for snippet in snippets:
        text = snippet.replace("${BASE}", address[1]).replace("${TOKEN}", "YOUR_TOKEN")
        text = (
            text.replace("${VARIABLE}", '"$OPENCLAW_GATEWAY_TOKEN"').replace("\\\\", "\\").replace("\\$", "$")
        )
        for line in text.splitlines():
            assert line.strip() in documents | {""}, line
