"""What may stand for a credential in the files: a reference, or a variable that is not set. Pure.

A reference is {source, provider, id}, or "$NAME" for the variable NAME. It is read here and looked up later,
by whoever needs it: of what nobody uses, nobody needs to know the secret. (The shapes are those of OpenClaw's
SecretRef.) What is said about one names its place and never what was found there.
"""

import re
from typing import Any, Literal

from msgspec import Struct

from openclaw_gateway.config.forms import Wrong
from openclaw_gateway.config.wording import SET_IT

Source = Literal["env", "file", "exec", "store"]

_KEYS = {"source", "provider", "id"}
_SHORT = re.compile(r"\$(?:\{)?([A-Z][A-Z0-9_]{0,127})(?:\})?")
_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_STORED = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
_EXEC_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,255}")
_FORM = '{source: "env", id: "NAME"}'


class SecretRef(Struct, frozen=True):
    """`provider` is a key of secrets.providers; "" means the default one of the source."""

    source: Source
    provider: str
    id: str


class Unset(Struct, frozen=True):
    """A text that needs these variables, which are not set or blank."""

    names: tuple[str, ...]


Wanted = SecretRef | Unset


class Unresolved(Exception):
    """Why there is no secret, as the end of a sentence that began with the place of the reference."""


def read_reference(written: dict[str, Any]) -> SecretRef:
    """Raises Wrong."""
    strange = sorted(str(key) for key in written if key not in _KEYS)
    if strange:
        raise Wrong(f'has the unknown key "{strange[0]}"; a credential is text or {_FORM}')
    source, provider, name = written.get("source"), written.get("provider", ""), written.get("id")
    if not isinstance(provider, str) or (provider and not _ALIAS.fullmatch(provider)):
        raise Wrong('needs as "provider" a name of secrets.providers: small letters, digits, - and _')
    match source:
        case "env":
            _check(name, _VARIABLE, "names an environment variable")
        case "store":
            _check(name, _STORED, "names an entry of the secret store, such as OPENAI_API_KEY")
        case "exec":
            _check(name, _EXEC_ID, "names a secret of that provider")
            if {".", ".."} & set(str(name).split("/")):
                raise Wrong('needs an "id" without "." and ".." between its slashes')
        case "file":
            if name != "value" and not (isinstance(name, str) and name.startswith("/")):
                raise Wrong('needs an "id" that is a JSON pointer such as /openai/apiKey, or "value"')
        case _:
            named = (
                f"the source {source!r} is" if isinstance(source, str) else "a reference without source is"
            )
            raise Wrong(
                f"cannot be resolved: {named} not known; use env, file, exec or store, or write the text"
            )
    return SecretRef(source, provider, str(name))


def short_reference(text: str) -> SecretRef | None:
    """What `$NAME` stands for; None for all other text. (`${NAME}` is filled in while the files are read.)"""
    found = _SHORT.fullmatch(text.strip())
    if found is None or "{" in text:
        return None
    return SecretRef("env", "", found[1])


def stored_reference(text: str) -> SecretRef | None:
    """The same in a file that nobody fills in, where `${NAME}` counts as well."""
    found = _SHORT.fullmatch(text.strip())
    return SecretRef("env", "", found[1]) if found is not None else None


def unset_reference(name: str) -> str:
    return f"refers to the environment variable {name}, which is not set; {SET_IT}, or write the text"


def _check(name: Any, form: re.Pattern[str], what: str) -> None:
    if not isinstance(name, str) or not form.fullmatch(name):
        raise Wrong(f'needs an "id" that {what}')
