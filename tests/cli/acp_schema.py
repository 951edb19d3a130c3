"""The Agent Client Protocol as it is published, to hold against every line that `openclaw acp` writes.

The schema is in the protocol's npm package, @agentclientprotocol/sdk (version 1, stable).
"""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from tests.npm_packages import installed

_FILE = "node_modules/@agentclientprotocol/sdk/schema/v1/schema.json"


@cache
def document() -> dict[str, Any]:
    """Raises NotInstalled."""
    found: dict[str, Any] = msgspec.json.decode(
        (installed(Path(__file__).parent / "acp_npm") / _FILE).read_bytes()
    )
    return found


def faults(name: str, value: object) -> list[str]:
    """What is wrong with a value of that definition."""
    return [
        f"{name}{'.'.join(map(str, ['', *error.absolute_path]))}: {error.message[:300]}"
        for error in _checker(name).iter_errors(value)
    ]


@cache
def of_method(method: str, ending: str) -> str:
    """The definition that belongs to a method: its Request, Response or Notification."""
    return next(
        str(name)
        for name, definition in document()["$defs"].items()
        if definition.get("x-method") == method and name.endswith(ending)
    )


@cache
def _checker(name: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/$defs/{name}", "$defs": document()["$defs"]}
    return jsonschema.Draft202012Validator(schema)
