"""The files of the control page as they were built: compressed, each with its tag. Knows no request.

`make ui` makes them from the sources in ui/. The names of scripts and styles hold a
hash of what is in them, so that whoever has one never needs to ask for it again.
"""

import gzip
import hashlib
from importlib.resources import files

from msgspec import Struct

PAGE = "page.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


class PageFile(Struct, frozen=True):
    """`tag` is of the content, quoted as `ETag` wants it."""

    packed: bytes
    media_type: str
    tag: str

    def plain(self) -> bytes:
        return gzip.decompress(self.packed)


def page_files() -> dict[str, PageFile]:
    """By their names, without the ending of the compression."""
    found = {}
    for file in files("openclaw_gateway.doors.ui").joinpath("built").iterdir():
        name = file.name.removesuffix(".gz")
        packed = file.read_bytes()
        tag = f'"{hashlib.sha256(packed).hexdigest()[:16]}"'
        found[name] = PageFile(packed, _TYPES[name[name.rindex(".") :]], tag)
    return found
