"""The schema of a tool as vendors take it, from one as clients, MCP servers and libraries write it.

Pure. What every vendor wants is done for all: an object at the root with `properties` and no choice there,
references written out, arrays with `items`, types and lists that are what they should be. What one family
refuses is taken out and said in the description instead. Each schema is bounded, whatever refers to itself.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from openclaw_gateway.wire.run import ToolSpec
from openclaw_gateway.wire.schema_references import referred

_MOST_NODES = 5_000
_DEEPEST = 32
_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
# What programmers write for them.
_MEANT = {
    "str": "string",
    "text": "string",
    "date": "string",
    "datetime": "string",
    "file": "string",
    "int": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "dict": "object",
    "map": "object",
    "list": "array",
    "tuple": "array",
    "none": "null",
}
_SCHEMAS = frozenset(
    {"items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"}
    | {"unevaluatedProperties", "unevaluatedItems", "additionalItems"}
)
_LISTS_OF_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_MAPS_OF_SCHEMAS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_COUNTS = frozenset(
    {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
    | {"minContains", "maxContains"}
)
_TEXTS = frozenset({"description", "title", "format", "pattern", "contentEncoding", "contentMediaType"})
_FLAGS = frozenset({"uniqueItems", "readOnly", "writeOnly", "deprecated", "nullable"})
_ANYTHING = frozenset({"default", "const", "examples", "example"})
_CHOICES = ("anyOf", "oneOf", "allOf")
_PLAIN_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_MOST_SAID = 80
# What is kept is bounded in number and in size: clients write some of it, and references grow.
_KEPT_BYTES = 16 << 10
_MOST_KEPT = 1024


class Unfit(Exception):
    """The tool cannot be told to any model. The message says why."""


def fitted(spec: ToolSpec, refuses: frozenset[str], *, plain_names: bool = False) -> ToolSpec:
    """Raises Unfit. One that asks for `strict` stays as it is: its vendor checks it.

    `refuses` are keywords; with `plain_names` a property of another name than letters, digits, "_", "-" and
    "." is left to the description.
    """
    if spec.strict:
        return spec
    given = bytes(spec.parameters)
    key = (given, refuses, plain_names)
    made = _kept.get(key)
    if made is None:
        made = _fitted(*key)
        if len(given) + len(made) <= _KEPT_BYTES:
            if len(_kept) >= _MOST_KEPT:
                del _kept[next(iter(_kept))]
            _kept[key] = made
    return spec if made == given else ToolSpec(spec.name, spec.description, Raw(made), spec.strict)


def _fitted(given: bytes, refuses: frozenset[str], plain_names: bool) -> bytes:
    schema = msgspec.json.decode(given)
    if not isinstance(schema, dict):
        raise Unfit("its schema is no JSON object")
    return msgspec.json.encode(_Fitting(schema, refuses, plain_names=plain_names).root())


# A client sends the same tools with every request.
_kept: dict[tuple[bytes, frozenset[str], bool], bytes] = {}


class _Fitting:
    """One schema being fitted. References are written out, which has an end: what refers to itself, or grows
    beyond all reason, becomes anything."""

    def __init__(self, root: dict[str, Any], refuses: frozenset[str], *, plain_names: bool) -> None:
        self._root = root
        self._refuses = refuses
        self._plain_names = plain_names
        self._left = _MOST_NODES
        self._open: list[str] = []

    def root(self) -> dict[str, Any]:
        made = self._schema(self._root, 0)
        kind = made.get("type", "object")
        if kind != "object" and not (isinstance(kind, list) and "object" in kind):
            raise Unfit(f"its arguments are of the type {kind}, not object")
        made = _without_choice(made)
        for name in ("enum", "const", "not", "if", "then", "else", "nullable"):
            made.pop(name, None)
        made["type"] = "object"
        made.setdefault("properties", {})
        return made

    def _schema(self, schema: Any, depth: int) -> dict[str, Any]:
        self._left -= 1
        if not isinstance(schema, dict) or self._left < 0 or depth > _DEEPEST:
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return self._plain(schema, depth)
        if reference in self._open:
            return {}
        self._open.append(reference)
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        made = self._schema({**self._target(reference), **rest}, depth + 1)
        self._open.pop()
        return made

    def _target(self, reference: str) -> dict[str, Any]:
        found = referred(self._root, reference)
        return found if isinstance(found, dict) else {}

    def _plain(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        made = _type_of(schema)
        said: dict[str, Any] = {}
        for name, value in schema.items():
            if name in self._refuses:
                said[name] = value
            elif name in _MAPS_OF_SCHEMAS and isinstance(value, dict):
                made[name] = {key: self._schema(each, depth + 1) for key, each in value.items()}
            elif name == "items" and isinstance(value, list):
                made[name] = {"anyOf": [self._schema(each, depth + 1) for each in value]} if value else {}
            elif name in _SCHEMAS and isinstance(value, dict | bool):
                made[name] = value if isinstance(value, bool) else self._schema(value, depth + 1)
            elif name in _LISTS_OF_SCHEMAS and isinstance(value, list) and value:
                made[name] = [self._schema(each, depth + 1) for each in value]
            elif _is_well(name, value):
                made[name] = value
        _mend_lists(schema, made)
        if self._plain_names:
            said |= _take_odd_names(made)
        if made.get("type") == "array":
            made.setdefault("items", {})
            if isinstance(made["items"], bool):
                made["items"] = {}
        return _with_note(made, said)


def _is_well(name: str, value: Any) -> bool:
    if name in _TEXTS:
        return isinstance(value, str)
    if name in _COUNTS:
        return type(value) is int and value >= 0
    if name in _NUMBERS:
        return type(value) in {int, float} and (name != "multipleOf" or value > 0)
    if name == "examples":
        return isinstance(value, list)
    if name in _FLAGS:
        return isinstance(value, bool)
    return name in _ANYTHING


def _type_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of its type, in the words of JSON schema."""
    said = schema.get("type")
    kinds = [
        kind if kind in _TYPES else _MEANT.get(kind.lower(), "")
        for kind in (said if isinstance(said, list) else [said])
        if isinstance(kind, str)
    ]
    kinds = [kind for kind in dict.fromkeys(kinds) if kind]
    if not kinds:
        return {"type": "object"} if isinstance(schema.get("properties"), dict) else {}
    return {"type": kinds[0] if len(kinds) == 1 else kinds}


