"""The log's file: begun anew when it is full, and when somebody has moved it away.

What it held stays beside it, numbered: `<file>.1` is the newest. Works in the thread that writes
(writer.py), and may take as long as the file system does. Of lines it knows only how they end.
"""

import os
import stat
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from openclaw_gateway.errors import StartupError
from openclaw_gateway.logs.writer import Writer, to_descriptor

# As in OpenClaw: 100 MB a file, five of them beside it.
MAX_FILE_BYTES = 104_857_600
ARCHIVES = 5
# Not blocking: a named pipe that nobody reads would hold up the start.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
_END = ord("\n")


def open_log(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> Writer:
    """The log file, for appending, readable by its owner only. Raises StartupError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = _LogFile(path, max_bytes)
    except OSError as error:
        raise StartupError(
            f"Cannot write the log file {path}: {error.strerror}. Make it writable, or change logging.file.",
            exit_code=73,
        ) from None
    return Writer(file.write, release=file.close)


class _LogFile:
    """Raises OSError when it cannot be opened."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._descriptor = os.open(path, _FLAGS, 0o600)
        self._write = to_descriptor(self._descriptor)
        self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._whole = True

    def write(self, data: memoryview) -> int:
        """Between two lines it looks where it writes. Raises OSError when the file takes nothing."""
        if self._is_file and self._whole:
            # Where there is nothing to change over to, the old file serves on: better a line there than none.
            with suppress(OSError):
                self._look(len(data))
        written = self._write(data)
        self._whole = written > 0 and data[written - 1] == _END
        return written

    def close(self) -> None:
        os.close(self._descriptor)

    def _look(self, more: int) -> None:
        """Raises OSError."""
        ours = os.fstat(self._descriptor)
        try:
            is_there = os.path.samestat(self._path.stat(), ours)
        except FileNotFoundError:
            is_there = False
        if is_there and (ours.st_size == 0 or ours.st_size + more <= self._max_bytes):
            return
        if is_there:
            self._put_away()
        opened = os.open(self._path, _FLAGS, 0o600)
        os.dup2(opened, self._descriptor, inheritable=False)
        os.close(opened)

    def _put_away(self) -> None:
        archives = (self._path.with_name(f"{self._path.name}.{number}") for number in range(1, ARCHIVES + 1))
        for newer, older in reversed([*pairwise((self._path, *archives))]):
            with suppress(FileNotFoundError):
                newer.replace(older)
