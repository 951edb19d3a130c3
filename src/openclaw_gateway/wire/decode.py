"""The one JSON decode edge: bytes in, a typed value or a DecodeError out, whatever the bytes are.

msgspec reports a recursion limit, invalid UTF-8 and lone surrogates as errors that are not its own or
say the wrong thing; all of it becomes one DecodeError whose `path` is a field path ("messages[0].role")
and whose `reason` is a sentence about the client's JSON, not about our types.
"""

import re
from itertools import accumulate
from typing import TypeVar

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
_AT = re.compile(r" - at `(?P<path>[^`]*)`$")
# Deeper by one, or as a signed byte by minus one.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
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
        raise DecodeError(_syntax(str(error))) from None
    except UnicodeDecodeError:
        raise DecodeError("the JSON is not valid UTF-8") from None
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None


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
    outside = b"".join(structure.split(b'"')[::2])
    return max(accumulate(memoryview(outside).cast("b")), default=0) > limit


def _validation(text: str) -> DecodeError:
    match = _AT.search(text)
    path = match["path"].removeprefix("$").removeprefix(".") if match else ""
    reason = text[: match.start()] if match else text
    reason = _TYPES.sub(lambda m: " or ".join(_JSON_NAMES[t] for t in m[1].split(" | ")), reason)
    return DecodeError(reason[:1].lower() + reason[1:], path)


def _syntax(text: str) -> str:
    if "surrogate" in text or "unexpected end of escaped utf-16" in text:
        return "the JSON has an escaped surrogate (\\ud800 to \\udfff) without its other half"
    if text == "Input data was truncated":
        return "the JSON ends too early (or has a lone \\ud800 to \\udfff escape)"
    return text
