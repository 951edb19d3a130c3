"""Words into lines of a terminal's width, as they come: what is written once is never written again. Pure.

Widths are in cells, so that wide characters (CJK, emoji) count two and combining ones none; between wide
characters a line may end anywhere.
"""

import re
from collections.abc import Callable
from typing import Literal

from rich.cells import cell_len, split_graphemes

Style = Literal["plain", "bold", "italic", "both", "struck", "code", "heading", "dim", "good", "bad", "link"]
Paint = Callable[[str, Style], str]
Piece = tuple[str, Style]

_PARTS = re.compile(r"\s+|\S+")
_NARROWEST = 8
# A word beyond this is written before its end.
_LONGEST = 400


class Flow:
    """`width` may change between lines. `column` is where the cursor is. A word is written once it is known
    to have ended: by white space, a wide character, or `end`."""

    def __init__(self, width: Callable[[], int], paint: Paint, *, narrowest: int = _NARROWEST) -> None:
        self._width = width
        self._paint = paint
        self._narrowest = narrowest
        self.column = 0
        self._indent = 0
        self._word: list[Piece] = []
        self._gap = 0

    def begin(self, marker: str, indent: int, style: Style = "plain") -> str:
        """At the beginning of a line: what stands before its text, which goes on below the text."""
        self._indent = min(indent, max(0, self._width() - self._narrowest))
        self.column = cell_len(marker)
        self._gap = 0
        return self._paint(marker, style) if marker.strip() else marker

    def put(self, text: str, style: Style) -> str:
        """What of it can be written now."""
        out: list[str] = []
        for part in _PARTS.findall(text):
            if part.isspace():
                out.append(self._written())
                self._gap = 1
            elif part.isascii():
                self._word.append((part, style))
                if sum(len(text) for text, _ in self._word) > _LONGEST:
                    out.append(self._written())
            else:
                self._put_wide(part, style, out)
        return "".join(out)

    def _put_wide(self, part: str, style: Style, out: list[str]) -> None:
        for start, end, cells in split_graphemes(part)[0]:
            char = part[start:end]
            if cells < 2:
                self._word.append((char, style))
                continue
            out.append(self._written())
            self._word.append((char, style))
            out.append(self._written())

    def end(self) -> str:
        """The rest of the line, and its end."""
        out = f"{self._written()}\n"
        self.column = self._gap = self._indent = 0
        return out

    def _written(self) -> str:
        """The word that is held, on this line or the next."""
        if not self._word:
            return ""
        width = max(self._width(), self._narrowest)
        cells = sum(cell_len(text) for text, _ in self._word)
        out: list[str] = []
        if self.column > self._indent and self.column + self._gap + cells > width:
            out.append(self._next_line())
        elif self._gap and self.column > self._indent:
            out.append(" ")
            self.column += 1
        if self.column + cells <= width:
            out += [self._paint(text, style) for text, style in self._word]
            self.column += cells
        else:
            out += [self._chopped(text, style, width) for text, style in self._word]
        self._word.clear()
        self._gap = 0
        return "".join(out)

    def _next_line(self) -> str:
        self.column = self._indent
        return "\n" + " " * self._indent

    def _chopped(self, text: str, style: Style, width: int) -> str:
        """A word that no line holds."""
        out: list[str] = []
        line: list[str] = []
        for start, end, cells in split_graphemes(text)[0]:
            if self.column + cells > width:
                out.append(self._paint("".join(line), style) if line else "")
                out.append(self._next_line())
                line = []
            line.append(text[start:end])
            self.column += cells
        out.append(self._paint("".join(line), style) if line else "")
        return "".join(out)
