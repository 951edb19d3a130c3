"""Notices that the files of the SQLite store are not where they were: deleted, moved or replaced.

What is written then goes where nobody will find it. Nothing more is, until somebody has decided what is
to stand there and has started the gateway anew.
"""

import os
import time
from pathlib import Path

import structlog

from openclaw_gateway.errors import StoreError

log = structlog.get_logger()

_MAGIC = b"SQLite format 3\0"
_READ_EVERY_S = 0.1


class FileGuard:
    """`remember` once both files are there. `check` costs two look-ups of a name, and ten times a second
    one look at the first bytes: it is called before every commit."""

    def __init__(self, path: Path) -> None:
        self._main = str(path)
        self._files = (self._main, f"{path}-wal")
        self._known: dict[str, tuple[int, int]] = {}
        self._read_at = 0.0
        self._lost = False

    def remember(self) -> None:
        found = {file: _identity(file) for file in self._files}
        self._known = {file: identity for file, identity in found.items() if identity is not None}

    def check(self) -> None:
        """Raises StoreError (code "store_lost"), and from then on always."""
        if not self._lost and self._known and self._are_others():
            self._lost = True
            log.error("store.files_lost", code="store_lost", detail="sessions.sqlite is not the file it was")
        if self._lost:
            raise StoreError(
                "The session store's file was deleted or replaced while the gateway ran, so nothing can be "
                "recorded. Stop the gateway, put the right sessions.sqlite in its place (or none, to start "
                "with an empty one), and start it again.",
                code="store_lost",
            )

    def _are_others(self) -> bool:
        for file, identity in self._known.items():
            if _identity(file) != identity:
                return True
        now = time.monotonic()
        if now < self._read_at:
            return False
        self._read_at = now + _READ_EVERY_S
        try:
            with open(self._main, "rb", buffering=0) as head:  # noqa: PTH123 - text, made once
                return head.read(len(_MAGIC)) != _MAGIC
        except OSError:
            return False  # it is there, but this process may not look


def _identity(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - before every commit: without an object per look-up
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
