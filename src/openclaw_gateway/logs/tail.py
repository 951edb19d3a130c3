"""A log file's newest lines, and those behind a place in it. Blocks, as the file system does.

Reads a bounded piece from the end, and only whole lines: the last one may be on its way. Knows nothing of
what stands in a line.
"""

import os
import stat
from pathlib import Path

from msgspec import Struct

_END = b"\n"
# Not blocking: a named pipe that nobody writes to would hold the thread.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


class Piece(Struct, frozen=True):
    """`cursor` is where to go on: the byte behind the last whole line. `size` is the file's. `truncated`:
    lines before these were left out; `is_reset`: these do not follow what was read before, because the file
    was begun anew or more has come than was wanted."""

    cursor: int
    size: int
    lines: tuple[str, ...]
    truncated: bool = False
    is_reset: bool = False


def read_tail(path: Path, *, after: int | None, most_lines: int, most_bytes: int) -> Piece:
    """The lines behind the byte `after`, at most so many, the newest; None = from as far back as that goes.

    Raises OSError, also for what is no regular file.
    """
    with open(path, "rb", opener=lambda name, _: os.open(name, _FLAGS)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no regular file")
        size = status.st_size
        earliest = max(0, size - most_bytes)
        follows = after is not None and earliest <= after <= size
        start = after if after is not None and follows else earliest
        # One byte more tells whether a line begins there.
        file.seek(max(0, start - 1))
        data = file.read(size - max(0, start - 1))
    begins = start == 0 or data[:1] == _END
    data = data[min(start, 1) :]
    end = data.rfind(_END) + 1
    lines = data[:end].split(_END)[:-1]
    if not begins and not follows:
        lines = lines[1:]
    kept = lines[-most_lines:]
    return Piece(
        cursor=start + end,
        size=size,
        lines=tuple(line.decode("utf-8", "replace") for line in kept),
        truncated=len(kept) < len(lines) or (start > 0 and not follows),
        is_reset=after is not None and not follows,
    )
