"""Where a `$ref` of a JSON schema leads (RFC 6901, in a URI's fragment). Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote


def referred(root: Any, reference: str) -> Any:
    """What of `root` it names, whatever that is; None where there is nothing."""
    found = root
    for step in filter(None, unquote(reference.removeprefix("#")).split("/")):
        if isinstance(found, Mapping):
            found = found.get(step.replace("~1", "/").replace("~0", "~"))
        elif isinstance(found, list) and len(step) < 6 and step.isascii() and step.isdecimal():
            found = found[int(step)] if int(step) < len(found) else None
        else:
            return None
    return found
