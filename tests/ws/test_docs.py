"""`docs.list`, `docs.get`, `docs.search`: the pages of docs/ as they stand there, and nothing beside them."""

from pathlib import Path

import pytest

from openclaw_gateway.doors.ui.documents import Document, anchor_of, found
from openclaw_gateway.testing.gateway import RunningGateway
from tests.docs.pages import anchors, pages
from tests.ws.peer import connected

DOCS = Path(__file__).parents[2] / "docs"


async def test_the_pages_are_those_of_the_folder(gateway: RunningGateway) -> None:
    async with connected(gateway, scopes=["operator.read"]) as peer:
        told = (await peer.result("docs.list", {}))["documents"]
        assert told[0] == {"name": "README.md", "title": "Documentation"}
        assert {each["name"] for each in told} == {
            file.relative_to(DOCS).as_posix() for file in DOCS.rglob("*.md")
        }
        for name in ("README.md", "connect/curl.md", "zh-CN/openai-http-api.md"):
            page = await peer.result("docs.get", {"name": name})
            assert page["text"] == (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize(
    "name", ["../README.md", "/etc/passwd", "page/chat.png", "first-steps", "./README.md"]
)
async def test_nothing_else_is_a_page(gateway: RunningGateway, name: str) -> None:
    async with connected(gateway) as peer:
        error = await peer.error("docs.get", {"name": name})
        assert error["message"] == "invalid docs.get params: name is one of those that docs.list tells"


async def test_a_section_is_found_by_all_its_words(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        (first, *_) = (await peer.result("docs.search", {"query": "agent client PROTOCOL zed"}))["found"]
        assert first["name"].startswith(("connect/", "command-line", "README"))
        assert (await peer.result("docs.search", {"query": "no-such-word-anywhere"}))["found"] == []
        few = (await peer.result("docs.search", {"query": "gateway", "limit": 3}))["found"]
        assert len(few) == 3


def test_what_is_code_is_no_heading() -> None:
    text = "# Top\n\nFirst [words](x.md).\n\n```sh\n# not a heading: needle\n```\n\n## Below `it`, twice\n\n"
    text += "needle **two**\n\n### A table\n\n| `a needle` | " + "so on " * 40 + "|\n"
    hits = found({"a.md": Document("a.md", "Top", text)}, "NEEDLE", 10)
    assert [(hit.heading, hit.anchor, hit.line) for hit in hits] == [
        ("Top", "", "# not a heading: needle"),
        ("Below it, twice", "below-it-twice", "needle two"),
        ("A table", "a-table", "a needle · " + "so on " * 24 + "so on…"),
    ]


def test_a_heading_is_linked_to_as_the_pages_do() -> None:
    for text in pages().values():
        assert {anchor_of(heading) for heading in _headings(text)} <= anchors(text)


def _headings(text: str) -> list[str]:
    return [hit.heading for hit in found({"a": Document("a", "", text)}, "a", 1000) if hit.anchor]
