"""The approvals as one process keeps them: a file in our own folder, for its owner alone.

The terminal and the gateway write it, one at a time, whole or not at all; it is read anew each time. Knows
nothing of what is allowed.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from openclaw_gateway.errors import ApprovalsUnusable
from openclaw_gateway.tools.exec.approvals import FILE_NAME, encoded, read_document
from openclaw_gateway.work.threads import Threads

R = TypeVar("R")
_DEADLINE_S = 10.0


class ApprovalsFile:
    """KeptApprovals. `own_dir` is our folder of the state directory."""

    def __init__(self, own_dir: Path) -> None:
        self._path = approvals_path(own_dir)
        self._threads = Threads("approvals", most=2)

    @property
    def place(self) -> str:
        return str(self._path)

    def document(self) -> dict[str, Any] | None:
        return read_document(self._path)

    async def change(self, act: Callable[[dict[str, Any]], R]) -> R:
        try:
            return await self._threads.run("write", lambda: _changed(self._path, act), deadline_s=_DEADLINE_S)
        except TimeoutError:
            raise ApprovalsUnusable(f"{FILE_NAME} could not be opened in time. Try again.") from None
        except OSError as error:
            raise ApprovalsUnusable(
                f"{FILE_NAME} cannot be written: {error.strerror}.", code="approvals_unwritable"
            ) from None


def approvals_path(own_dir: Path) -> Path:
    return own_dir / FILE_NAME


@contextmanager
def changing(path: Path) -> Iterator[dict[str, Any]]:
    """The document, to be changed in place; written whole at the end, one writer at a time.

    Raises BrokenApprovals, and OSError when it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        document = read_document(path) or {}
        yield document
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encoded(document))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def _changed(path: Path, act: Callable[[dict[str, Any]], R]) -> R:
    with changing(path) as document:
        return act(document)
