"""The page about the endpoint, in six languages: all say the same, and what they say is so."""

import re
from collections import Counter
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.doors.asking_agents import PROGRESS, QUEUES
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.docs.pages import blocks, links, pages, prose, spans
from tests.promises import ERRORS, OTHER_LIMITS

NAME = "openai-http-api.md"
ENGLISH = pages()[f"docs/{NAME}"]
OTHERS = {
    name: text for name, text in pages().items() if name.endswith(f"/{NAME}") and name != f"docs/{NAME}"
}
ERROR = re.compile(r"^\| (\d{3}) \| `(\w+)` \|", re.MULTILINE)
LIMIT = re.compile(r"^\| `([\w.]+)` \| `([^`]+)` \| (\d{3}) \|$", re.MULTILINE)
STATUS = re.compile(r"(?<![\w.:/])[1-5]\d\d(?![\w:/]|\.\d)")
UNITS = {"": 1, "s": 1, "MiB": 1 << 20}


def sections(text: str) -> list[str]:
    return re.split(r"^## ", text, flags=re.MULTILINE)


def test_there_are_five_translations() -> None:
    assert {name.split("/")[1] for name in OTHERS} == {"zh-CN", "zh-TW", "ru", "sv", "vi"}


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_says_the_same(name: str) -> None:
    there, here = sections(ENGLISH), sections(OTHERS[name])
    assert len(there) == len(here)
    assert [*blocks(ENGLISH)] == [*blocks(OTHERS[name])]
    for theirs, ours in zip(there[1:], here[1:], strict=True):
        assert Counter(spans(theirs)) == Counter(spans(ours))
        assert Counter(STATUS.findall(prose(theirs))) == Counter(STATUS.findall(prose(ours)))
        assert [link.removeprefix("../") for link in links(ours)] == links(theirs)
        assert prose(ours).count("\n| ") == prose(theirs).count("\n| ")
    assert spans(there[0]) == spans(here[0])
    # Each leads to all the others.
    assert {link.removeprefix("../").removesuffix(NAME) for link in links(here[0])} == {
        "",
        *(f"{other.split('/')[1]}/" for other in OTHERS if other != name),
    }


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_is_one(name: str) -> None:
    """No sentence of the English page is left in it."""
    english = {line for line in prose(ENGLISH).splitlines() if re.search(r"[a-z]{4}.* [a-z]{3}", line)}
    left = english & {*prose(OTHERS[name]).splitlines()}
    assert [line for line in left if not re.fullmatch(r"[|`\w .\-]+\| \d{3} \|", line)] == []


def test_each_code_has_its_status() -> None:
    known = {each.id.removeprefix("error."): each.sentence.partition(":")[0] for each in ERRORS}
    told = ERROR.findall(ENGLISH)
    assert len(told) > 10
    for status, code in told:
        assert status in known[code].split(" or "), code


def test_each_limit_has_its_default() -> None:
    limits: dict[str, Any] = {
        f"gateway.limits.{key}": value for key, value in msgspec.to_builtins(Limits()).items()
    }
    told = LIMIT.findall(ENGLISH)
    assert len(told) > 4
    for key, value, _ in told:
        number, _, unit = value.partition(" ")
        known = _elsewhere(key) if key not in limits else limits[key]
        assert int(number) * UNITS[unit] == known, key
    assert f"`{limits['gateway.limits.streamKeepaliveSeconds']:.0f} s`" in ENGLISH


def _elsewhere(key: str) -> int:
    """The default of a limit that is no key of `gateway.limits`, by the table of promises."""
    (told,) = (each for each in OTHER_LIMITS if each.id == f"limit.{key.rpartition('.')[2]}")
    return int(told.sentence.split()[0])


async def test_headers_and_paths_are_those_of_the_document(models: ModelServer) -> None:
    async with (
        running_gateway(model_config(models.base_url)) as gateway,
        aiohttp.ClientSession(gateway.url, headers=gateway.headers) as session,
    ):
        async with session.get("/openapi.json") as response:
            document: dict[str, Any] = await response.json()
        body = {"model": "openclaw", "user": "ada", "seed": 1, "logit_bias": {}, "messages": [MESSAGE]}
        async with session.post("/v1/chat/completions", json=body) as response:
            answered = {name.lower() for name in response.headers}
    said = spans(ENGLISH)
    asked = document["paths"]["/v1/chat/completions"]["post"]["parameters"]
    headers = {each["name"] for each in asked if each["in"] == "header"}
    rows = set(re.findall(r"^\| `([\w-]+)` \|", sections(ENGLISH)[5], re.MULTILINE))
    assert rows == headers
    for name in ("x-openclaw-session-key", "x-openclaw-ignored-params", "X-Request-ID"):
        assert name in said
        assert name.lower() in answered
    keys = document["components"]["securitySchemes"].values()
    assert {"api-key", "x-api-key"} <= {each.get("name") for each in keys} & {*said}
    for span in said:
        if match := re.fullmatch(r"(GET|POST) (/\S+)", span):
            assert match[1].lower() in document["paths"][match[2]], span
    assert {*QUEUES, *PROGRESS} <= {*said}


MESSAGE = {"role": "user", "content": "hi"}
