"""The merged document against the schema: every strange key and every wrong value, all at once.

Walks the document next to the structs. What is served comes out clean (variables filled in, shorthands in
their long form); what is known and not served is left out and remembered; all else becomes a Problem. No
file access. Rules between several keys are in `rules.py`.
"""

import json
import math
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from msgspec import Struct, inspect

from openclaw_gateway.config import forms
from openclaw_gateway.config.known import KNOWN, SILENT
from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.secrets import (
    SecretRef,
    Unset,
    Wanted,
    read_reference,
    short_reference,
    unset_reference,
)
from openclaw_gateway.config.substitute import MissingVariable, substitute
from openclaw_gateway.config.wording import choice, missing_variables, range_of, unknown_key, wrong_kind

_TEXT_FORMS = {
    "secret": forms.one_line,
    "header": forms.one_line,
    "url": forms.url,
    "address": forms.address,
    "network": forms.network,
    "duration": forms.duration,
    "age": forms.age,
    "size": forms.size,
    "regex": forms.regular_expression,
    "zone": forms.zone,
}
_SECRETS = {"secret", "secret-or-number", "header"}
_OR_NUMBER = {"secret-or-number", "header"}
# Texts with a unit, which people also write as a number.
_MEASURES = {"age", "size"}
# White space at the ends means something here, or may.
_AS_IT_STANDS = {None, "regex", "path", "secret-or-number"}
# What needs a variable that is not set is left out here, and with it what it belongs to is not served; all
# else would be other than was meant.
_PARTS = (("models", "providers"), ("mcp", "servers"), ("skills", "entries"))
# Stands for a value that was refused, or is looked up later: nothing more is said about it here, and nobody
# sees it.
_REFUSED = object()


class Checked(Struct, frozen=True):
    """`unserved` are the known keys that have no effect, in the file's order, each named once. `wanted` are
    the values that are left out of the document until somebody needs them."""

    document: dict[str, Any]
    problems: list[Problem]
    unserved: tuple[str, ...]
    wanted: dict[KeyPath, Wanted]


def check(
    document: dict[str, Any], schema: type[Struct], *, environ: Mapping[str, str], home: Path
) -> Checked:
    walk = _Walk(environ, home, own_default=_has_own_default(document.get("secrets")))
    clean = walk.struct(document, schema, (), "")
    return Checked({} if clean is _REFUSED else clean, walk.problems, tuple(walk.unserved), walk.wanted)


@cache
def _fields(struct: type[Struct]) -> dict[str, inspect.Field]:
    kind = inspect.type_info(struct)
    return {field.encode_name: field for field in kind.fields} if isinstance(kind, inspect.StructType) else {}


