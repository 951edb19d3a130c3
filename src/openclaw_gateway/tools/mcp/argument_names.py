"""Names of arguments that no vendor refuses, for those that servers gave them. Pure.

Some vendors take only letters, digits, "_", "-" and "." in the names of properties, at most 64. The tool is
offered with such names, and a call is put back into the server's own before it is made.
"""

import re
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_OTHER = re.compile(r"[^a-zA-Z0-9_.-]+")
_DEEPEST = 32

Names = Mapping[str, str]


def plain(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], Names]:
    """(the schema with plain names, the server's name for each that is another); often the very schema."""
    taken: set[str] = set()
    _collect(schema, taken, 0)
    odd = sorted(name for name in taken if not _PLAIN.fullmatch(name))
    if not odd:
        return schema, {}
    given: dict[str, str] = {}
    for name in odd:
        base = _OTHER.sub("_", name).strip("_")[:60] or "argument"
        made, number = base, 2
        while made in taken or made in given:
            made, number = f"{base}_{number}", number + 1
        given[made] = name
    return _renamed(schema, {name: made for made, name in given.items()}, 0), given


def put_back(arguments: Any, names: Names, depth: int = 0) -> Any:
    """The arguments as the server calls them."""
    if not names or depth > _DEEPEST:
        return arguments
    if isinstance(arguments, Mapping):
        return {names.get(name, name): put_back(each, names, depth + 1) for name, each in arguments.items()}
    if isinstance(arguments, list):
        return [put_back(each, names, depth + 1) for each in arguments]
    return arguments


def _collect(schema: Any, taken: set[str], depth: int) -> None:
    if depth > _DEEPEST:
        return
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            taken.update(properties)
        for each in schema.values():
            _collect(each, taken, depth + 1)
    elif isinstance(schema, list):
        for each in schema:
            _collect(each, taken, depth + 1)


def _renamed(schema: Any, to: Mapping[str, str], depth: int) -> Any:
    if depth > _DEEPEST:
        return schema
    if isinstance(schema, list):
        return [_renamed(each, to, depth + 1) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties" and isinstance(value, Mapping):
            made[key] = {to.get(name, name): _renamed(each, to, depth + 1) for name, each in value.items()}
        elif key == "required" and isinstance(value, list):
            made[key] = [to.get(name, name) if isinstance(name, str) else name for name in value]
        else:
            made[key] = _renamed(value, to, depth + 1)
    return made
