"""Reading one file of a folder that an agent may write to: bounded, and never outside that folder.

Does not know what the text is for. A link that leaves the folder is not followed, what is not a regular
file is not opened, and of a huge file only both ends are read.
"""

import os
import stat
from pathlib import Path

from msgspec import Struct

# Far more than any prompt takes; half of it from each end of a larger file.
READ_BYTES = 1_000_000

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class Unusable(Exception):
    """The file is there and cannot be used; the text is the end of a sentence that began with its name."""


class FileText(Struct, frozen=True):
    """`whole` is the file's size when `text` is only its two ends."""

    name: str
    text: str
    whole: str | None = None


def read_inside(root: Path, name: str) -> FileText | None:
    """The text of `root/name`; None when there is no such file. Raises Unusable."""
    try:
        real = (root / name).resolve(strict=True)
        if not real.is_relative_to(root.resolve(strict=True)):
            raise Unusable("is a link to a place outside its folder")
        if not stat.S_ISREG(real.lstat().st_mode):
            raise Unusable("is not a regular file")
        data, size = _read(real)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except RuntimeError:  # how Python 3.11 says ELOOP
        raise Unusable("is a link in a circle") from None
    except OSError as error:
        raise Unusable(f"cannot be read ({(error.strerror or 'unknown reason').lower()})") from None
    # A null byte is no text, and some providers refuse a whole request because of one.
    text = data.decode("utf-8-sig", "replace").replace("\x00", "").strip()
    return FileText(name, text, f"{size:,} bytes" if size > len(data) else None)


def _read(path: Path) -> tuple[bytes, int]:
    """(the content or both its ends, the size)."""
    descriptor = os.open(path, _READ)
    with os.fdopen(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise Unusable("is not a regular file")
        if seen.st_size <= READ_BYTES:
            # It may grow meanwhile: the bound holds for what is read, not for what was promised.
            data = file.read(READ_BYTES)
            return data, len(data)
        head = file.read(READ_BYTES // 2)
        file.seek(-READ_BYTES // 2, os.SEEK_END)
        return head + file.read(READ_BYTES // 2), seen.st_size
