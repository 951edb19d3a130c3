"""Reading the files of one load: each once, whole, as text, and then as a document.

The text is kept until the load ends, so that the second, slow reading that explains a fault sees exactly
what the first one saw. Knows nothing of what the documents mean.
"""

import errno
from pathlib import Path
from typing import Any

import pyjson5

from openclaw_gateway.config.places import Position
from openclaw_gateway.config.scan import MAX_DEPTH, NotJson5, scan

MAX_BYTES = 10 * 1024 * 1024

_REASONS = {
    errno.EACCES: "the gateway has no permission to read it; change its owner or mode",
    errno.EPERM: "the gateway has no permission to read it; change its owner or mode",
    errno.EISDIR: "it is a directory, not a file",
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "part of its path is not a directory",
    errno.ELOOP: "its symbolic links lead in a circle",
}


class Unreadable(Exception):
    """A file that gives no document: why, as the end of a sentence, and where if there is a where."""

    def __init__(self, reason: str, place: Position | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


class Files:
    """With `placed` every document knows its places, which takes a hundred times as long."""

    def __init__(self, texts: dict[Path, str | None] | None = None, *, placed: bool = False) -> None:
        # What was asked for: None stands for a file that could not be read.
        self.texts: dict[Path, str | None] = {} if texts is None else texts
        self._placed = placed

    def with_places(self) -> "Files":
        return Files(self.texts, placed=True)

    def text(self, path: Path) -> str:
        """Raises Unreadable; FileNotFoundError when there is no such file."""
        known = self.texts.setdefault(path, None)
        if known is not None:
            return known
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            if path.is_symlink():
                raise Unreadable("it is a symbolic link to a file that does not exist") from None
            raise
        except OSError as error:
            raise Unreadable(_REASONS.get(error.errno or 0, "it cannot be read")) from error
        if len(data) > MAX_BYTES:
            raise Unreadable(f"it is larger than {MAX_BYTES // 1024 // 1024} MB")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Unreadable("it is not valid UTF-8; save it as UTF-8", Position(str(path), line)) from None
        self.texts[path] = text
        return text

    def document(self, path: Path) -> Any:
        """The parsed file, whatever its kind. Raises Unreadable or FileNotFoundError."""
        text = self.text(path)
        try:
            # Also in the slow reading: the fast parser alone decides what is valid.
            placed = scan(text, str(path)) if self._placed else None
            document = pyjson5.decode(text, MAX_DEPTH)
        except NotJson5 as error:
            raise Unreadable(f"not valid JSON5: {error.reason}", error.place) from None
        except (pyjson5.Json5DecoderException, ValueError, OverflowError, RecursionError):
            raise Unreadable("not valid JSON5") from None
        return document if placed is None else placed
