"""Walking a directory tree of the workspace: by open directories, never through a link, never for ever.

Knows no tool. It blocks; a walk ends at its deadline or its number of entries, and says so.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.fs.containment import DIRECTORY

# Large, and never what is looked for; a walk that starts inside one of them sees it.
SKIPPED = frozenset({".git", "node_modules", ".venv", "__pycache__"})
MAX_ENTRIES = 200_000
_MAX_DEPTH = 64


def shown_name(name: str) -> str:
    """A name of the disk, which may be any bytes, as text that can be sent."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


class Found(Struct, frozen=True):
    """`path` relative to where the walk began; `directory` is open only until the next entry."""

    path: str
    name: str
    directory: int
    is_directory: bool
    is_file: bool


class Tree:
    """One walk from `directory`, which is at `base`; what is in `closed` is left out as if it were not there.

    `cut` says afterwards why the walk was not whole.
    """

    def __init__(
        self,
        directory: int,
        *,
        base: str,
        closed: Iterable[str | Path] = (),
        max_entries: int = MAX_ENTRIES,
        seconds: float = 15.0,
        skipped: frozenset[str] = SKIPPED,
        leaves_out: Callable[[Found], bool] | None = None,
    ) -> None:
        self._leaves_out = leaves_out
        self._skipped = skipped
        self._base = base.rstrip("/")
        self._closed = {os.path.realpath(path) for path in closed}
        self._directory = directory
        self._left = max_entries
        self._until = time.monotonic() + seconds
        self.cut: str | None = None

    def walk(self) -> Iterator[Found]:
        yield from self._walk(self._directory, "", 0)

    def _walk(self, directory: int, prefix: str, depth: int) -> Iterator[Found]:
        try:
            with os.scandir(directory) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            return
        for entry in listed:
            self._left -= 1
            if self._left < 0:
                self.cut = "too many files"
            elif time.monotonic() > self._until:
                self.cut = "it took too long"
            if self.cut:
                return
            path = f"{prefix}{entry.name}"
            if self._closed and f"{self._base}/{path}" in self._closed:
                continue
            inside = entry.is_dir(follow_symlinks=False)
            file = entry.is_file(follow_symlinks=False)
            found = Found(path, entry.name, directory, inside, file)
            if self._leaves_out is not None and self._leaves_out(found):
                continue
            yield found
            if not inside or entry.name in self._skipped or depth >= _MAX_DEPTH:
                continue
            try:
                child = os.open(entry.name, DIRECTORY, dir_fd=directory)
            except OSError:
                continue
            try:
                yield from self._walk(child, f"{path}/", depth + 1)
            finally:
                os.close(child)
