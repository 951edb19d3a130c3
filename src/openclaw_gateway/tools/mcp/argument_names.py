"""Names of arguments that no vendor refuses, for those that servers gave them. Pure.

Some vendors take only letters, digits, "_", "-" and "." in the names of properties, at most 64. The tool is
offered with such names, and a call is put back into the server's own before it is made.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openclaw_gateway.wire.schema_references import referred

_PLAIN = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_OTHER = re.compile(r"[^a-zA-Z0-9_.-]+")
_DEEPEST = 32
_CHOICES = ("anyOf", "oneOf", "allOf")

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


def put_back(arguments: Any, names: Names, schema: Mapping[str, Any]) -> Any:
    """The arguments as the server calls them; `schema` is the server's. What that does not describe is data,
    and stays as it is, whatever its keys are called."""
    return _back(arguments, names, schema, [schema], 0) if names else arguments


def _back(value: Any, names: Names, root: Any, schemas: Sequence[Any], depth: int) -> Any:
    if depth > _DEEPEST or not isinstance(value, Mapping | list):
        return value
    described = list(_alternatives(schemas, root))
    if isinstance(value, list):
        of_items = [each[key] for each in described for key in ("items", "prefixItems") if key in each]
        flat = [each for found in of_items for each in (found if isinstance(found, list) else [found])]
        return [_back(each, names, root, flat, depth + 1) for each in value]
    properties: dict[str, list[Any]] = {}
    for each in described:
        if isinstance(own := each.get("properties"), Mapping):
            for name, inner in own.items():
                properties.setdefault(name, []).append(inner)
    further = [each["additionalProperties"] for each in described if "additionalProperties" in each]
    made: dict[str, Any] = {}
    for key, inner in value.items():
        name = names[key] if names.get(key) in properties else key
        made[name] = _back(inner, names, root, properties.get(name, further), depth + 1)
    return made


def _alternatives(schemas: Iterable[Any], root: Any) -> Iterator[Mapping[str, Any]]:
    """The schemas with all that they refer to or choose from, each once."""
    left, seen = list(schemas), set[int]()
    while left:
        schema = left.pop()
        if not isinstance(schema, Mapping) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        for choices in map(schema.get, _CHOICES):
            left += choices if isinstance(choices, list) else ()
        if isinstance(reference := schema.get("$ref"), str):
            left.append(referred(root, reference))


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
