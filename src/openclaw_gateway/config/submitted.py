"""A configuration, or a part of one, as a client sends it: JSON5 that could stand in a file. Pure."""

import math
from typing import Any

import pyjson5

from openclaw_gateway.config.include import KEY
from openclaw_gateway.config.places import KeyPath, dotted
from openclaw_gateway.config.scan import MAX_DEPTH, NotJson5, scan

MAX_CHARS = 1_000_000


class NotUsable(ValueError):
    """Why not, as the end of a sentence that began with what was sent."""


def submitted(text: str) -> dict[str, Any]:
    """Raises NotUsable."""
    if len(text) > MAX_CHARS:
        raise NotUsable(f"must have at most {MAX_CHARS:,} characters")
    try:
        document = pyjson5.decode(text, MAX_DEPTH)
    except (pyjson5.Json5DecoderException, ValueError, OverflowError, RecursionError):
        raise NotUsable(f"must be JSON5{_where(text)}") from None
    if not isinstance(document, dict):
        raise NotUsable("must be an object: { … }")
    _check(document, ())
    return document


def _where(text: str) -> str:
    try:
        scan(text, "")
    except NotJson5 as error:
        return f": line {error.place.line}: {error.reason}"
    return ""


def _check(value: Any, path: KeyPath) -> None:
    """Raises NotUsable."""
    match value:
        case dict():
            if KEY in value:
                raise NotUsable("must not include files: write $include into the file on its machine")
            for key, item in value.items():
                _check(item, (*path, key))
        case list():
            for at, item in enumerate(value):
                _check(item, (*path, at))
        case int() if abs(value) >= 2**63:
            raise NotUsable(f"has a number at {dotted(path)} that is too large")
        case float() if not math.isfinite(value):
            raise NotUsable(f"has a number at {dotted(path)} that is too large")
        case _:
            pass
