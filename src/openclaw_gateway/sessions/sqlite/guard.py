"""Notices that the files of the SQLite store are not where they were: deleted, moved or replaced.

What is written then goes where nobody will find it. Nothing more is, until somebody has decided what is
to stand there and has started the gateway anew.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import structlog

from openclaw_gateway.errors import StoreError

log = structlog.get_logger()

_MAGIC = b"SQLite format 3\0"
_READ_EVERY_S = 0.1


class FileGuard:
    """`remember` once both files are there, `forget` once the database is closed. `check` costs two look-ups
    of a name, and ten times a second one look at the first bytes: it is called before every commit.

    The file is opened once and stays open: a process that closes any descriptor of a file gives up all of its
    locks on it (fcntl(2)), SQLite's too, and then another program that closes the database, such as one that
    makes a copy of it, takes itself for the last one and removes the write-ahead log."""

    def __init__(self, path: Path) -> None:
        self._main = str(path)
        self._files = (self._main, f"{path}-wal")
        self._known: dict[str, tuple[int, int]] = {}
        self._read_at = 0.0
        self._lost = False
        self._head = -1

    def remember(self) -> None:
        with suppress(OSError):
            self._head = os.open(self._main, os.O_RDONLY | os.O_CLOEXEC)
        found = {file: _identity(file) for file in self._files}
        self._known = {file: identity for file, identity in found.items() if identity is not None}

    def forget(self) -> None:
        self._known = {}
        if self._head >= 0:
            os.close(self._head)
            self._head = -1

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
        if self._head < 0:
            return False  # it is there, but this process may not look
        try:
            return os.pread(self._head, len(_MAGIC), 0) != _MAGIC
        except OSError:
            return False


def _identity(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - before every commit: without an object per look-up
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
