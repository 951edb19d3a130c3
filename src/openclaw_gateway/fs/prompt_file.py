"""Reading one file of a folder that an agent may write to, for its prompt: bounded, by the contained walk.

Does not know what the text is for. A link that leaves the folder is not followed, what is not a regular
file is not opened, and of a huge file only both ends are read.
"""

import os
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import PathRefused, Workspace
from openclaw_gateway.fs.regular_file import open_regular

# Far more than any prompt takes; half of it from each end of a larger file.
READ_BYTES = 1_000_000

_WORDS = {
    "outside": "is a link to a place outside its folder",
    "circle": "is a link in a circle",
    "special": "is not a regular file",
}


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
        with Workspace(root, root).place(name) as place, open_regular(place) as file:
            data, size = _read(file)
    except PathRefused as refused:
        if refused.kind == "absent":
            return None
        raise Unusable(_WORDS.get(refused.kind) or f"cannot be read ({_end(refused)})") from None
    except ToolError as error:
        raise Unusable(f"cannot be read ({_end(error)})") from None
    # A null byte is no text, and some providers refuse a whole request because of one.
    text = data.decode("utf-8-sig", "replace").replace("\x00", "").strip()
    return FileText(name, text, f"{size:,} bytes" if size > len(data) else None)


def _read(file: BinaryIO) -> tuple[bytes, int]:
    """(the content or both its ends, the size)."""
    size = os.fstat(file.fileno()).st_size
    if size <= READ_BYTES:
        # It may grow meanwhile: the bound holds for what is read, not for what was promised.
        data = file.read(READ_BYTES)
        return data, len(data)
    head = file.read(READ_BYTES // 2)
    file.seek(-READ_BYTES // 2, os.SEEK_END)
    return head + file.read(READ_BYTES // 2), size


def _end(error: ToolError) -> str:
    """Of a sentence that began with the name."""
    return str(error).partition(": ")[2].rstrip(".") or str(error)
