"""The pages under docs/connect: their settings can be read by what reads them, and name what is served."""

import ast
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import http

FOLDER = Path(__file__).parents[2] / "docs" / "connect"
PAGES = {page.stem: page.read_text() for page in sorted(FOLDER.glob("*.md"))}
CLIENTS = {name: text for name, text in PAGES.items() if name != "README"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASKS = re.compile(r"`(GET|POST) (/v1/[^`]*)`")
ADDRESS = re.compile(r"http://(?:127\.0\.0\.1|YOUR_HOST|host\.docker\.internal):18789(/v1)?(?=[\s\"'`]|$)")
ANY_ADDRESS = re.compile(r"https?://[^\s\"'`]*18789[^\s\"'`]*")
# Who speaks the Agent Client Protocol starts this, and asks no address.
OVER_STDIO = "`openclaw acp`"
ENV_LINE = re.compile(r"[A-Za-z_]+=\S+")


def _env(text: str) -> None:
    assert all(ENV_LINE.fullmatch(line) for line in text.splitlines())


def _shell(text: str) -> None:
    if bash := shutil.which("bash"):
        subprocess.run([bash, "-n"], input=text, text=True, check=True)


READERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "toml": tomllib.loads,
    "env": _env,
    "python": ast.parse,
    "sh": _shell,
    "js": lambda text: text,
}


@pytest.mark.parametrize("name", PAGES)
def test_each_block_can_be_read(name: str) -> None:
    for language, text in BLOCK.findall(PAGES[name]):
        assert READERS[language](text) != {}, text


@pytest.mark.parametrize("name", CLIENTS)
def test_each_page_names_the_gateway_and_says_whether_it_was_tried(name: str) -> None:
    text = CLIENTS[name]
    assert re.search(r"^(Tried|Not tried) ", text, re.MULTILINE)
    assert ANY_ADDRESS.search(text) or OVER_STDIO in text
    for address in ANY_ADDRESS.findall(text):
        assert ADDRESS.fullmatch(address) or address.endswith("/v1/chat/completions"), address


def test_the_list_names_every_page_and_no_other() -> None:
    linked = set(re.findall(r"\]\(([\w-]+)\.md\)", PAGES["README"]))
    assert linked == CLIENTS.keys()


def test_links_lead_somewhere() -> None:
    for text in PAGES.values():
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            assert (FOLDER / link).is_file(), link


async def test_what_they_ask_is_served(models: ModelServer) -> None:
    on = {"enabled": True}
    more = {"gateway": {"http": {"endpoints": {"responses": on, "messages": on}}}}
    asked = {each for text in CLIENTS.values() for each in ASKS.findall(text)}
    assert {path for _, path in asked} >= {"/v1/chat/completions", "/v1/responses", "/v1/models"}
    async with running_gateway(model_config(models.base_url, more)) as gateway, http(gateway) as session:
        for method, path in sorted(asked):
            async with session.request(method, path, data="{}") as response:
                assert response.status not in (404, 405), path


def test_each_names_a_path_it_asks() -> None:
    assert [name for name, text in CLIENTS.items() if not ASKS.search(text) and OVER_STDIO not in text] == []
