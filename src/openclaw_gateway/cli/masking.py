"""A part of the configuration as it may be shown: secrets masked, everything else as written. Pure.

A key's name decides, because the file also holds sections that this program does not know from inside.
References to variables are not secrets, and telling them apart is why one looks at the file.
"""

import re
from typing import Any

from openclaw_gateway.config.places import KeyPath
from openclaw_gateway.redaction import redact

MASK = "***"
_SECRET_KEY = re.compile(
    r"token|passw|secret|api[-_]?key|credential|private|webhook|cookie|authorization", re.IGNORECASE
)
_REFERENCE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
# Everything in these sections may be a secret, whatever it is called.
_SECRET_SECTIONS = frozenset({"env", "headers"})
_REFERENCE_KEYS = frozenset({"source", "provider", "id"})


def masked(value: Any, path: KeyPath = ()) -> Any:
    """`value`, which stands at `path`, without its secrets."""
    match value:
        case {"source": _, "id": _} if value.keys() <= _REFERENCE_KEYS:
            return value
        case dict():
            return {key: masked(item, (*path, key)) for key, item in value.items()}
        case list():
            return [masked(item, (*path, index)) for index, item in enumerate(value)]
        case str() if value and _is_secret(path) and not _REFERENCE.fullmatch(value):
            return MASK
        case str():
            return redact(value)
        case _:
            return value


def _is_secret(path: KeyPath) -> bool:
    names = [step for step in path if isinstance(step, str)]
    in_section = not _SECRET_SECTIONS.isdisjoint(names[:-1])
    return in_section or bool(names and _SECRET_KEY.search(names[-1]))
