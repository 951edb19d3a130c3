"""The configuration that is in force, as clients may see it. Pure.

Nothing in it is a secret, or made from one: what is masked is masked before anything else is done with it.
Of the machine's folders it tells nothing: an absolute path is shown by its last part.
"""

import hashlib
import re
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.masking import masked

_PATH = re.compile(r"/(?:[^/\n]+/)+([^/\n]*)/?")


class Shown(Struct, frozen=True):
    """`file` is a name without its folder; `document` the merged files as written, variables not filled in.
    `digest` is that of `document`, in hexadecimal: two that differ in secrets alone have the same. `unserved`
    are keys without effect here."""

    file: str
    exists: bool
    document: dict[str, Any]
    digest: str
    unserved: tuple[str, ...]


def shown(loaded: LoadedConfig) -> Shown:
    document = {key: _without_folders(value) for key, value in masked(loaded.document).items()}
    text = msgspec.json.encode(document, order="deterministic")
    return Shown(loaded.path.name, loaded.exists, document, hashlib.sha256(text).hexdigest(), loaded.unserved)


def short_path(text: str) -> str:
    """An absolute path by its last part; anything else as it is."""
    path = _PATH.fullmatch(text)
    return text if path is None else f".../{path[1]}"


def _without_folders(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_folders(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_folders(item) for item in value]
        case str():
            return short_path(value)
        case _:
            return value


def is_set(document: Any, key: str) -> bool:
    """Whether a dotted key of a document has a value that is neither empty nor off."""
    for part in key.split("."):
        if not isinstance(document, dict):
            return False
        document = document.get(part)
    return bool(document)
