"""Large things beside the entries: one file for each content, named by its digest.

`<folder>/<first two digits>/<digest>`, owner-only, on disk before its name is. What is not named by any
entry any more is swept up later, but never a file that somebody has just put there: its entry may be on
its way. Blocking; knows no threads and no database. Raises OSError, and StoreError for a lost file.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.large import UNTOUCHED_S, digest_of, referenced
from openclaw_gateway.wire.messages import Message

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PART = ".part"
_WRITTEN_AT_ONCE = 512 << 10


def set_aside(folder: Path, message: Message) -> Message:
    """The message with references for what is large in it, which is on disk when this returns."""
    message, contents = referenced(message)
    for digest, content in contents.items():
        put(folder, digest, content)
    return message


def read(folder: Path, digest: str) -> str:
    """Raises StoreError (code "store_corrupt") when the file is lost or is not what it was."""
    try:
        content = _place(folder, digest).read_bytes()
    except FileNotFoundError:
        content = b""
    if digest_of(content) != digest:
        raise StoreError(
            "An image or file of this conversation is lost from the store.", code="store_corrupt"
        )
    return content.decode("ascii")


def untouched(folder: Path, now: float | None = None) -> Iterator[list[str]]:
    """The names of files that nobody has put there lately, in parts. Leaves no half-written file behind."""
    before = (time.time() if now is None else now) - UNTOUCHED_S
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        with os.scandir(part) as found:
            old = [entry.name for entry in found if entry.stat().st_mtime < before]
        for name in old:
            if name.endswith(_PART):
                (part / name).unlink(missing_ok=True)
        names = [name for name in old if _DIGEST.fullmatch(name)]
        if names:
            yield names


def drop(folder: Path, digests: list[str], now: float | None = None) -> int:
    """Delete these, but for those that somebody has put there again meanwhile; how many."""
    before = (time.time() if now is None else now) - UNTOUCHED_S
    dropped = 0
    for digest in digests:
        place = _place(folder, digest)
        try:
            if place.stat().st_mtime < before:
                place.unlink()
                dropped += 1
        except FileNotFoundError:
            continue
    return dropped


def put(folder: Path, digest: str, content: bytes) -> None:
    """One content, under its digest."""
    place = _place(folder, digest)
    try:
        if place.stat().st_size == len(content):
            os.utime(place)  # from now on it counts as new
            return
    except FileNotFoundError:
        pass
    for directory in (folder, place.parent):
        if not directory.exists():
            directory.mkdir(mode=0o700, exist_ok=True)
            _sync(directory.parent)
    part = place.with_name(f"{uuid4()}{_PART}")
    view = memoryview(content)
    try:
        part.touch(mode=0o600)
        with part.open("wb") as file:
            # A commit of the database waits for what else the disk has to write: never much of this.
            for start in range(0, len(content), _WRITTEN_AT_ONCE):
                file.write(view[start : start + _WRITTEN_AT_ONCE])
                file.flush()
                os.fdatasync(file.fileno())
        part.rename(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(place.parent)


def _place(folder: Path, digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise StoreError(
            "An image or file of this conversation has no name in the store.", code="store_corrupt"
        )
    return folder / digest[:2] / digest


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
