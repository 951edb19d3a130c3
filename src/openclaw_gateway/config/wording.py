"""How a fault in the configuration is put into words: what is wrong and what to do. Pure.

Each function gives the end of a sentence that begins with the path. A value is quoted only where it had
to be one of a few words; anything else might be a secret.
"""

import difflib
import math
from collections.abc import Iterable
from typing import Any

from msgspec import inspect

# In this order: true and false are also numbers to Python.
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "an object"),
    (object, "something else"),
)
_WANTED: tuple[tuple[type[inspect.Type], str], ...] = (
    (inspect.BoolType, "true or false"),
    (inspect.IntType, "a whole number"),
    (inspect.FloatType, "a number"),
    (inspect.VarTupleType, "a list"),
    (inspect.StrType, "text in quotes"),
    (inspect.Type, "an object"),
)


def nearest(word: str, words: Iterable[Any], *, likeness: float = 0.6) -> str | None:
    """The word most like `word`, whatever the case; None if nothing is much like it."""
    folded: dict[str, str] = {}
    for one in sorted(str(each) for each in words):
        folded.setdefault(one.lower(), one)
    found = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=likeness)
    return folded[found[0]] if found else None


def wrong_kind(kind: inspect.Type, value: Any, *, required: bool = False) -> str:
    if value is None:
        unset = "" if required else "; remove the key to leave it unset"
        return f"is null but must be {_wanted(kind)}{unset}"
    given = next(name for types, name in _KINDS if isinstance(value, types))
    if isinstance(value, float) and not math.isfinite(value):
        given = "not finite"
    elif isinstance(value, float) and isinstance(kind, inspect.IntType):
        given = "a fraction"
    return f"must be {_wanted(kind)}, but is {given}"


def choice(value: str, allowed: Iterable[Any]) -> str:
    words = [str(word) for word in allowed]
    near = nearest(value, words)
    hint = f'; did you mean "{near}"?' if near else ""
    return f'is "{value}" but must be one of {_listed(words)}{hint}'


def range_of(kind: inspect.IntType | inspect.FloatType, value: float) -> str | None:
    """What is wrong with a number of the right kind; None if nothing is."""
    low, high, above = kind.ge, kind.le, kind.gt
    if (low is None or value >= low) and (high is None or value <= high) and (above is None or value > above):
        return None
    if low is not None and high is not None and high < 10**6:
        return f"must be from {_shown(low)} to {_shown(high)}, but is {_shown(value)}"
    if above is not None and value <= above:
        return f"must be more than {_shown(above)}, but is {_shown(value)}"
    if low is not None and value < low:
        return f"must be at least {_shown(low)}, but is {_shown(value)}"
    return f"is too large; the most is {_shown(high)}" if high is not None else "is too large"


SET_IT = "set it, there or in the file .env of the state directory"


def missing_variables(names: list[str]) -> str:
    if len(names) == 1:
        return (
            f"uses the environment variable {names[0]}, which is not set; "
            f"{SET_IT}, or write $${{{names[0]}}} for the text itself"
        )
    listed = ", ".join(names)
    return f"uses the environment variables {listed}, which are not set; {SET_IT.replace('it', 'them', 1)}"


def _wanted(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.LiteralType):
        return f"one of {_listed([str(value) for value in kind.values])}"
    return next(words for types, words in _WANTED if isinstance(kind, types))


def _shown(value: float) -> str:
    if abs(value) > 10**15:
        return "far beyond that"
    return str(int(value)) if float(value).is_integer() else str(value)


def _listed(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in sorted(words))
