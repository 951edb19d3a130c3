"""A document while old shapes in it are put where they belong now: the places of all parts go with them.

Nothing that was read is changed: what is touched is copied, along its path only.
"""

from typing import Any

from msgspec import Struct

from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.places import KeyPath, PlacedObject, Position, dotted, join_objects, without


class Part(Struct, frozen=True):
    """A key's value, and where the key stands; None without places."""

    value: Any
    place: Position | None


class Draft:
    """`said` are the changes in words, such as "agent -> agents.defaults"."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.said: list[str] = []

    def at(self, *path: str) -> Any:
        """The value at `path`; None where nothing stands."""
        value: Any = self.document
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def object(self, *path: str) -> dict[str, Any]:
        """The object at `path`; an empty one where there is none."""
        value = self.at(*path)
        return value if isinstance(value, dict) else {}

    def take(self, *path: str) -> Part | None:
        """Removes what stands at `path`; an object that this leaves empty goes with it."""
        holder = self.at(*path[:-1]) if path[:-1] else self.document
        if not isinstance(holder, dict) or path[-1] not in holder:
            return None
        place = holder.places.get(path[-1]) if isinstance(holder, PlacedObject) else None
        rest = without(holder, path[-1])
        if path[:-1] and not rest:
            self.take(*path[:-1])
        else:
            self.document = _with(self.document, path[:-1], Part(rest, None))
        return Part(holder[path[-1]], place)

    def put(self, path: KeyPath, part: Part) -> None:
        """Sets what stands at `path`; the objects on the way are made."""
        self.document = _with(self.document, path, part)

    def move(self, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        """What stands at `old` to `new`; what stands there already counts."""
        part = self.take(*old)
        if part is None:
            return
        there = self.at(*new)
        if there is None:
            self.put(new, part)
        elif isinstance(there, dict) and isinstance(part.value, dict):
            self.put(new, Part(merge(part.value, there, lists="replace"), None))
        else:
            self.said.append(f"{dotted(old)} is left out, because {dotted(new)} is set")
            return
        self.said.append(f"{dotted(old)} -> {dotted(new)}")


def _with(value: Any, path: KeyPath, part: Part) -> Any:
    """`value` with the part at `path`; what is no object on the way is replaced by one."""
    if not path:
        return part.value
    key, base = str(path[0]), value if isinstance(value, dict) else {}
    inner = _with(base.get(key), path[1:], part)
    place = part.place or (base.places.get(key) if isinstance(base, PlacedObject) else None)
    if place is None:
        return join_objects(base, {key: inner})
    if isinstance(inner, dict) and not isinstance(inner, PlacedObject):
        inner = PlacedObject(inner, place, {})
    return join_objects(base, PlacedObject({key: inner}, place, {key: place}))
