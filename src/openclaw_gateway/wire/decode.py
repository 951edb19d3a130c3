"""The one JSON decode edge: bytes in, a typed value or a DecodeError out, whatever the bytes are.

msgspec reports a recursion limit, invalid UTF-8 and lone surrogates as errors that are not its own or
say the wrong thing; all of it becomes one DecodeError whose `path` is a field path ("messages[0].role")
and whose `reason` is a sentence about the client's JSON, not about our types.
"""

import codecs
import json
import re
from itertools import accumulate
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_JSON_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_TYPES = re.compile(r"`((?:str|int|float|bool|array|object|null)(?: \| \w+)*)`")
# An escaped surrogate, or one in bytes.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_ALONE = re.compile(rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|\xed[\xa0-\xbf]")
_HALF_REASON = (
    "it has half of an emoji in it (a surrogate, \\ud800 to \\udfff, without its other half): the text was "
    "cut in the middle of a character; cut it between characters"
)
_MOST_PARTS = 100_000
_UTF8 = codecs.getincrementaldecoder("utf-8")
_PIECE = 64 << 10
_MOST_PATH = 200
_AT = re.compile(r" - at `(?P<path>[^`]*)`$")
# Deeper by one, or as a signed byte by minus one.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_STEPS_AT_ONCE = 16 << 10
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))


class DecodeError(ValueError):
    """`path` is "" for the whole document, else the field path; `reason` says what is wrong there."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path


def decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw) -> T:
    """Decode `data`. Raises DecodeError for anything that is not the JSON `decoder` asks for."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _validation(str(error)) from None
    except msgspec.DecodeError as error:
        raise (_half(data) or DecodeError(_syntax(str(error)))) from None
    except UnicodeDecodeError:
        raise _not_utf8(data) from None
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None


def check_utf8(data: bytes) -> None:
    """Raises DecodeError; for what is decoded as Raw, into which `decode` does not look."""
    if data.isascii():
        return
    # In pieces: the text itself is not wanted, and one emoji makes it four times as large as its bytes.
    decoder = _UTF8()
    view = memoryview(data)
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(view[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _not_utf8(data) from None


def depth_exceeds(data: bytes, limit: int) -> bool:
    """Whether brackets outside strings nest deeper than `limit`.

    At the speed of C, and linear whatever the brackets: only the structure is kept, and its depth added up.
    """
    if data.count(b"[") + data.count(b"{") <= limit:
        return False
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Of most strings nothing is left but two quotes; without them every other quote still opens a string.
    structure = data.translate(_STEPS, _NOT_STRUCTURE).replace(b'""', b"")
    steps = memoryview(b"".join(structure.split(b'"')[::2])).cast("b")
    depth = 0
    # In pieces: while one call of C goes over millions of brackets, no other thread has its turn.
    for start in range(0, len(steps), _STEPS_AT_ONCE):
        depths = list(accumulate(steps[start : start + _STEPS_AT_ONCE], initial=depth))
        if max(depths) > limit:
            return True
        depth = depths[-1]
    return False


def _not_utf8(data: bytes | msgspec.Raw) -> DecodeError:
    return _half(data) or DecodeError("the JSON is not valid UTF-8")


def _half(data: bytes | msgspec.Raw) -> DecodeError | None:
    """The error that names the first string in which half of an emoji stands alone, if there is one.

    In a document of very many parts, through which the search would take seconds, without its place.
    """
    text = bytes(data)
    if _HALF.search(text) is None:
        return None
    if text.count(b",") > _MOST_PARTS:
        return DecodeError(_HALF_REASON) if _ALONE.search(text) else None
    try:
        # Unlike msgspec it reads them, so that we can see where they are.
        document = json.loads(text.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    path = _path_of_half(document)
    return None if path is None else DecodeError(_HALF_REASON, path[:_MOST_PATH])


def _validation(text: str) -> DecodeError:
    match = _AT.search(text)
    path = match["path"].removeprefix("$").removeprefix(".") if match else ""
    reason = text[: match.start()] if match else text
    reason = _TYPES.sub(lambda m: " or ".join(_JSON_NAMES[t] for t in m[1].split(" | ")), reason)
    return DecodeError(reason[:1].lower() + reason[1:], path)


def _path_of_half(document: Any) -> str | None:
    """The path of the first string with a lone surrogate in it, "" for the whole; None = nowhere."""
    left: list[tuple[str, Any]] = [("", document)]
    while left:
        path, value = left.pop()
        if isinstance(value, str) and _is_half(value):
            return path
        if isinstance(value, list):
            left += [(f"{path}[{at}]", item) for at, item in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            if any(map(_is_half, value)):
                return path
            left += [(f"{path}.{key}" if path else key, item) for key, item in reversed(value.items())]
    return None


def _is_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _syntax(text: str) -> str:
    return "the JSON ends too early" if text == "Input data was truncated" else text
