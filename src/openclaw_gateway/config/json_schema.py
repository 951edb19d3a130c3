"""The configuration file as a JSON schema (draft 7), and hints for a form made of it. Pure.

One source: the structs that the files are checked against, and the tables of keys that may stand next to
them. What a type cannot say (a URL, a zone of this machine, rules between keys) only the check says, and
older shapes, which are read too, are not in it. Places are written like `agents.list[].model` and
`models.providers.*.apiKey`.
"""

import re
from collections.abc import Mapping
from functools import cache
from inspect import cleandoc
from typing import Any

from msgspec import Struct, inspect

from openclaw_gateway.config.kinds import core, fields
from openclaw_gateway.config.known import ANY, KNOWN
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.root import Written

DIALECT = "http://json-schema.org/draft-07/schema#"
_NOT_SERVED = "Accepted, without effect here."
# How people write a comment into plain JSON.
_COMMENTS: dict[str, Any] = {r"^(_|\$comment)": {}}
_REFERENCE = {
    "type": "object",
    "description": "Where the secret is to be taken from.",
    "properties": {
        "source": {"enum": ["env", "file", "exec", "store"]},
        "provider": {"type": "string"},
        "id": {"type": "string", "minLength": 1},
    },
    "required": ["source", "id"],
    "additionalProperties": False,
}
_FORMS: Mapping[str, str] = {
    "secret": "A secret: the text itself, ${NAME} for a variable, or where it is to be taken from.",
    "secret-or-number": "May be a secret: the text itself, ${NAME} for a variable, or where to take it from.",
    "header": "One line of text, ${NAME} for a variable, or where it is to be taken from.",
    "path": "A path; ~ is the home directory.",
    "url": "A URL that begins with http:// or https://.",
    "url-path": "The path of a URL, such as /gateway.",
    "duration": 'Such as "30s", "5m" or "1h"; a number alone means minutes.',
    "age": 'Such as "30d" or "12h"; a number alone means days.',
    "size": 'Such as "500mb" or "10gb"; a number alone means bytes.',
    "address": "An IP address.",
    "network": "An IP address or network, such as 10.0.0.0/8.",
    "regex": "A regular expression.",
    "zone": 'A time zone, such as "Europe/Berlin".',
}
_SNAKE = re.compile(r"`[a-z]+(?:_[a-z]+)+`")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


@cache
def config_schema() -> dict[str, Any]:
    """Not to be changed."""
    return {"$schema": DIALECT, "title": "openclaw.json", **_struct(Written)}


@cache
def config_hints() -> dict[str, dict[str, Any]]:
    """By place: a label, the help there is, and whether what stands there is a secret. Not to be changed."""
    found: dict[str, dict[str, Any]] = {}
    for order, (key, field) in enumerate(fields(Written).items()):
        _hint(found, key, field.type, sensitive=False)
        found[key]["order"] = order
    return found


def _struct(struct: type[Struct]) -> dict[str, Any]:
    served, known = fields(struct), KNOWN.get(struct, frozenset())
    properties = {key: _field(field) for key, field in served.items()}
    properties |= {key: {"description": _NOT_SERVED} for key in sorted(known - {ANY}) if key not in served}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "patternProperties": _COMMENTS}
    if said := _doc(struct):
        schema["description"] = said
    if required := [key for key, field in served.items() if field.required]:
        schema["required"] = required
    # Of the outermost object an unknown key is no fault: another program may have it.
    schema["additionalProperties"] = ANY in known or struct is Written
    return schema


def _field(field: inspect.Field) -> dict[str, Any]:
    schema = _kind(field.type)
    if isinstance(field.default, bool | int | float | str):
        return {**schema, "default": field.default}
    return schema


def _kind(kind: inspect.Type) -> dict[str, Any]:
    kind, form = core(kind)
    match kind:
        case inspect.StructType():
            whole = _struct(kind.cls)
            schema = {"anyOf": [{"type": "string", "minLength": 1}, whole]} if form == "model" else whole
        case inspect.DictType():
            schema = {"type": "object", "additionalProperties": _kind(kind.value_type)}
        case inspect.VarTupleType():
            schema = {"type": "array", "items": _kind(kind.item_type)}
        case inspect.LiteralType():
            schema = {"type": "string", "enum": list(kind.values)}
        case inspect.BoolType():
            schema = {"type": "boolean"}
        case inspect.IntType() | inspect.FloatType():
            schema = _number(kind)
        case inspect.StrType():
            schema = _text(kind, form)
        case _:
            schema = {}
    return schema


def _number(kind: inspect.IntType | inspect.FloatType) -> dict[str, Any]:
    bounds = {
        "minimum": kind.ge,
        "exclusiveMinimum": kind.gt,
        "maximum": kind.le,
        "exclusiveMaximum": kind.lt,
    }
    name = "integer" if isinstance(kind, inspect.IntType) else "number"
    return {"type": name, **{word: bound for word, bound in bounds.items() if bound is not None}}


def _text(kind: inspect.StrType, form: str | None) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    if kind.min_length:
        text["minLength"] = kind.min_length
    said = {"description": _FORMS[form]} if form is not None and form in _FORMS else {}
    match form:
        case "secret":
            return {"anyOf": [text, _REFERENCE], **said}
        case "secret-or-number" | "header":
            return {"anyOf": [{"type": ["string", "number", "boolean"]}, _REFERENCE], **said}
        case "age":
            return {"type": ["string", "number"], **said}
        case "size":
            return {"anyOf": [{"type": ["string", "number"]}, {"const": False}], **said}
        case _:
            return text | said


def _hint(found: dict[str, dict[str, Any]], place: str, kind: inspect.Type, *, sensitive: bool) -> None:
    kind, form = core(kind)
    hint: dict[str, Any] = {"label": _label(place)}
    said = _doc(kind.cls) if isinstance(kind, inspect.StructType) else _FORMS.get(form or "")
    if said:
        hint["help"] = said
    if sensitive:
        hint["sensitive"] = True
    found[place] = hint
    match kind:
        case inspect.StructType():
            hidden = kind.cls.hidden if issubclass(kind.cls, Guarded) else frozenset()
            for key, field in fields(kind.cls).items():
                _hint(found, f"{place}.{key}", field.type, sensitive=sensitive or field.name in hidden)
        case inspect.DictType():
            _hint(found, f"{place}.*", kind.value_type, sensitive=sensitive)
        case inspect.VarTupleType():
            _hint(found, f"{place}[]", kind.item_type, sensitive=sensitive)
        case _:
            pass


def _label(place: str) -> str:
    """`chatCompletions` as people write it; of an entry that of its list."""
    last = place.removesuffix("[]").removesuffix(".*").rpartition(".")[2]
    words = _WORD.findall(last) or [last]
    first = words[0]
    rest = [word if word.isupper() else word.lower() for word in words[1:]]
    return " ".join([first[:1].upper() + first[1:], *rest])


def _doc(struct: type[Struct]) -> str | None:
    """What the code says of it, with the names that the file has."""
    written = struct.__dict__.get("__doc__")
    if not written:
        return None
    text = re.sub(r"\bNone\b", "unset", " ".join(cleandoc(written).split()))
    return _SNAKE.sub(lambda found: _camel(found[0]), text)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