class _Walk:
    def __init__(self, environ: Mapping[str, str], home: Path, *, own_default: bool) -> None:
        self.environ = environ
        self.home = home
        self.problems: list[Problem] = []
        self.unserved: dict[str, None] = {}
        self.wanted: dict[KeyPath, Wanted] = {}
        self.own_default = own_default

    def struct(self, value: dict[str, Any], struct: type[Struct], path: KeyPath, pattern: str) -> Any:
        """`pattern` is the path with all agents and models folded into one, for the notice.

        Refused when it lacks what it cannot be without, so that what is clean always fits its struct.
        """
        fields, known = _fields(struct), KNOWN.get(struct, frozenset())
        clean: dict[str, Any] = {}
        for key, item in value.items():
            field = fields.get(key)
            name = f"{pattern}.{key}" if pattern else key
            if key in known:
                if key not in SILENT:
                    self.unserved[name] = None
            elif field is None:
                self._refuse((*path, key), unknown_key((*path, key), fields.keys() | known))
            else:
                read = self._read(item, field.type, (*path, key), name)
                if read is not _REFUSED:
                    clean[key] = read
        for key, field in fields.items():
            if field.required and key not in value:
                self._refuse((*path, key), "is missing; add it")
        return clean if all(key in clean for key, field in fields.items() if field.required) else _REFUSED

    def _refuse(self, path: KeyPath, message: str) -> object:
        self.problems.append(Problem(path, message))
        return _REFUSED

    def _read(self, value: Any, kind: inspect.Type, path: KeyPath, pattern: str) -> Any:
        kind, form = _core(kind)
        if form == "as-written" and isinstance(value, dict):
            return value
        if form in _SECRETS and isinstance(value, dict | str):
            reference = self._reference(value, path)
            if isinstance(reference, SecretRef):
                return self._referred(reference, kind, form, path)
            if reference is not None:
                return reference
        if form == "model" and isinstance(value, str):
            value = {"primary": value}
        if form in _OR_NUMBER and isinstance(value, bool | int | float):
            value = json.dumps(value)
        if form in _MEASURES and isinstance(value, int | float) and not isinstance(value, bool):
            value = json.dumps(value)
        match kind, value:
            case inspect.AnyType(), _:
                read = self._anything(value, path)
            case inspect.StructType(), dict():
                read = self.struct(value, kind.cls, path, pattern)
            case inspect.DictType(), dict():
                read = self._mapping(value, kind, path, pattern)
            case inspect.VarTupleType(), list():
                items = (
                    self._read(v, kind.item_type, (*path, i), f"{pattern}[]") for i, v in enumerate(value)
                )
                read = [item for item in items if item is not _REFUSED]
            case _:
                read = self._scalar(value, kind, form, path)
        return read

    def _reference(self, value: dict[str, Any] | str, path: KeyPath) -> object:
        """The reference that is written here, None for a text that is the secret itself."""
        try:
            return read_reference(value) if isinstance(value, dict) else short_reference(value)
        except forms.Wrong as wrong:
            return self._refuse(path, str(wrong))

    def _referred(self, reference: SecretRef, kind: inspect.Type, form: str | None, path: KeyPath) -> Any:
        """What it leads to where that is known here; else somebody looks it up later."""
        if reference.source == "env" and reference.provider in {"", "default"} and not self.own_default:
            value = self.environ.get(reference.id, "")
            if value.strip():
                return self._shaped(value, kind, form, path)
            if path[:2] not in _PARTS:
                return self._refuse(path, unset_reference(reference.id))
        self.wanted[path] = reference
        return _REFUSED

    def _mapping(self, value: dict[str, Any], kind: inspect.DictType, path: KeyPath, pattern: str) -> Any:
        clean: dict[str, Any] = {}
        for key, item in value.items():
            if self._formed(partial(forms.unicode, key), (*path, key)) is _REFUSED:
                continue
            read = self._read(item, kind.value_type, (*path, key), f"{pattern}.*")
            if read is not _REFUSED:
                clean[key] = read
        return clean

    def _scalar(self, value: Any, kind: inspect.Type, form: str | None, path: KeyPath) -> Any:
        match kind:
            case inspect.StrType() | inspect.LiteralType() if isinstance(value, str):
                return self._text(value, kind, form, path)
            case inspect.BoolType() if isinstance(value, bool):
                return value
            case inspect.IntType() | inspect.FloatType() if isinstance(value, int | float):
                return self._number(value, kind, path)
            case _:
                return self._refuse(path, wrong_kind(kind, value))

    def _text(self, value: str, kind: inspect.Type, form: str | None, path: KeyPath) -> Any:
        text = self._substituted(value, path)
        return self._shaped(text, kind, form, path, value) if isinstance(text, str) else text

    def _shaped(
        self, text: str, kind: inspect.Type, form: str | None, path: KeyPath, written: str = ""
    ) -> Any:
        """The text as its form has it. A variable or a file often brings a line break with it. A fault quotes
        what was `written`: in a variable there may be a secret that nobody meant for this key."""
        named = isinstance(kind, inspect.LiteralType) or (
            isinstance(kind, inspect.StrType) and kind.min_length
        )
        if form not in _AS_IT_STANDS or (form is None and named):
            text = text.strip()
        if isinstance(kind, inspect.LiteralType):
            return text if text in kind.values else self._refuse(path, choice(written, kind.values))
        if isinstance(kind, inspect.StrType) and kind.min_length and not text.strip():
            return self._refuse(path, "is empty; write a value or remove the key")
        if form == "path":
            return self._formed(lambda: forms.path(text, self.home), path)
        if form in _TEXT_FORMS:
            rule = _TEXT_FORMS[form]
            return self._formed(lambda: rule(text), path)
        return text

    def _number(self, value: float, kind: inspect.IntType | inspect.FloatType, path: KeyPath) -> Any:
        if isinstance(value, bool) or not math.isfinite(value):
            return self._refuse(path, wrong_kind(kind, value))
        if isinstance(kind, inspect.IntType) and isinstance(value, float):
            if not value.is_integer():
                return self._refuse(path, wrong_kind(kind, value))
            value = int(value)
        beyond = range_of(kind, value)
        return self._refuse(path, beyond) if beyond else value

    def _anything(self, value: Any, path: KeyPath) -> Any:
        match value:
            case str():
                return self._substituted(value, path)
            case bool() | None:
                return value
            case int() | float() if not (math.isfinite(value) and abs(value) < 2**64):
                return self._refuse(path, "is no number that can be sent to anybody; write an ordinary one")
            case dict():
                return {k: self._anything(v, (*path, k)) for k, v in value.items()}
            case list():
                return [self._anything(v, (*path, i)) for i, v in enumerate(value)]
            case _:
                return value

    def _substituted(self, text: str, path: KeyPath) -> Any:
        try:
            return forms.unicode(substitute(text, self.environ))
        except MissingVariable as missing:
            if path[:2] in _PARTS and len(path) > len(_PARTS[0]) + 1:
                self.wanted[path] = Unset(tuple(missing.names))
                return _REFUSED
            return self._refuse(path, missing_variables(missing.names))
        except forms.Wrong as wrong:
            return self._refuse(path, str(wrong))

    def _formed(self, rule: Callable[[], str], path: KeyPath) -> Any:
        try:
            return rule()
        except forms.Wrong as wrong:
            return self._refuse(path, str(wrong))


def _has_own_default(secrets: Any) -> bool:
    """Whether it says itself where a reference to a variable leads that names no provider."""
    written = secrets if isinstance(secrets, dict) else {}
    providers, defaults = written.get("providers"), written.get("defaults")
    named = isinstance(defaults, dict) and defaults.get("env", "default") != "default"
    return named or (isinstance(providers, dict) and "default" in providers)


def _core(kind: inspect.Type) -> tuple[inspect.Type, str | None]:
    """The type without `| None`, and the form attached to it."""
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.Metadata):
        return kind.type, (kind.extra or {}).get("form")
    return kind, None
