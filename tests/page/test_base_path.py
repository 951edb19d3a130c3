"""`gateway.controlUi.basePath`: the page, its files and its WebSocket under a path, for a proxy."""

import gzip
import json
from pathlib import Path

import pytest

from openclaw_gateway.config.forms import Wrong, url_path
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.page.person import Sits
from tests.page.test_page_files import got, named


def under(models: ModelServer, base: str) -> dict[str, object]:
    return model_config(models.base_url, {"gateway": {"controlUi": {"basePath": base}}})


@pytest.mark.parametrize("written", ["/a/claw", "a/claw/"])
async def test_the_page_and_its_files_are_under_it(models: ModelServer, written: str) -> None:
    async with running_gateway(under(models, written)) as gateway:
        page, body = await got(gateway, "/a/claw/")
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        files = named(gzip.decompress(body))
        assert len(files) == 2
        for name in (*files, "ui/licences.txt"):
            response, _ = await got(gateway, f"/a/claw/{name}")
            assert response.status == 200, name
        at_root, start = await got(gateway, "/")
        assert at_root.status == 200
        assert b"<script" not in start
        for path in (
            f"/{files[0]}",
            "/a/claw/nothing",
            "/a/claw/v1/models",
            "/a/clawed/",
            "/a/",
            "/a/claw//",
        ):
            response, _ = await got(gateway, path)
            assert response.status == 404, path
        api, _ = await got(gateway, "/v1/models", Authorization=f"Bearer {gateway.token}")
        assert api.status == 200


async def test_without_its_last_slash_it_is_sent_on(models: ModelServer, person: Sits) -> None:
    async with running_gateway(under(models, "/claw")) as gateway, person(gateway) as ada:
        await ada.page.open(f"{gateway.url}/claw")
        assert await ada.page.value("location.pathname") == "/claw/"
        await ada.page.until("document.querySelector('#token')")


async def test_one_talks_under_it(models: ModelServer, person: Sits) -> None:
    models.script("mock-echo", says("Hello there."))
    async with running_gateway(under(models, "/a/claw")) as gateway, person(gateway) as ada:
        page = ada.page
        await page.open(f"{gateway.url}/a/claw/")
        await ada.enters(gateway.token)
        await page.until("document.querySelector('#message')")
        await ada.writes("Hello")
        await ada.sees("Hello there.")
        await ada.said(2)
        await ada.looks_at("connect")
        await page.click(".client summary", "curl")
        assert all(address.startswith(f"{gateway.url}/a/claw/") for address in page.asked), page.asked
        assert page.errors == []


async def test_a_link_elsewhere_leads_to_the_page_and_to_nothing_else(models: ModelServer) -> None:
    async with running_gateway(under(models, "/claw")) as gateway:
        for path, status in (("/claw/", 200), ("/", 200), ("/claw/ui/licences.txt", 403)):
            sent = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
            assert (await got(gateway, path, **sent))[0].status == status, path
            assert (await got(gateway, path, Sec_Fetch_Site="cross-site"))[0].status == 403, path


@pytest.mark.parametrize(
    ("text", "path"), [("", ""), ("/", ""), ("claw", "/claw"), ("/a/b-c/", "/a/b-c"), ("//", "")]
)
def test_it_is_taken_however_it_is_written(text: str, path: str) -> None:
    assert url_path(text) == path


@pytest.mark.parametrize(
    "text", ["/a b", "/a//b", "/a/../b", "/a?b", "/a#b", "/ä", "/a%2fb", "/a\nb", "/.", "/a" * 9]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(Wrong, match="must be a path"):
        url_path(text)


async def test_an_edit_moves_it(models: ModelServer, tmp_path: Path) -> None:
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        assert await statuses(gateway, "/", "/claw/") == [200, 404]
        file = tmp_path / "openclaw.json"
        config = json.loads(file.read_text())
        config["gateway"]["controlUi"] = {"basePath": "/claw"}
        assert gateway.daemon.reload is not None
        count = gateway.gateway.standing.count
        file.write_text(json.dumps(config))
        await gateway.daemon.reload.attempts_after(count)
        assert await statuses(gateway, "/claw/", "/ui/licences.txt") == [200, 404]


async def test_switched_off_it_is_nowhere(models: ModelServer) -> None:
    off = {"gateway": {"controlUi": {"enabled": False, "basePath": "/claw"}}}
    async with running_gateway(model_config(models.base_url, off)) as gateway:
        assert await statuses(gateway, "/", "/claw", "/claw/", "/claw/ui/licences.txt") == [
            200,
            404,
            404,
            404,
        ]


async def statuses(gateway: RunningGateway, *paths: str) -> list[int]:
    return [(await got(gateway, path))[0].status for path in paths]
