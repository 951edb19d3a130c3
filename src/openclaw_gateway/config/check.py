"""The merged document against the schema: every strange key and every wrong value, all at once.

Walks the document next to the structs. What is served comes out clean (variables filled in, shorthands in
their long form); what is known and not served is left out and remembered, and so is what nobody knows
where that does no harm; all else becomes a Problem. No file access. Rules between several keys are in
`rules.py`.
"""

import json
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct, inspect

from openclaw_gateway.config import forms
from openclaw_gateway.config.kinds import core, fields
from openclaw_gateway.config.known import ANY, KNOWN, SILENT, is_comment, is_newer
from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.scalars import REFUSED, Scalars, has_own_default
from openclaw_gateway.config.secrets.references import SecretRef, Wanted
from openclaw_gateway.config.strange import matters, unknown_key
from openclaw_gateway.config.wording import wrong_kind

_SECRETS = {"secret", "secret-or-number", "header"}
_OR_NUMBER = {"secret-or-number", "header"}
# Texts with a unit, which people also write as a number.
_MEASURES = {"age", "size"}


class Checked(Struct, frozen=True):
    """`unserved` are the known keys that have no effect, in the file's order, each named once; `unknown`
    those that nobody knows and that may yet stand there, because they are of no section served here, or a
    newer version of the other program has written them. `wanted` are the values that are left out of the
    document until somebody needs them."""

    document: dict[str, Any]
    problems: list[Problem]
    unserved: tuple[str, ...]
    unknown: tuple[str, ...]
    wanted: dict[KeyPath, Wanted]


def check(
    document: dict[str, Any], schema: type[Struct], *, environ: Mapping[str, str], home: Path
) -> Checked:
    walk = _Walk(environ, home, document, schema)
    clean = walk.struct(document, schema, (), "")
    return Checked(
        {} if clean is REFUSED else clean,
        walk.problems,
        tuple(walk.unserved),
        tuple(walk.unknown),
        walk.wanted,
    )


def _kind_at(struct: type[Struct], path: KeyPath) -> inspect.Type | None:
    """What must stand at `path` of a document; None where anything may."""
    field = fields(struct).get(str(path[0]))
    kind = field.type if field else None
    for step in path[1:]:
        match core(kind)[0] if kind else None:
            case inspect.StructType(cls=cls):
                field = fields(cls).get(str(step))
                kind = field.type if field else None
            case inspect.DictType(value_type=inner) | inspect.VarTupleType(item_type=inner):
                kind = inner
            case _:
                return None
    return kind


class _Walk(Scalars):
    def __init__(
        self, environ: Mapping[str, str], home: Path, document: dict[str, Any], schema: type[Struct]
    ) -> None:
        super().__init__(environ, home, own_default=has_own_default(document.get("secrets")))
        self.document = document
        self.schema = schema
        self.newer = is_newer(_at(document, ("meta", "lastTouchedVersion")))
        self.unserved: dict[str, None] = {}
        self.unknown: dict[str, None] = {}

    def struct(self, value: dict[str, Any], struct: type[Struct], path: KeyPath, pattern: str) -> Any:
        """`pattern` is the path with all agents and models folded into one, for the notice.

        Refused when it lacks what it cannot be without, so that what is clean always fits its struct.
        """
        served, known = fields(struct), KNOWN.get(struct, frozenset())
        clean: dict[str, Any] = {}
        for key, item in value.items():
            field = served.get(key)
            name = f"{pattern}.{key}" if pattern else key
            if key in known:
                if key not in SILENT:
                    self.unserved[name] = None
            elif field is None:
                self._strange((*path, key), item, served.keys(), known, name)
            elif item is None and field.required:
                self.refuse((*path, key), wrong_kind(core(field.type)[0], item, required=True))
            else:
                read = self._read(item, field.type, (*path, key), name)
                if read is not REFUSED:
                    clean[key] = read
        for key, field in served.items():
            if field.required and key not in value:
                self.refuse((*path, key), "is missing; add it")
        return clean if all(key in clean for key, field in served.items() if field.required) else REFUSED

    def _strange(
        self, path: KeyPath, value: Any, served: Collection[str], known: Collection[str], pattern: str
    ) -> None:
        key = str(path[-1])
        if is_comment(key):
            return
        anything = self.newer or ANY in known
        if anything or (len(path) == 1 and not matters(key, served)):
            self.unknown[pattern] = None
            return
        hint = unknown_key(path, value, {*served, *known}, self._fits, self._free)
        self.refuse(path, hint)

    def _fits(self, path: KeyPath, value: Any) -> bool:
        kind = _kind_at(self.schema, path)
        if kind is None:
            return True
        trial = _Walk(self.environ, self.home, self.document, self.schema)
        trial._read(value, kind, path, "")
        return not trial.problems

    def _free(self, path: KeyPath) -> bool:
        return _at(self.document, path) is None

    def _read(self, value: Any, kind: inspect.Type, path: KeyPath, pattern: str) -> Any:
        kind, form = core(kind)
        if form == "as-written" and isinstance(value, dict):
            return value
        if form in _SECRETS and isinstance(value, dict | str):
            reference = self.reference(value, path)
            if isinstance(reference, SecretRef):
                return self.referred(reference, kind, form, path)
            if reference is not None:
                return reference
        if form == "size" and value is False:
            # No bound, as if the key were not there.
            return REFUSED
        value = _spelt_out(value, form)
        match kind, value:
            case inspect.AnyType(), _:
                read = self.anything(value, path)
            case inspect.StructType(), dict():
                read = self.struct(value, kind.cls, path, pattern)
            case inspect.DictType(), dict():
                read = self._mapping(value, kind, path, pattern)
            case inspect.VarTupleType(), list():
                items = (
                    self._read(v, kind.item_type, (*path, i), f"{pattern}[]") for i, v in enumerate(value)
                )
                read = [item for item in items if item is not REFUSED]
            case _:
                read = self.scalar(value, kind, form, path)
        return read

    def _mapping(self, value: dict[str, Any], kind: inspect.DictType, path: KeyPath, pattern: str) -> Any:
        clean: dict[str, Any] = {}
        for key, item in value.items():
            if is_comment(key) and _is_remark(item, kind.value_type):
                continue
            if self.formed(partial(forms.unicode, key), (*path, key)) is REFUSED:
                continue
            read = self._read(item, kind.value_type, (*path, key), f"{pattern}.*")
            if read is not REFUSED:
                clean[key] = read
        return clean


def _spelt_out(value: Any, form: str | None) -> Any:
    """What people write for short, as it is meant."""
    match value:
        case str() if form == "model":
            return {"primary": value}
        case bool() if form in _OR_NUMBER:
            return json.dumps(value)
        case int() | float() if form in _OR_NUMBER | _MEASURES and not isinstance(value, bool):
            return json.dumps(value)
        case _:
            return value


def _is_remark(value: Any, kind: inspect.Type) -> bool:
    """Whether what stands under the name of a comment is one, in a mapping whose names are the operator's."""
    kind, _ = core(kind)
    return isinstance(kind, inspect.AnyType) or (
        isinstance(kind, inspect.StructType) and not isinstance(value, dict)
    )


def _at(document: Any, path: KeyPath) -> Any:
    """What stands at `path`; None where nothing does."""
    for step in path:
        match document:
            case dict():
                document = document.get(step)
            case list() if isinstance(step, int) and step < len(document):
                document = document[step]
            case _:
                return None
    return document
