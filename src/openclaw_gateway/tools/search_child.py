"""The searching half of `grep`, in a process of its own: a regular expression can take for ever.

Python's matcher holds the interpreter's lock while it works, so a thread could not be given up; a process
can be killed. It opens files by the same walk as every file tool, reads its orders from stdin and writes
matches as JSON lines to stdout. Run as `python -P -m openclaw_gateway.tools.search_child`.
"""

import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.files import open_regular
from openclaw_gateway.tools.glob_pattern import matcher, with_braces
from openclaw_gateway.tools.tree import Tree, shown_name
from openclaw_gateway.tools.workspace_path import Place, Workspace, open_directory

_MAX_FILE_BYTES = 20 * 1024 * 1024
_MAX_LINE = 500

Search = Callable[[str], object]


class Orders(Struct, frozen=True):
    root: str
    start: str
    closed: tuple[str, ...]
    path: str
    pattern: str
    glob: str | None
    ignore_case: bool
    literal: bool
    context: int
    limit: int


class Line(Struct, frozen=True):
    """`hit` False: a line of context. `file` empty: a gap between two groups of lines."""

    file: str
    number: int = 0
    text: str = ""
    hit: bool = True


class End(Struct, frozen=True, tag=True):
    """Always the last: how many matches, and what was left out or went wrong."""

    hits: int
    cut: str | None = None
    error: str | None = None


def main() -> None:
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    search = _Search(orders)
    try:
        for line in search.run():
            sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        end = End(search.hits, search.cut)
    except ToolError as error:
        end = End(search.hits, error=str(error))
    except re.error as error:
        end = End(
            0,
            error=f"`pattern` is no valid regular expression: {error}. literal=true searches for it as text.",
        )
    sys.stdout.buffer.write(msgspec.json.encode(end) + b"\n")


class _Search:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.hits = 0
        self.cut: str | None = None

    def run(self) -> Iterator[Line]:
        orders = self._orders
        pattern = re.escape(orders.pattern) if orders.literal else orders.pattern
        search = re.compile(pattern, re.IGNORECASE if orders.ignore_case else 0).search
        workspace = Workspace(Path(orders.root), Path(orders.start), tuple(map(Path, orders.closed)))
        with workspace.place(orders.path) as place:
            for file in self._files(place):
                with file.opened as stream:
                    yield from self._grep(stream, file.path, search)
                if self.cut:
                    return

    def _files(self, place: Place) -> "Iterator[_File]":
        if place.status is not None and not stat.S_ISDIR(place.status.st_mode):
            yield _File(self._orders.path, open_regular(place))
            return
        tests = [matcher(one) for one in with_braces(self._orders.glob)] if self._orders.glob else []
        with open_directory(place) as directory:
            tree = Tree(directory, base=place.path, closed=self._orders.closed)
            for entry in tree.walk():
                if not entry.is_file or (tests and not any(test(entry.path) for test in tests)):
                    continue
                try:
                    status = os.stat(entry.name, dir_fd=entry.directory, follow_symlinks=False)
                    opened = open_regular(Place(entry.directory, entry.name, entry.path, "", status))
                except (OSError, ToolError):
                    continue
                yield _File(shown_name(entry.path), opened)
        self.cut = self.cut or tree.cut

    def _grep(self, stream: BinaryIO, path: str, search: Search) -> Iterator[Line]:
        data = stream.read(_MAX_FILE_BYTES)
        if b"\0" in data[:8192]:
            return
        lines = data.decode(errors="replace").splitlines()
        left = self._orders.limit - self.hits
        hits = list(islice((n for n, line in enumerate(lines, 1) if search(line)), left + 1))
        if len(hits) > left:
            self.cut = f"only the first {self._orders.limit} matches"
            del hits[left:]
        self.hits += len(hits)
        around, last = self._orders.context, 0
        found = set(hits)
        for hit in hits:
            if last and around and hit - around > last + 1:
                yield Line("")
            for number in range(max(hit - around, last + 1), min(hit + around, len(lines)) + 1):
                yield Line(path, number, lines[number - 1][:_MAX_LINE], number in found)
                last = number


class _File(Struct, frozen=True):
    path: str
    opened: BinaryIO


if __name__ == "__main__":
    main()
