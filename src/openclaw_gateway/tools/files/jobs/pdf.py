"""The text of a PDF's pages, bounded in bytes, pages, characters and time. For a child alone.

A PDF is anybody's, and its parser somebody else's: whatever it raises is a sentence about the file.
"""

import io
import time
from typing import BinaryIO

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError

from openclaw_gateway.errors import ToolError
from openclaw_gateway.sizes import size_text
from openclaw_gateway.tools.files.jobs.orders import Pages

MAX_BYTES = 64 * 1024 * 1024
# So that what was read by then is shown, before the child is ended.
_MAX_S = 15.0


def pdf_text(file: BinaryIO, path: str, offset: int, limit: int, most_chars: int) -> str:
    """Pages `offset` to at most `offset + limit - 1`, from 1, each under its number. Raises ToolError."""
    reader = _opened(file.read(MAX_BYTES + 1), path)
    total = len(reader.pages)
    if offset > total:
        raise ToolError(f"{path}: has {total} pages; offset {offset} is behind its end.")
    last = min(total, offset + limit - 1)
    return _pages(reader, offset, last, most_chars, "go on with offset={next}")


def sent_pages(job: Pages) -> str:
    """The first pages of a PDF that somebody has sent, as `pdf_text`. Raises ToolError."""
    reader = _opened(job.body, job.name)
    return _pages(reader, 1, min(len(reader.pages), job.pages), job.chars, "the others were not read")


def _opened(data: bytes, path: str) -> PdfReader:
    """Raises ToolError."""
    if len(data) > MAX_BYTES:
        raise ToolError(f"{path}: is a PDF of more than {size_text(MAX_BYTES)}, too large to be read.")
    try:
        reader = PdfReader(io.BytesIO(data))
        opened = not reader.is_encrypted or reader.decrypt("") is not PasswordType.NOT_DECRYPTED
        total = len(reader.pages) if opened else 0
    except MemoryError:
        raise
    except DependencyError:
        raise ToolError(f"{path}: is a PDF that is encrypted in a way that cannot be opened here.") from None
    except Exception:  # noqa: BLE001 - a damaged file raises anything
        raise ToolError(f"{path}: is a damaged PDF; it cannot be read.") from None
    if not opened:
        raise ToolError(f"{path}: is a PDF with a password; it cannot be read without.")
    if total == 0:
        raise ToolError(f"{path}: is a PDF without pages.")
    return reader


def _pages(reader: PdfReader, first: int, last: int, room: int, more: str) -> str:
    until, total, shown, blank = time.monotonic() + _MAX_S, len(reader.pages), list[str](), 0
    for number in range(first, last + 1):
        text, note = _page(reader, number)
        if shown and (len(text) > room or time.monotonic() > until):
            last = number - 1
            break
        if len(text) > room:
            text, note = text[:room], f": its first {room:,} of {len(text):,} characters"
        room -= len(text)
        blank += not text
        shown.append(f"[page {number} of {total}{note}]\n{text}".rstrip("\n"))
    if blank == len(shown):
        shown.append("[No text on these pages: they may be scanned, or pictures.]")
    if last < total:
        shown.append(f"[pages {first}-{last} of {total}; {more.format(next=last + 1)}]")
    return "\n\n".join(shown)


def _page(reader: PdfReader, number: int) -> tuple[str, str]:
    """(its text, what is to be said of it)."""
    try:
        text = reader.pages[number - 1].extract_text()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a damaged page raises anything
        return "", ": damaged, it cannot be read"
    clean = text.encode(errors="replace").decode().replace("\0", "\ufffd").strip()
    return clean, "" if clean else ": no text"
