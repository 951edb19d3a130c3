"""Where in a JSON5 text every value begins and ends: what an edit of the text has to know. Pure."""

import bisect
from typing import Any

from msgspec import Struct

from openclaw_gateway.config.places import PlacedList, PlacedObject, Position
from openclaw_gateway.config.scan import Scanner


class Member(Struct, frozen=True):
    """One entry of an object or a list: offsets of its beginning (the key's, where there is one), and of
    its value's beginning and end."""

    key: str | int
    at: int
    value_at: int
    end: int


class Outline(Scanner):
    """Raises NotJson5, as scanning does."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "")
        self._ends: dict[int, int] = {}
        self.root = self.document()
        self._starts = sorted(self._ends)

    def value(self, depth: int) -> Any:
        self.peek()
        start = self.at
        found = super().value(depth)
        self._ends[start] = self.at
        return found

    def start(self, holder: PlacedObject | PlacedList) -> int:
        """The offset of its bracket."""
        return self._offset(holder.place)

    def end(self, holder: PlacedObject | PlacedList) -> int:
        """The offset behind its closing bracket."""
        return self._ends[self.start(holder)]

    def members(self, holder: PlacedObject | PlacedList) -> list[Member]:
        """In the order of the text; of a key that stands twice the one that counts."""
        places = holder.places.items() if isinstance(holder, PlacedObject) else enumerate(holder.places)
        found = []
        for key, place in places:
            at = self._offset(place)
            value_at = at
            if isinstance(holder, PlacedObject):
                value_at = self._starts[bisect.bisect_right(self._starts, at)]
            found.append(Member(key, at, value_at, self._ends[value_at]))
        return sorted(found, key=lambda member: member.at)

    def next(self, offset: int) -> int:
        """The offset of the first character from there that is neither white space nor a comment."""
        self.at = offset
        self.peek()
        return self.at

    def _offset(self, place: Position) -> int:
        return self.lines[place.line - 1] + place.column - 1
