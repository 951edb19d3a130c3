"""Finding a block of lines in a text's lines, in time that grows with their number and not its square. Pure.

Each line's places are looked up; only where the block's rarest line stands is the rest compared. Texts made
to defeat that (the same few lines over and over) run into the budget.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from openclaw_gateway.errors import ToolError

# What word processors and some models write for the plain signs.
_SIGNS = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " ")
    | {"\u2026": "..."}
)
MAX_COMPARISONS = 2_000_000


def plain_signs(line: str) -> str:
    """With plain quotes, dashes and blanks in place of typographic ones."""
    return line if line.isascii() else line.translate(_SIGNS)


class Budget:
    """How many comparisons of lines one call may make. `spend` raises ToolError beyond them."""

    def __init__(self, comparisons: int = MAX_COMPARISONS) -> None:
        self._left = comparisons

    def spend(self, comparisons: int) -> None:
        self._left -= comparisons
        if self._left < 0:
            raise ToolError(
                "Looking for the old lines takes too long: they are too much like the rest of the file. Take "
                "fewer lines at once, with one that stands nowhere else, or write the file anew."
            )


class LineSearch:
    """The lines of one text as `way` sees them: with it, white space at their ends need not count.

    `sought` are all lines of the blocks that will be looked for: only their places are remembered.
    """

    def __init__(self, lines: Sequence[str], way: Callable[[str], str], sought: Iterable[str]) -> None:
        self._way = way
        self._lines = [way(line) for line in lines]
        self._places: dict[str, list[int]] = {way(line): [] for line in sought}
        for number, line in enumerate(self._lines):
            if (places := self._places.get(line)) is not None:
                places.append(number)

    def find(self, block: Sequence[str], start: int, budget: Budget) -> int | None:
        """Where `block` stands first, at `start` or after it. Raises ToolError when the budget is spent."""
        wanted = [self._way(line) for line in block]
        places = [self._places[line] for line in wanted]
        budget.spend(len(wanted))
        rarest = min(range(len(wanted)), key=lambda at: len(places[at]))
        candidates = places[rarest]
        for place in candidates[bisect_left(candidates, start + rarest) :]:
            if self._stands(wanted, place - rarest, budget):
                return place - rarest
        return None

    def stands(self, block: Sequence[str], at: int, budget: Budget) -> bool:
        return self._stands([self._way(line) for line in block], at, budget)

    def _stands(self, wanted: list[str], at: int, budget: Budget) -> bool:
        if at < 0 or at + len(wanted) > len(self._lines):
            return False
        compared = 0
        same = True
        for line in wanted:
            compared += 1
            if line != self._lines[at + compared - 1]:
                same = False
                break
        budget.spend(compared)
        return same
