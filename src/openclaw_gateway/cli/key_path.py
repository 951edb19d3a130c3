"""`agents.list[0].id` as the steps it means. Pure; the reverse of `config.places.dotted`."""

import re
from typing import Any

import msgspec

from openclaw_gateway.config.places import KeyPath

_STEP = re.compile(
    r"""\.?(?P<name>[^.\[\]"]+) | \[(?P<index>[0-9]{1,6})\] | \[(?P<quoted>"(?:[^"\\]|\\.)*")\]""", re.VERBOSE
)


def parse_key_path(text: str) -> KeyPath:
    """Raises ValueError for what is no path. A name after a dot may also be the index of a list."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None or (at > 0 and step["name"] and text[at] != ".") or (at == 0 and text[0] == "."):
            raise ValueError(f"not a path at {text[at:]!r}")
        if step["name"]:
            steps.append(step["name"])
        elif step["index"]:
            steps.append(int(step["index"]))
        else:
            steps.append(msgspec.json.decode(step["quoted"], type=str))
        at = step.end()
    if not steps:
        raise ValueError("the path is empty")
    return tuple(steps)


def look_up(document: Any, path: KeyPath) -> Any:
    """The value at `path`. Raises LookupError."""
    for step in path:
        match document:
            case list() if str(step).isdecimal():
                document = document[int(step)]
            case dict():
                document = document[str(step)]
            case _:
                raise LookupError(step)
    return document
