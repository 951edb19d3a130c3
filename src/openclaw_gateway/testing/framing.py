"""HTTP/1.1 as one who passes it on needs it: heads with their fields, and where a body ends (RFC 9112).

Pure. It knows no connection and no meaning of a message; what could be read in two ways is refused.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.([01])")
_ANSWER = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\0]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_MOST_LINE_BYTES = 1024
# What is about one connection and not about the message.
_OF_THE_CONNECTION = {b"connection", b"keep-alive", b"proxy-connection"}


class BadMessage(Exception):
    """It is not HTTP/1.1, or whoever comes next may see another end of it."""


class Head(Struct, frozen=True):
    """`line` is the first line; the fields are as they came, in order."""

    line: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def values(self, name: bytes) -> list[bytes]:
        """In small letters, each member of a list by itself."""
        return [
            member.strip().lower()
            for field, value in self.fields
            if field.lower() == name
            for member in value.split(b",")
        ]

    def passed_on(self, *more: tuple[bytes, bytes]) -> bytes:
        """In bytes, with `more` in the place of what was said about the connection."""
        kept = [field for field in self.fields if field[0].lower() not in _OF_THE_CONNECTION]
        return b"\r\n".join((self.line, *(b": ".join(field) for field in (*kept, *more)), b"", b""))


class Body(Protocol):
    """Where a body ends: fed with what comes, it says how much of that is its own."""

    @property
    def ended(self) -> bool: ...

    def feed(self, piece: bytes) -> int:
        """Raises BadMessage."""
        ...


class Sized:
    """A body of so many bytes."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def ended(self) -> bool:
        return self._left == 0

    def feed(self, piece: bytes) -> int:
        own = min(self._left, len(piece))
        self._left -= own
        return own


class UntilClosed:
    """A body that goes on until its connection ends."""

    ended = False

    def feed(self, piece: bytes) -> int:
        return len(piece)


class Chunked:
    """A body in chunks, with its trailer."""

    def __init__(self) -> None:
        self.ended = False
        self._line = b""  # of a line that has not come whole
        self._data = 0  # what is left of a chunk
        self._behind_data = False
        self._trailer = False

    def feed(self, piece: bytes) -> int:
        at = 0
        while at < len(piece) and not self.ended:
            if self._data:
                own = min(self._data, len(piece) - at)
                self._data -= own
                at += own
                continue
            end = piece.find(b"\n", at)
            upto = len(piece) if end < 0 else end + 1
            self._line += piece[at:upto]
            at = upto
            if len(self._line) > _MOST_LINE_BYTES:
                raise BadMessage("a line between chunks is too long")
            if end >= 0:
                self._line_came(self._line)
                self._line = b""
        return at

    def _line_came(self, line: bytes) -> None:
        if self._behind_data:
            if line != b"\r\n":
                raise BadMessage("a chunk is longer than its size")
            self._behind_data = False
            return
        if self._trailer:
            self.ended = line == b"\r\n"
            if not self.ended and _FIELD.fullmatch(line.removesuffix(b"\r\n")) is None:
                raise BadMessage("a line behind the chunks is no field")
            return
        size = _SIZE.fullmatch(line)
        if size is None:
            raise BadMessage("what stands before a chunk is not its size")
        self._data = int(size[1], 16)
        self._trailer = self._data == 0
        self._behind_data = not self._trailer


def head_of(block: bytes) -> Head:
    """`block` is all up to the empty line, with it. Raises BadMessage."""
    first, *lines = block.removesuffix(b"\r\n\r\n").split(b"\r\n")
    fields = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadMessage("a line of the head is no field")
        fields.append((field[1], field[2].strip(b" \t")))
    return Head(first, tuple(fields))


def request_body(head: Head) -> Body:
    """Raises BadMessage."""
    if _REQUEST.fullmatch(head.line) is None:
        raise BadMessage("the first line is no request")
    if head.line.endswith(b"1.0") and head.values(b"transfer-encoding"):
        raise BadMessage("HTTP/1.0 has no chunks")
    return _framed(head) or Sized(0)


def answer_body(head: Head, *, method: bytes) -> Body:
    """Of an answer to a request with `method`. Raises BadMessage."""
    status = status_of(head)
    if method == b"HEAD" or status in (204, 304) or status < 200:
        return Sized(0)
    return _framed(head) or UntilClosed()


def method_of(head: Head) -> bytes:
    return head.line.partition(b" ")[0]


def status_of(head: Head) -> int:
    """Raises BadMessage."""
    found = _ANSWER.fullmatch(head.line)
    if found is None:
        raise BadMessage("the first line is no status")
    return int(found[1])


def stays_open(head: Head) -> bool:
    """Whether whoever sent this request means to send another."""
    said = head.values(b"connection")
    return b"keep-alive" in said if head.line.endswith(b"1.0") else b"close" not in said


def _framed(head: Head) -> Body | None:
    coding = head.values(b"transfer-encoding")
    lengths = head.values(b"content-length")
    if coding:
        if coding != [b"chunked"] or lengths:
            raise BadMessage("its length is said in two ways, or in one that is not known")
        return Chunked()
    if not lengths:
        return None
    return Sized(_length(lengths))


def _length(said: Sequence[bytes]) -> int:
    if len(set(said)) != 1 or not said[0].isdigit() or len(said[0]) > 15:
        raise BadMessage("its length is not one number")
    return int(said[0])