def _mend_lists(schema: Mapping[str, Any], made: dict[str, Any]) -> None:
    """`enum` has values, each once; `required` names properties that there are."""
    listed = schema.get("enum")
    if isinstance(listed, list) and listed:
        made["enum"] = list({msgspec.json.encode(value): value for value in listed}.values())
    required, properties = schema.get("required"), made.get("properties")
    if isinstance(required, list) and isinstance(properties, dict):
        made["required"] = [name for name in dict.fromkeys(filter(_is_text, required)) if name in properties]
    if not made.get("required"):
        made.pop("required", None)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _take_odd_names(made: dict[str, Any]) -> dict[str, Any]:
    properties = made.get("properties") or {}
    odd = {name: value for name, value in properties.items() if not _PLAIN_NAME.fullmatch(name)}
    for name in odd:
        del properties[name]
    if odd and "required" in made:
        made["required"] = [name for name in made["required"] if name not in odd]
    return odd


def _with_note(made: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    if said:
        told = (f"{name}: {_short(value)}" for name, value in said.items())
        made["description"] = f"{made.get('description', '')} ({', '.join(told)})".strip()
    return made


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}…"


def _without_choice(made: dict[str, Any]) -> dict[str, Any]:
    """Of a choice at the root all properties, and as required what all of its branches require."""
    branches: list[Mapping[str, Any]] = []
    for name in _CHOICES:
        found: list[dict[str, Any]] = [each for each in made.pop(name, ()) if isinstance(each, dict)]
        if name == "allOf":
            for part in found:
                made = _joined(made, [part], part.get("required", ()))
        else:
            branches += found
    if not branches:
        return made
    common = set(branches[0].get("required", ()))
    for each in branches[1:]:
        common &= set(each.get("required", ()))
    return _joined(made, branches, sorted(common))


def _joined(
    made: dict[str, Any], branches: Iterable[Mapping[str, Any]], required: Iterable[str]
) -> dict[str, Any]:
    properties = dict(made.get("properties", {}))
    for each in branches:
        for name, value in (each.get("properties") or {}).items():
            properties.setdefault(name, value)
    needed = list(dict.fromkeys([*made.get("required", ()), *required]))
    made["properties"] = properties
    if needed := [name for name in needed if name in properties]:
        made["required"] = needed
    return made
