"""The text that a run has emitted, and where in its log it stands: how much of it a reader has is then a
matter of how far it has read.

Pure. Costs a list entry per delta; places are kept for stretches of deltas that follow each other.
"""

from bisect import bisect_left
from collections.abc import Sequence

from openclaw_gateway.wire.events import Event, TextDelta


class EmittedText:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        # Of each stretch: the index of its first delta in the log, and which of the pieces that is.
        self._places: list[int] = []
        self._firsts: list[int] = []
        self._next = -1

    def __str__(self) -> str:
        return "".join(self._pieces)

    def add(self, place: int, events: Sequence[Event]) -> None:
        """Note the text in `events`, the first of which has index `place` in the log."""
        for event in events:
            if type(event) is TextDelta:
                if place != self._next:
                    self._places.append(place)
                    self._firsts.append(len(self._pieces))
                self._pieces.append(event.text)
                self._next = place + 1
            place += 1

    def before(self, place: int) -> str:
        """The text of the events with an index smaller than `place`."""
        stretch = bisect_left(self._places, place) - 1
        if stretch < 0:
            return ""
        last = stretch == len(self._firsts) - 1
        end = len(self._pieces) if last else self._firsts[stretch + 1]
        return "".join(self._pieces[: min(end, self._firsts[stretch] + place - self._places[stretch])])
