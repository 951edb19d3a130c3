"""One value of a document as its type and its form have it: a text, a number, or anything at all.

Variables are filled in; what does not fit becomes a Problem. Objects, lists and their keys are in `check.py`.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import inspect

from openclaw_gateway.config import forms
from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.secrets.references import (
    SecretRef,
    Unset,
    Wanted,
    read_reference,
    short_reference,
    unset_reference,
)
from openclaw_gateway.config.substitute import MissingVariable, substitute
from openclaw_gateway.config.wording import choice, missing_variables, range_of, wrong_kind

_TEXT_FORMS = {
    "secret": forms.one_line,
    "header": forms.one_line,
    "url": forms.url,
    "url-path": forms.url_path,
    "address": forms.address,
    "network": forms.network,
    "duration": forms.duration,
    "age": forms.age,
    "size": forms.size,
    "regex": forms.regular_expression,
    "zone": forms.zone,
}
# White space at the ends means something here, or may.
_AS_IT_STANDS = {None, "regex", "path", "secret-or-number"}
# What needs a variable that is not set is left out here, and with it what it belongs to is not served; all
# else would be other than was meant.
_PARTS = (("models", "providers"), ("mcp", "servers"), ("skills", "entries"))
_SEARCH = ("tools", "web", "search")
# Stands for a value that was refused, or is looked up later: nothing more is said about it here, and nobody
# sees it.
REFUSED = object()


class Scalars:
    """`problems` are what was refused so far, `wanted` what somebody looks up later. `own_default`: the file
    says itself where a reference to a variable leads that names no provider."""

    def __init__(self, environ: Mapping[str, str], home: Path, *, own_default: bool) -> None:
        self.environ = environ
        self.home = home
        self.problems: list[Problem] = []
        self.wanted: dict[KeyPath, Wanted] = {}
        self.own_default = own_default

    def reference(self, value: dict[str, Any] | str, path: KeyPath) -> object:
        """The reference that is written here, None for a text that is the secret itself."""
        try:
            return read_reference(value) if isinstance(value, dict) else short_reference(value)
        except forms.Wrong as wrong:
            return self.refuse(path, str(wrong))

    def referred(self, reference: SecretRef, kind: inspect.Type, form: str | None, path: KeyPath) -> Any:
        """What it leads to where that is known here; else somebody looks it up later."""
        if reference.source == "env" and reference.provider in {"", "default"} and not self.own_default:
            value = self.environ.get(reference.id, "")
            if value.strip():
                return self.shaped(value, kind, form, path)
            if not _is_of_part(path):
                return self.refuse(path, unset_reference(reference.id))
        self.wanted[path] = reference
        return REFUSED

    def refuse(self, path: KeyPath, message: str) -> object:
        self.problems.append(Problem(path, message))
        return REFUSED

    def scalar(self, value: Any, kind: inspect.Type, form: str | None, path: KeyPath) -> Any:
        match kind:
            case inspect.StrType() | inspect.LiteralType() if isinstance(value, str):
                return self._text(value, kind, form, path)
            case inspect.BoolType() if isinstance(value, bool):
                return value
            case inspect.IntType() | inspect.FloatType() if isinstance(value, int | float):
                return self._number(value, kind, path)
            case _:
                return self.refuse(path, wrong_kind(kind, value))

    def _text(self, value: str, kind: inspect.Type, form: str | None, path: KeyPath) -> Any:
        text = self._substituted(value, path)
        return self.shaped(text, kind, form, path, value) if isinstance(text, str) else text

    def shaped(
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
            return text if text in kind.values else self.refuse(path, choice(written, kind.values))
        if isinstance(kind, inspect.StrType) and kind.min_length and not text.strip():
            return self.refuse(path, "is empty; write a value or remove the key")
        if form == "path":
            return self.formed(lambda: forms.path(text, self.home), path)
        if form in _TEXT_FORMS:
            rule = _TEXT_FORMS[form]
            return self.formed(lambda: rule(text), path)
        return text

    def _number(self, value: float, kind: inspect.IntType | inspect.FloatType, path: KeyPath) -> Any:
        if isinstance(value, bool) or not math.isfinite(value):
            return self.refuse(path, wrong_kind(kind, value))
        if isinstance(kind, inspect.IntType) and isinstance(value, float):
            if not value.is_integer():
                return self.refuse(path, wrong_kind(kind, value))
            value = int(value)
        beyond = range_of(kind, value)
        return self.refuse(path, beyond) if beyond else value

    def anything(self, value: Any, path: KeyPath) -> Any:
        match value:
            case str():
                return self._substituted(value, path)
            case bool() | None:
                return value
            case int() | float() if not (math.isfinite(value) and abs(value) < 2**64):
                return self.refuse(path, "is no number that can be sent to anybody; write an ordinary one")
            case dict():
                return {k: self.anything(v, (*path, k)) for k, v in value.items()}
            case list():
                return [self.anything(v, (*path, i)) for i, v in enumerate(value)]
            case _:
                return value

    def _substituted(self, text: str, path: KeyPath) -> Any:
        try:
            return forms.unicode(substitute(text, self.environ))
        except MissingVariable as missing:
            if _is_of_part(path) and len(path) > len(_PARTS[0]) + 1:
                self.wanted[path] = Unset(tuple(missing.names))
                return REFUSED
            return self.refuse(path, missing_variables(missing.names))
        except forms.Wrong as wrong:
            return self.refuse(path, str(wrong))

    def formed(self, rule: Callable[[], str], path: KeyPath) -> Any:
        try:
            return rule()
        except forms.Wrong as wrong:
            return self.refuse(path, str(wrong))


def _is_of_part(path: KeyPath) -> bool:
    # Agents have it, and so have their defaults.
    if path[:3] == _SEARCH:
        return True
    return path[:2] in _PARTS or (path[0] == "agents" and "memorySearch" in path[2:4])


def has_own_default(secrets: Any) -> bool:
    """Whether it says itself where a reference to a variable leads that names no provider."""
    written = secrets if isinstance(secrets, dict) else {}
    providers, defaults = written.get("providers"), written.get("defaults")
    named = isinstance(defaults, dict) and defaults.get("env", "default") != "default"
    return named or (isinstance(providers, dict) and "default" in providers)
