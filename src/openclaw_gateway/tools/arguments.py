"""Reading the arguments of a call: one value at a time, under every name it may come by.

Models write `file_path` for `path` and "20" for 20; what is meant is taken, what is not clear is said.
Pure; knows no tool.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from openclaw_gateway.errors import ToolError

Choice = TypeVar("Choice", bound=str)


def text(arguments: Mapping[str, Any], *names: str, empty: bool = False) -> str:
    """Raises ToolError when it is missing, no text, or (unless `empty`) blank."""
    value = optional_text(arguments, *names)
    if value is None or not (empty or value.strip()):
        raise ToolError(f"`{names[0]}` is missing: give it as text.")
    return value


def optional_text(arguments: Mapping[str, Any], *names: str) -> str | None:
    value = _first(arguments, names)
    if value is None or isinstance(value, str):
        if value is not None:
            _check(value, names[0])
        return value
    raise ToolError(f"`{names[0]}` must be text.")


def whole_number(
    arguments: Mapping[str, Any], *names: str, default: int, least: int, most: int, clamp: bool = False
) -> int:
    """With `clamp` a number outside its bounds becomes the nearest that is allowed."""
    value = _first(arguments, names)
    if value is None:
        return default
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,17}", value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ToolError(f"`{names[0]}` must be a whole number.")
    if clamp:
        return min(max(value, least), most)
    if not least <= value <= most:
        raise ToolError(f"`{names[0]}` must be between {least} and {most}.")
    return value


def one_of(arguments: Mapping[str, Any], name: str, choices: Sequence[Choice]) -> Choice | None:
    value = arguments.get(name) or None
    if value is not None and value not in choices:
        raise ToolError(f"`{name}` must be one of {', '.join(choices)}.")
    return value


def not_taken(arguments: Mapping[str, Any], *names: str) -> list[str]:
    """Those of the names, known from other systems, that the call gives and this one has no use for."""
    return [name for name in names if arguments.get(name)]


def yes_no(arguments: Mapping[str, Any], *names: str, default: bool = False) -> bool:
    value = _first(arguments, names)
    match value:
        case None:
            return default
        case bool():
            return value
        case "true" | "True":
            return True
        case "false" | "False" | "":
            return False
        case _:
            raise ToolError(f"`{names[0]}` must be true or false.")


def _check(value: str, name: str) -> None:
    if "\0" in value:
        raise ToolError(f"`{name}` contains a NUL character.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ToolError(f"`{name}` contains half a character (a lone surrogate); send it again.") from None


def _first(arguments: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((arguments[name] for name in names if arguments.get(name) is not None), None)
