"""The documentation as it came with the gateway: its pages by their names, and where words stand in them.

They are the repository's docs/*.md: a wheel holds a copy (requirements/packing.py), a checkout the folder
itself. Public text: nothing of this gateway is in it. Knows no request.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

import openclaw_gateway

FIRST = "README.md"
_PACKAGE = Path(openclaw_gateway.__file__).parent
_PLACES = (_PACKAGE / "docs", _PACKAGE.parents[1] / "docs")
_HEADING = re.compile(r"#{1,6} +(.+?) *$")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_MARKS = re.compile(r"[`*]|!?\[([^\]]*)\]\([^)]*\)")
_SHOWN = 160
_CELLS = re.compile(r"\s*\|\s*")


class Document(Struct, frozen=True):
    """`name` is its path below docs/; `title` its first heading."""

    name: str
    title: str
    text: str


class Found(Struct, frozen=True):
    """A section that has all the words: its heading, what that is linked by ("" = the page's beginning), and
    the first line with one of them."""

    name: str
    title: str
    heading: str
    anchor: str
    line: str


@cache
def documents() -> Mapping[str, Document]:
    """By their names, the first page first. Reads files, so not for the event loop."""
    folder = next((place for place in _PLACES if place.is_dir()), None)
    if folder is None:
        return MappingProxyType({})
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.md"))
    names.sort(key=lambda name: (name != FIRST, "/" in name))
    return MappingProxyType({name: _read(folder, name) for name in names})


def found(pages: Mapping[str, Document], words: str, most: int) -> list[Found]:
    """In the pages' order, at most `most`. Pure; in time linear in the pages for each word."""
    wanted = words.lower().split()
    if not wanted:
        return []
    hits: list[Found] = []
    for page in pages.values():
        for heading, lines in _sections(page.text):
            whole = "\n".join((heading, *lines)).lower()
            if not all(word in whole for word in wanted):
                continue
            line = next((each for each in lines if any(word in each.lower() for word in wanted)), "")
            anchor = "" if heading == page.title else anchor_of(heading)
            hits.append(Found(page.name, page.title, heading, anchor, _brief(line)))
            if len(hits) == most:
                return hits
    return hits


def anchor_of(heading: str) -> str:
    """What a heading is linked by: in small letters, spaces as hyphens, without punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _read(folder: Path, name: str) -> Document:
    text = (folder / name).read_text("utf-8")
    title = next((heading for heading, _ in _sections(text) if heading), name)
    return Document(name, title, text)


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading with the lines below it; what looks like one in a block of code is a line."""
    heading, lines, is_code = "", [], False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code = not is_code
        match = None if is_code else _HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        if heading or lines:
            yield heading, lines
        heading, lines = _plain(match[1]), []
    yield heading, lines


def _brief(line: str) -> str:
    """Of a row of a table, what stands in its cells."""
    text = _CELLS.sub(" · ", _plain(line).strip("| ")) if line.startswith("|") else _plain(line)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()}…"


def _plain(line: str) -> str:
    return _MARKS.sub(lambda mark: mark[1] or "", line).strip()
