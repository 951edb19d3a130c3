"""The lines of a log file: which of them are wanted, and the file followed through its putting away.

A line is a JSON object (see logs/line.py). What is none, such as a line torn by a full disk, passes every
filter but those it cannot be judged by.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

_LEVELS = ("debug", "info", "warning", "error", "critical")
_READ_BYTES = 1 << 20


class Wanted(Struct, frozen=True):
    """None = any. `run`, `session` and `request` may be the end of what a line says, `level` is the least."""

    run: str | None = None
    session: str | None = None
    agent: str | None = None
    request: str | None = None
    level: str | None = None

    def fits(self, line: dict[str, Any]) -> bool:
        if self.level is not None:
            said = line.get("level")
            if said not in _LEVELS or _LEVELS.index(said) < _LEVELS.index(self.level):
                return False
        if self.agent is not None and line.get("agent") != self.agent:
            return False
        return all(
            wanted is None or str(line.get(name) or "").endswith(wanted)
            for name, wanted in (("run", self.run), ("session", self.session), ("request", self.request))
        )


def parsed(text: bytes) -> dict[str, Any]:
    """The line; one that is none has only `event`."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"event": text.decode("utf-8", "replace").strip()}


class LogTail:
    """Reads what has come since it last read. Raises OSError where there is no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._rest = b""

    def close(self) -> None:
        self._file.close()

    def more(self) -> Iterator[dict[str, Any]]:
        """Whole lines; then those of the file that has taken its place, if one has."""
        yield from self._read()
        if self._is_another():
            after = self._path.open("rb")
            yield from self._read()  # what was written before it was put away
            self._file.close()
            self._file, self._rest = after, b""
            yield from self._read()

    def _read(self) -> Iterator[dict[str, Any]]:
        while data := self._file.read(_READ_BYTES):
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield from (parsed(line) for line in lines if line.strip())

    def _is_another(self) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False
