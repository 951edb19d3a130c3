"""The Markdown of the repository: its pages, and in each the blocks of code, the links, the headings.

Reads text only; knows neither the configuration nor the command line.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+?) *$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
# Where the repository keeps no pages of its own.
_ELSEWHERE = {".venv", ".cache", "node_modules", ".state", ".git", ".pytest_cache", ".hypothesis", "dist"}


class Block(NamedTuple):
    """`language` is "" where none is said."""

    language: str
    text: str


@functools.cache
def pages() -> dict[str, str]:
    """Every page by its path below the root."""
    found = (path for path in sorted(ROOT.rglob("*.md")) if _ELSEWHERE.isdisjoint(path.parts))
    return {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for path in found
        if path.parts[len(ROOT.parts)] not in {"src", "tests"}
    }


def blocks(text: str, *languages: str) -> Iterator[Block]:
    """In the order of the page; of all `languages` where none is named."""
    for match in _BLOCK.finditer(text):
        if not languages or match[1] in languages:
            yield Block(match[1], match[2])


def prose(text: str) -> str:
    """The page without its blocks."""
    return _BLOCK.sub("", text)


def links(text: str) -> list[str]:
    return _LINK.findall(re.sub(r"`[^`]*`", "", prose(text)))


def spans(text: str) -> list[str]:
    """What stands in backticks, each on one line."""
    return [" ".join(span.split()) for span in _CODE.findall(prose(text))]


def anchors(text: str) -> set[str]:
    """What a heading can be linked by: in small letters, spaces as hyphens, without punctuation."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose(text))
    }
