"""One gateway per state directory: a lock that dies with its process, and the pid of who holds it.

The lock is the kernel's (flock), so a crash leaves nothing to clean up; the pid in the file is only for
the message to the second one.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from openclaw_gateway.errors import StartupError

EX_ALREADY_RUNNING = 75
_NAME = "gateway.lock"


class InstanceLock:
    """Raises StartupError (code "already_running") when another process holds the directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _NAME
        self._file = -1

    def __enter__(self) -> "InstanceLock":
        try:
            # Both levels: what `parents=True` makes on the way takes its mode from the umask.
            self._path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.parent.mkdir(exist_ok=True, mode=0o700)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartupError(
                f"Cannot use the state directory {self._path.parent}: {error.strerror}. Make it writable, or "
                "name another one with OPENCLAW_STATE_DIR.",
                exit_code=73,
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = holder(self._path.parent)
            os.close(self._file)
            raise StartupError(
                f"A gateway is already running for this state directory{f' (pid {pid})' if pid else ''}. "
                "Stop it first, or use another state directory (OPENCLAW_STATE_DIR) and port.",
                exit_code=EX_ALREADY_RUNNING,
                code="already_running",
            ) from None
        os.truncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.truncate(self._file, 0)
        os.close(self._file)


def holder(directory: Path) -> int | None:
    """The pid that wrote itself into the lock of `directory`, if any."""
    try:
        text = (directory / _NAME).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
