"""Where in which file a part of the configuration was written.

Used only when there is something to complain about: the documents are then read again as PlacedObject
and PlacedList, which are plain dicts and lists that also remember places, and go through the very same
steps. The three joining functions keep the places when there are any and cost nothing when not.
"""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

KeyPath = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[\w$-]+")


class Position(Struct, frozen=True):
    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Problem(Struct, frozen=True):
    """One fault: `path` in the merged document, and what is wrong and what to do, as one sentence.

    `place` is set only when the path alone cannot tell it (a file that does not parse, an `$include`).
    """

    path: KeyPath
    message: str
    place: Position | None = None

    def __str__(self) -> str:
        """Where there is no time to look for the line."""
        where = dotted(self.path) or (self.place.file if self.place else "")
        return f"{where}: {self.message}" if where else self.message


class PlacedObject(dict[str, Any]):
    """`place` is where the object begins, `places` where each of its keys stands.

    `lost` are the places of keys that stand there once more further down.
    """

    def __init__(
        self,
        items: dict[str, Any],
        place: Position,
        places: dict[str, Position],
        lost: tuple[tuple[str, Position], ...] = (),
    ) -> None:
        super().__init__(items)
        self.place = place
        self.places = places
        self.lost = lost


class PlacedList(list[Any]):
    def __init__(self, items: list[Any], place: Position, places: list[Position]) -> None:
        super().__init__(items)
        self.place = place
        self.places = places


def join_objects(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """The keys of both; those of `over` win. The result begins where the first with a place does."""
    placed = [each for each in (base, over) if isinstance(each, PlacedObject)]
    if not placed:
        return base | over
    places = {key: place for each in placed for key, place in each.places.items()}
    return PlacedObject(base | over, placed[0].place, places)


def join_lists(first: list[Any], second: list[Any]) -> list[Any]:
    if isinstance(first, PlacedList) and isinstance(second, PlacedList):
        return PlacedList([*first, *second], first.place, [*first.places, *second.places])
    return [*first, *second]


def same_place(items: list[Any], original: list[Any]) -> list[Any]:
    """`items`, which stand for those of `original` one by one."""
    if isinstance(original, PlacedList):
        return PlacedList(items, original.place, original.places)
    return items


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    rest = {name: value for name, value in document.items() if name != key}
    if isinstance(document, PlacedObject):
        return PlacedObject(rest, document.place, document.places)
    return rest


def locate(document: object, path: KeyPath) -> Position | None:
    """The place of `path`, or of the innermost part of it that was written; None without places."""
    found = document.place if isinstance(document, PlacedObject) else None
    for key in path:
        if isinstance(document, PlacedObject) and isinstance(key, str) and key in document:
            found = document.places.get(key, found)
            document = document[key]
        elif isinstance(document, PlacedList) and isinstance(key, int) and key < len(document):
            found = document.places[key]
            document = document[key]
        else:
            break
    return found


def written_below(document: object, path: KeyPath) -> Iterator[Position]:
    """The places of what stands at `path` and of everything in it; none without places."""
    place = locate(document, path)
    below: Any = document
    try:
        for step in path:
            below = below[step]
    except (LookupError, TypeError):
        return
    if place is not None:
        yield place
    waiting = [below]
    while waiting:
        match waiting.pop():
            case PlacedObject() as holder:
                yield from holder.places.values()
                waiting += holder.values()
            case PlacedList() as holder:
                yield from holder.places
                waiting += holder
            case _:
                pass


def emptied(document: Any, path: KeyPath) -> Any:
    """`document` with an empty value at `path`: of no use to anybody, but still of its own name or number."""
    key, rest = path[0], path[1:]
    match document, key:
        case dict(), str() if key in document:
            return {**document, key: emptied(document[key], rest) if rest else {}}
        case list(), int() if key < len(document):
            new = emptied(document[key], rest) if rest else ""
            return [*document[:key], new, *document[key + 1 :]]
        case _:
            return document


def dotted(path: KeyPath) -> str:
    """A path as people write it: `agents.list[0].id`, with quotes around keys that need them."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PLAIN_KEY.fullmatch(key):
            text += f".{key}" if text else key
        else:
            quoted = key.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted.encode(errors="backslashreplace").decode()}"]'
    return text
