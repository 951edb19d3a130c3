"""What `rg` must look for so that it passes over no line where Python's pattern matches. Pure.

Only for bytes below 128, where a character is a byte and no table of letters is asked; a file with any other
byte is found, too. It may find more than Python does, for who asks looks again with the pattern itself. So
what the other engine has not (looking ahead and behind, references to groups) is not translated but widened.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

try:
    # The module's own reading of a pattern: another one could differ from it.
    from re import _parser  # type: ignore[attr-defined]

    _parse: Callable[[str, int], Any] | None = _parser.parse
except ImportError:  # pragma: no cover - a Python to come
    _parse = None

_NOT_ASCII = r"[\x80-\xff]"
_ANY = r"[\x00-\x09\x0b-\x7f]"
_ASCII = [chr(code) for code in range(128) if code != 10]
# Larger counts mean "or more", so that no pattern becomes a large machine.
_MOST_REPEATS = 32
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
_PLACES = {
    # An end that stands before may have taken the CR.
    "AT_BEGINNING": "(?:^|$)",
    "AT_BEGINNING_STRING": "(?:^|$)",
    # Our lines have lost the CR at their end, the bytes have it still.
    "AT_END": r"(?:\r?$)",
    "AT_END_STRING": r"(?:\r?$)",
    "AT_BOUNDARY": r"(?:\b|$)",
    "AT_NON_BOUNDARY": "",
}
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


class _UnknownPart(Exception):
    pass


def ascii_pattern(pattern: str, flags: int) -> str | None:
    """Finds each line of ASCII where re.compile(pattern, flags) finds something, and each with another byte.
    None: this cannot be said. `pattern` compiles."""
    if _parse is None:
        return None
    try:
        parsed = _parse(pattern, flags)
        return f"(?-u)(?:{_sequence(parsed, parsed.state.flags)})|{_NOT_ASCII}"
    except (_UnknownPart, RecursionError):
        return None


def _sequence(parts: Iterable[Any], flags: int) -> str:
    return "".join(_part(str(kind), value, flags) for kind, value in parts)


def _part(kind: str, value: Any, flags: int) -> str:  # noqa: PLR0911 - one for each kind
    match kind:
        case "LITERAL" | "NOT_LITERAL":
            return _one_of(f"{'^' if kind == 'NOT_LITERAL' else ''}{_escaped(value)}", flags)
        case "IN":
            return _one_of("".join(_member(str(name), what) for name, what in value), flags)
        case "ANY":
            return _ANY
        case "AT" if str(value) in _PLACES:
            return _PLACES[str(value)]
        case "BRANCH":
            return _either(value[1], flags)
        case "SUBPATTERN":
            _, added, taken, inner = value
            return f"(?:{_sequence(inner, (flags | added) & ~taken)})"
        case "ATOMIC_GROUP":
            return f"(?:{_sequence(value, flags)})"
        case _ if kind in _REPEATS:
            least, most, inner = value
            return f"(?:{_sequence(inner, flags)}){_times(int(least), int(most))}"
        case "GROUPREF":
            return f"{_ANY}*"
        case "GROUPREF_EXISTS":
            return _either([value[1], value[2] or ()], flags)
        case "ASSERT" | "ASSERT_NOT":
            return ""
        case _:
            raise _UnknownPart


def _either(branches: Iterable[Any], flags: int) -> str:
    return f"(?:{'|'.join(_sequence(branch, flags) for branch in branches)})"


def _times(least: int, most: int) -> str:
    upper = str(most) if most <= _MOST_REPEATS else ""
    return f"{{{min(least, _MOST_REPEATS)},{upper}}}"


def _member(name: str, what: Any) -> str:
    match name:
        case "NEGATE":
            return "^"
        case "LITERAL":
            return _escaped(what)
        case "RANGE":
            return f"{_escaped(what[0])}-{_escaped(what[1])}"
        case "CATEGORY" if str(what) in _CATEGORIES:
            return _CATEGORIES[str(what)]
    raise _UnknownPart


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


@lru_cache(maxsize=512)
def _one_of(members: str, flags: int) -> str:
    """The bytes of a set: Python itself is asked for each, with its own idea of letters and their cases."""
    matches = re.compile(f"[{members}]", flags & (re.IGNORECASE | re.ASCII)).match
    codes = [ord(character) for character in _ASCII if matches(character)]
    if not codes:
        return _NOT_ASCII
    if len(codes) == 1:
        return f"\\x{codes[0]:02x}"
    return f"[{''.join(f'{chr(92)}x{code:02x}' for code in codes)}]" if len(codes) < len(_ASCII) else _ANY
