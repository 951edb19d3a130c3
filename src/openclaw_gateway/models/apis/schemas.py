"""JSON schemas as vendors want them, from JSON schemas as people write them. Pure, for all dialects."""

from functools import lru_cache
from typing import Any

import msgspec

# What Google's dialect knows of JSON schema; it refuses a request that says anything else.
_GOOGLE = frozenset(
    {"type", "format", "title", "description", "nullable", "enum", "items", "properties", "required", "anyOf"}
    | {"minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "pattern", "minProperties"}
    | {"maxProperties", "propertyOrdering", "default", "example"}
)
_FORMATS = {"string": {"enum", "date-time"}, "number": {"float", "double"}, "integer": {"int32", "int64"}}
_DEPTH = 64


def closed(schema: Any) -> Any:
    """The schema with every object closed to further properties, as structured answers demand."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    for name in ("properties", "$defs", "definitions"):
        if isinstance(made.get(name), dict):
            made[name] = {each: closed(value) for each, value in made[name].items()}
    for name in ("items", "prefixItems", "anyOf", "oneOf", "allOf"):
        if name in made:
            made[name] = closed(made[name])
    if "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


@lru_cache(maxsize=1024)
def for_google(schema: bytes) -> msgspec.Raw | None:
    """A schema in the words Google's dialect knows; None for one without any property.

    Kept, because tools are the same in every request and this is the only dialect that rewrites them.
    """
    read = msgspec.json.decode(schema)
    if not isinstance(read, dict) or (read.get("type", "object") == "object" and not read.get("properties")):
        return None
    return msgspec.Raw(msgspec.json.encode(_google(read, read, _DEPTH)))


def _google(schema: Any, root: dict[str, Any], depth: int) -> dict[str, Any]:
    if not isinstance(schema, dict) or depth == 0:
        return {"type": "object"}
    schema = _resolved(schema, root)
    made = {name: value for name, value in schema.items() if name in _GOOGLE}
    if isinstance(kinds := made.get("type"), list):
        named = [kind for kind in kinds if kind != "null"]
        if len(named) < len(kinds):
            made["nullable"] = True
        made["type"] = named[0] if named else "string"
    if "const" in schema:
        made["enum"] = [schema["const"]]
    if "enum" in made:
        # Only texts may be listed.
        made["enum"] = [
            value if isinstance(value, str) else msgspec.json.encode(value).decode() for value in made["enum"]
        ]
        made["type"] = "string"
    if made.get("format") not in _FORMATS.get(str(made.get("type")), set()):
        made.pop("format", None)
    if isinstance(made.get("properties"), dict):
        made["properties"] = {
            name: _google(each, root, depth - 1) for name, each in made["properties"].items()
        }
        if isinstance(made.get("required"), list):
            made["required"] = [name for name in made["required"] if name in made["properties"]]
        made.setdefault("type", "object")
    if made.get("type") == "array" or "items" in made:
        made["items"] = _google(made.get("items", {"type": "string"}), root, depth - 1)
    return _choices(schema, made, root, depth)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _choices(
    schema: dict[str, Any], made: dict[str, Any], root: dict[str, Any], depth: int
) -> dict[str, Any]:
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(choices, list):
        return made
    real = [each for each in choices if not (isinstance(each, dict) and each.get("type") == "null")]
    if len(real) < len(choices):
        made["nullable"] = True
    made.pop("anyOf", None)
    if len(real) == 1:
        return {**_google(real[0], root, depth - 1), **made}
    if real:
        made["anyOf"] = [_google(each, root, depth - 1) for each in real]
    return made


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """With its `$ref` replaced by what it points to, and the parts of `allOf` in it."""
    for _ in range(8):
        target = schema.get("$ref")
        if not isinstance(target, str) or not target.startswith("#/"):
            break
        found: Any = root
        for step in target[2:].split("/"):
            found = found.get(step, {}) if isinstance(found, dict) else {}
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**found, **rest} if isinstance(found, dict) else rest
    for part in schema.get("allOf") or ():
        if isinstance(part, dict):
            schema = {**_resolved(part, root), **schema}
    return schema
