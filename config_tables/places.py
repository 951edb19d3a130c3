"""What a JSON schema says about keys: at each place of a document, the names that may stand there. Pure.

A place is written as the gateway's notices write it: `agents.list[].tools`, `models.providers.*`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

# Stands for every name, where a place takes any beside those that mean something.
ANY = "*"
# Of the other sections, of which nothing is served here, the names are enough.
_SECTIONS = frozenset(
    {"agents", "auth", "env", "gateway", "logging", "mcp", "memory", "models", "secrets", "session"}
    | {"skills", "tools"}
)


def places_of(schemas: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Of all the schemas together, sorted."""
    found: dict[str, set[str]] = {}
    for schema in schemas:
        for place, key in _walk(schema, schema, "", ()):
            found.setdefault(place, set()).add(key)
    return {place: sorted(found[place]) for place in sorted(found)}


def _walk(node: Any, root: dict[str, Any], place: str, seen: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every (place, key). `seen` are the references followed on the way here: a schema may hold itself."""
    if not isinstance(node, dict):
        return
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference not in seen:
            yield from _walk(_resolved(root, reference), root, place, (*seen, reference))
        return
    for alternatives in ("anyOf", "oneOf", "allOf"):
        for each in node.get(alternatives, ()):
            yield from _walk(each, root, place, seen)
    for key, value in node.get("properties", {}).items():
        yield place, key
        if place or key in _SECTIONS:
            yield from _walk(value, root, f"{place}.{key}" if place else key, seen)
    if node.get("properties") and node.get("additionalProperties", True) is not False:
        yield place, ANY
    for pattern in (node.get("additionalProperties"), *node.get("patternProperties", {}).values()):
        yield from _walk(pattern, root, f"{place}.*" if place else "*", seen)
    items = node.get("items")
    for item in items if isinstance(items, list) else [items]:
        yield from _walk(item, root, f"{place}[]", seen)


def _resolved(root: dict[str, Any], reference: str) -> Any:
    node: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")] if step else node
    return node
