"""The `$ref`s of a JSON schema written out, for whoever rewrites schemas. Pure.

That has an end: what refers to itself, is nested too deep or grows beyond all reason is cut off. Must not
know what a schema is rewritten for.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from openclaw_gateway.wire.schema_references import referred

_MOST_NODES = 5_000
_DEEPEST = 32
# What is referred to is copied to each of its places: a long text in it would become thousands.
_MOST_COPIED_BYTES = 1 << 20

Rewrite = Callable[[dict[str, Any]], dict[str, Any]]


class SchemaReferences:
    """Those of one schema, while it is rewritten once."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._nodes = _MOST_NODES
        self._bytes = _MOST_COPIED_BYTES
        self._depth = 0
        self._open: list[str] = []

    def written_out(self, schema: Any, rewrite: Rewrite) -> dict[str, Any] | None:
        """What `rewrite` makes of it, which comes back with every schema within; None where it is cut off, or
        is no object."""
        self._nodes -= 1
        if not isinstance(schema, dict) or self._nodes < 0 or self._depth > _DEEPEST:
            return None
        self._depth += 1
        reference = schema.get("$ref")
        made = self._followed(reference, schema, rewrite) if isinstance(reference, str) else rewrite(schema)
        self._depth -= 1
        return made

    def _followed(self, reference: str, schema: dict[str, Any], rewrite: Rewrite) -> dict[str, Any] | None:
        if reference in self._open or self._bytes < 0:
            return None
        found = referred(self._root, reference)
        target = found if isinstance(found, dict) else {}
        self._bytes -= len(msgspec.json.encode(target))
        if self._bytes < 0:
            return None
        self._open.append(reference)
        # Beside a reference stands what is said otherwise here.
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        made = self.written_out({**target, **rest}, rewrite)
        self._open.pop()
        return made
