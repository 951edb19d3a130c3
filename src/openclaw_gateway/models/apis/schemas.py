"""JSON schemas as vendors want them, from JSON schemas as people write them. Pure, for all dialects."""

from functools import lru_cache
from typing import Any

import msgspec

from openclaw_gateway.wire.schema_references import referred

# What Google's dialect knows of JSON schema; it refuses a request that says anything else.
_GOOGLE = frozenset(
    {"type", "format", "title", "description", "nullable", "enum", "items", "properties", "required", "anyOf"}
    | {"minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "pattern", "minProperties"}
    | {"maxProperties", "propertyOrdering", "default", "example"}
)
_FORMATS = {"string": {"enum", "date-time"}, "number": {"float", "double"}, "integer": {"int32", "int64"}}
_MOST_NODES = 5000


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
    return msgspec.Raw(msgspec.json.encode(_Rewrite(read).schema(read)))


class _Rewrite:
    """One schema being rewritten. References are written out, which has an end: what refers to itself, or
    grows beyond all reason, becomes an object of any kind."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._left = _MOST_NODES
        self._open: list[str] = []

    def schema(self, schema: Any) -> dict[str, Any]:
        self._left -= 1
        if not isinstance(schema, dict) or self._left < 0:
            return {"type": "object"}
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return self._plain(schema)
        if reference in self._open:
            return {"type": "object"}
        self._open.append(reference)
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        made = self.schema({**self._target(reference), **rest})
        self._open.pop()
        return made

    def _target(self, reference: str) -> dict[str, Any]:
        found = referred(self._root, reference)
        return found if isinstance(found, dict) else {}

    def _plain(self, schema: dict[str, Any]) -> dict[str, Any]:
        for part in schema.get("allOf") or ():
            if isinstance(part, dict):
                schema = {**self.schema(part), **schema}
        made = {name: value for name, value in schema.items() if name in _GOOGLE}
        _rewrite_type(schema, made)
        if isinstance(properties := made.get("properties"), dict):
            made["properties"] = {name: self.schema(each) for name, each in properties.items()}
            if isinstance(made.get("required"), list):
                made["required"] = [name for name in made["required"] if name in properties]
            made.setdefault("type", "object")
        if made.get("type") == "array" or "items" in made:
            made["items"] = self.schema(made.get("items", {"type": "string"}))
        return self._choices(schema, made)

    def _choices(self, schema: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
        choices = schema.get("anyOf") or schema.get("oneOf")
        if not isinstance(choices, list):
            return made
        real = [each for each in choices if not (isinstance(each, dict) and each.get("type") == "null")]
        if len(real) < len(choices):
            made["nullable"] = True
        made.pop("anyOf", None)
        if len(real) == 1:
            return {**self.schema(real[0]), **made}
        if real:
            made["anyOf"] = [self.schema(each) for each in real]
        return made


def _rewrite_type(schema: dict[str, Any], made: dict[str, Any]) -> None:
    kinds = made.get("type")
    if isinstance(kinds, list):
        named = [kind for kind in kinds if kind != "null"]
        if len(named) < len(kinds):
            made["nullable"] = True
        made["type"] = named[0] if named else "string"
    listed = [schema["const"]] if "const" in schema else made.get("enum")
    if isinstance(listed, list):
        # Only texts may be listed.
        made["enum"] = [_text(value) for value in listed]
        made["type"] = "string"
    if made.get("format") not in _FORMATS.get(str(made.get("type")), set()):
        made.pop("format", None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
