"""The configuration as it may be shown: secrets masked, everything else as written. Pure.

The schema decides (`hidden` of its structs), and everywhere else, because the file also holds sections that
this program does not know from inside, the name of a key and the look of a text. References to variables are
no secrets, and telling them apart is why one looks at the file.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct, inspect

from openclaw_gateway.config.kinds import core, fields
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.root import Written
from openclaw_gateway.redaction import MASK, redact
from openclaw_gateway.secret_values import in_arguments, in_url, is_secret_name, worth_masking

# A scheme may stand before it.
_REFERENCE = re.compile(r"(?:[A-Za-z]+ )?\$\{[A-Z_][A-Z0-9_]*\}|\$[A-Z][A-Z0-9_]*")
_REFERENCE_KEYS = frozenset({"source", "provider", "id"})
# Everything in a section of this name may be a secret.
_SECRET_SECTIONS = frozenset({"env", "headers"})


def masked(document: Mapping[str, Any]) -> dict[str, Any]:
    """A whole configuration, in the file's own shape, without its secrets."""
    return _members(document, Written)


def _members(value: Mapping[str, Any], struct: type[Struct]) -> dict[str, Any]:
    kinds, hidden = _fields(struct)
    return {
        key: _masked(item, kinds.get(key), hidden=key in hidden or _is_secret(key, item))
        for key, item in value.items()
    }


def _masked(value: Any, kind: inspect.Type | None, *, hidden: bool) -> Any:
    """`kind` is what the schema has there; None = it knows nothing of it."""
    kind = None if kind is None else core(kind)[0]
    match value, kind:
        case {"source": _, "id": _}, _ if value.keys() <= _REFERENCE_KEYS:
            return value
        case dict(), inspect.StructType(cls=struct) if not hidden:
            return _members(value, struct)
        case dict(), _:
            below = kind.value_type if isinstance(kind, inspect.DictType) else None
            return {
                key: _masked(item, below, hidden=hidden or _is_secret(key, item))
                for key, item in value.items()
            }
        case list() | tuple(), _:
            of = kind.item_type if isinstance(kind, inspect.VarTupleType) else None
            words = [item for item in value if isinstance(item, str)]
            told = () if hidden else worth_masking(in_arguments(words))
            return [
                _masked_word(item, told)
                if isinstance(item, str) and not hidden
                else _masked(item, of, hidden=hidden)
                for item in value
            ]
        case _:
            return _masked_single(value, hidden=hidden)


def _masked_word(word: str, told: tuple[str, ...]) -> str:
    """One of a list that may be a command's arguments, of which these `told` are secrets."""
    return word if _REFERENCE.fullmatch(word) else str(_masked_single(redact(word, known=told), hidden=False))


def _masked_single(value: Any, *, hidden: bool) -> Any:
    """A flag hides nothing, nor does what is not there."""
    match value:
        case bool() | None | "":
            return value
        case str() if _REFERENCE.fullmatch(value):
            return value
        case str() if not hidden:
            found = in_url(value) if "://" in value else ()
            return redact(value, known=worth_masking(one for one in found if not _REFERENCE.fullmatch(one)))
        case _:
            return MASK if hidden else value


def _is_secret(key: str, value: Any) -> bool:
    """By the name. A number is rather how many there are, an object rather a section about them."""
    match value:
        case dict():
            flat = bool(value) and all(isinstance(item, str) for item in value.values())
            return key in _SECRET_SECTIONS or (flat and key != "auth" and is_secret_name(key))
        case str() | list() | tuple():
            return is_secret_name(key)
        case _:
            return False


@cache
def _fields(struct: type[Struct]) -> tuple[Mapping[str, inspect.Type], frozenset[str]]:
    """What stands under which key, and which keys are hidden."""
    found = fields(struct)
    secret = struct.hidden if issubclass(struct, Guarded) else frozenset[str]()
    return (
        {key: field.type for key, field in found.items()},
        frozenset(key for key, field in found.items() if field.name in secret),
    )
