"""An answer in Markdown as it streams, rendered for a terminal: headings, lists, quotes, code, tables. Pure.

Only what can no longer change is written, so that nothing is ever drawn twice and nothing flickers: a word
when it has ended, what is between marks when the second has come, a table when its last row has. Lines of an
answer stay lines. (Renderers for whole documents, rich's among them, would have to draw an answer again for
each of its words.)
"""

import re
from collections.abc import Callable

from openclaw_gateway.cli.chat.flow import Flow, Paint, Style
from openclaw_gateway.cli.chat.inline import settled
from openclaw_gateway.cli.chat.table import table

# What a line begins with as long as it may still become something else than text.
_UNDECIDED = re.compile(r" *(?:#{0,6}|[-*+_=> |`~ ]*|\d{1,9}[.)]?) ?")
_FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r" {0,3}#{1,6}\s+")
_BULLET = re.compile(r"( *)[-*+]\s+")
_NUMBER = re.compile(r"( *)(\d{1,9})([.)])\s+")
_QUOTE = re.compile(r" {0,3}> ?")
_RULE = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})")
_LONGEST_START = 80
# So many lines of a table are kept until it ends; what follows is text.
_MOST_ROWS = 500


class StreamedMarkdown:
    """`feed` it text that is harmless already; it and `end` return what is to be written next."""

    def __init__(self, width: Callable[[], int], paint: Paint) -> None:
        self._width = width
        self._paint = paint
        self._flow = Flow(width, paint)
        self._rest = ""  # of the line, what is not written yet
        self._begun = False  # whether the line is known to be text, and how it begins is written
        self._style: Style = "plain"
        self._before = ""
        self._fence = ""
        self._rows: list[str] = []

    def feed(self, text: str) -> str:
        out: list[str] = []
        first, *more = text.split("\n")
        self._rest += first
        for line in more:
            out.append(self._line())
            self._rest = line
        out.append(self._part())
        return "".join(out)

    def end(self) -> str:
        """The answer is over, or a tool comes between: the rest, on lines of its own."""
        out = self._line() if self._rest or self._begun else ""
        out += self._table()
        self._fence = ""
        return out

    def _line(self) -> str:
        """The line has ended."""
        if self._begun and self._fence:
            return self._code(ends=True)
        if not self._begun:
            special = self._whole_line(self._rest)
            if special is not None:
                self._rest = ""
                return special
            out = self._table() + self._begin()
        else:
            out = ""
        out += self._inline(whole=True) + self._flow.end()
        self._reset()
        return out

    def _part(self) -> str:
        """What of a line that goes on can be written."""
        if not self._begun and self._may_be_special(self._rest):
            return ""
        if self._fence:
            self._begun = True
            return self._code(ends=False)
        return ("" if self._begun else self._table() + self._begin()) + self._inline(whole=False)

    def _may_be_special(self, line: str) -> bool:
        """Whether the line has to be whole to be judged."""
        start = line.lstrip()
        if self._fence:
            return not start or start[0] in "`~"
        if start.startswith(("|", "```", "~~~")):
            return True
        return len(line) <= _LONGEST_START and _UNDECIDED.fullmatch(line) is not None

    def _whole_line(self, line: str) -> str | None:
        """A line that is known only when it is whole; None for text."""
        fence = _FENCE.fullmatch(line)
        if self._fence:
            if fence is not None and fence[2].startswith(self._fence) and not fence[3].strip():
                self._fence = ""
                return self._paint(line.strip(), "dim") + "\n"
            return (self._paint(line, "code") if line else "") + "\n"
        if line.lstrip().startswith("|") and len(self._rows) < _MOST_ROWS:
            self._rows.append(line)
            return ""
        if fence is not None and "`" not in fence[3]:
            self._fence = fence[2]
            return self._table() + self._paint(line.strip(), "dim") + "\n"
        if _RULE.fullmatch(line):
            return self._table() + self._paint("-" * min(self._width(), 40), "dim") + "\n"
        return None

    def _begin(self) -> str:
        """How a line of text begins."""
        self._begun = True
        line, self._style, self._before = self._rest, "plain", ""
        heading, bullet, number = _HEADING.match(line), _BULLET.match(line), _NUMBER.match(line)
        if heading is not None:
            self._rest = line[heading.end() :]
            self._style = "heading"
            return self._flow.begin("", 0)
        if bullet is not None:
            self._rest = line[bullet.end() :]
            return self._flow.begin(f"{bullet[1]}• ", len(bullet[1]) + 2)
        if number is not None:
            marker = f"{number[1]}{number[2]}{number[3]} "
            self._rest = line[number.end() :]
            return self._flow.begin(marker, len(marker))
        quote = _QUOTE.match(line)
        if quote is not None:
            self._rest = line[quote.end() :]
            self._style = "italic"
            return self._flow.begin("│ ", 2, "dim")
        indent = len(line) - len(line.lstrip(" "))
        self._rest = line[indent:]
        return self._flow.begin(" " * indent, indent)

    def _inline(self, *, whole: bool) -> str:
        pieces, taken = settled(self._rest, self._style, whole=whole, before=self._before)
        if taken:
            self._before = self._rest[taken - 1]
        self._rest = self._rest[taken:]
        return "".join(self._flow.put(text, style) for text, style in pieces)

    def _code(self, *, ends: bool) -> str:
        """As it is: it may be copied, so that no line is broken here."""
        out = self._paint(self._rest, "code") if self._rest else ""
        self._rest = ""
        if ends:
            self._reset()
            out += "\n"
        return out

    def _table(self) -> str:
        """The rows that were kept, as a table or, if they are none, as they are."""
        rows, self._rows = self._rows, []
        return table(rows, self._width(), self._paint) if rows else ""

    def _reset(self) -> None:
        self._rest, self._begun, self._style, self._before = "", False, "plain", ""
