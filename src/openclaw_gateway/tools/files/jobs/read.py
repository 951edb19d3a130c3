"""Lines of a text file, or pages of a PDF, bounded. Other binary files are named, not shown."""

import io
import os
from functools import partial
from typing import BinaryIO

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.regular_file import open_regular
from openclaw_gateway.tools.files.decoded import decoded, is_utf_16
from openclaw_gateway.tools.files.jobs.orders import Read, TooLarge

MAX_LINES = 2000
MAX_CHARS = 50_000
MAX_PDF_PAGES = 20
_MAX_LINE_BYTES = 8_000
_HEAD = 64
_MAX_UTF_16_BYTES = 4 * 1024 * 1024
# The rest of a larger file is neither shown nor counted.
_MAX_SCAN_BYTES = 64 * 1024 * 1024
# Counting lines costs the interpreter little.
_SMALL_BYTES = 4 * 1024 * 1024
# NUL, carriage return, byte order mark, U+FFFD.
_MARKS = (b"\0", b"\r", b"\xef\xbb\xbf", b"\xef\xbf\xbd")


def read(job: Read, *, small: bool) -> str:
    """The lines, and a last line that says what is left out."""
    with job.workspace.place(job.path) as place, open_regular(place) as file:
        if small and os.fstat(file.fileno()).st_size > _SMALL_BYTES:
            raise TooLarge
        if is_pdf(file.read(_HEAD)):
            if small:
                raise TooLarge
            from openclaw_gateway.tools.files.jobs.pdf import pdf_text  # noqa: PLC0415 - not for every child

            file.seek(0)
            return pdf_text(file, job.path, job.offset, min(job.limit, MAX_PDF_PAGES), MAX_CHARS)
        file.seek(0)
        return Page(job.offset, job.limit).read(file, job.path)


def is_pdf(data: bytes) -> bool:
    return data[:_HEAD].lstrip().startswith(b"%PDF-")


def plain_text(data: bytes, limit: int) -> str | None:
    """A small file that is shown whole and as it is; None for one that Page must look at line by line."""
    if not data or len(data) > _MAX_LINE_BYTES or data.count(b"\n") >= limit:
        return None
    if any(mark in data for mark in _MARKS):
        return None
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        return None


class Page:
    def __init__(self, offset: int, limit: int) -> None:
        self._offset = offset
        self._limit = limit
        self._lines: list[str] = []
        self._chars = 0
        self._damaged = False
        self._long = False
        self._as: list[str] = []

    def read(self, file: BinaryIO, path: str) -> str:
        head = file.read(8192)
        if is_utf_16(head):
            file.seek(0)
            self._as.append("UTF-16")
            text, _ = decoded(file.read(_MAX_UTF_16_BYTES))
            file, head = io.BytesIO(text.encode(errors="replace")), b""
        if b"\0" in head:
            size = file.seek(0, os.SEEK_END)
            raise ToolError(f"{path}: is a binary file of {size:,} bytes; it cannot be shown as text.")
        file.seek(0)
        number, scanned, full = 0, 0, False
        # A piece of at most a megabyte, so that one endless line cannot fill the memory.
        for data in iter(partial(file.readline, 1024 * 1024), b""):
            number += 1
            scanned += len(data)
            if scanned > _MAX_SCAN_BYTES:
                return self._told(f"{number - 1}+")
            if number >= self._offset and not full:
                full = not self._take(data)
        if not self._lines and number and self._offset > number:
            raise ToolError(f"{path}: has {number} lines; offset {self._offset} is behind its end.")
        return self._told(str(number))

    def _take(self, data: bytes) -> bool:
        """False when the page is full."""
        text, other = decoded(data)
        if other is not None and other not in self._as:
            self._as.append(other)
        line = text.rstrip("\r\n")
        if len(data) > _MAX_LINE_BYTES:
            self._long = True
            line = line[: _MAX_LINE_BYTES // 2] + " […] " + line[-_MAX_LINE_BYTES // 4 :]
        if len(self._lines) >= self._limit or self._chars + len(line) > MAX_CHARS:
            return False
        self._damaged |= "\ufffd" in line
        self._lines.append(line)
        self._chars += len(line) + 1
        return True

    def _told(self, total: str) -> str:
        notes = []
        last = self._offset + len(self._lines) - 1
        if total != str(last) and self._lines:
            notes.append(f"lines {self._offset}-{last} of {total}; go on with offset={last + 1}")
        if self._long:
            notes.append("very long lines are shown without their middle")
        if self._damaged:
            notes.append("what could not be read is shown as \ufffd")
        if self._as:
            notes.append(f"the file is not UTF-8; it is shown as {' and '.join(self._as)}")
        shown = "\n".join(self._lines)
        if not self._lines:
            return "[the file is empty]"
        return f"{shown}\n\n[{'; '.join(notes)}]" if notes else shown
