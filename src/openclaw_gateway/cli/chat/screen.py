"""Where a chat is shown: an answer as it comes, what goes on beside it, questions.

On a terminal all of it stands there, the answer rendered. Without one the answer goes to stdout as it is, and
what is beside it to stderr, without any code. What others wrote is made harmless here, whoever wrote it.
"""

import os
import sys
from collections.abc import Callable
from typing import IO

from openclaw_gateway.cli.chat.flow import Style
from openclaw_gateway.cli.chat.markdown import StreamedMarkdown
from openclaw_gateway.cli.harmless import printable

_USUAL_WIDTH = 80
_CODES: dict[Style, str] = {
    "bold": "1",
    "italic": "3",
    "both": "1;3",
    "struck": "9",
    "code": "36",
    "heading": "1;36",
    "dim": "2",
    "good": "32",
    "bad": "31",
    "link": "4",
}


class Screen:
    """`rendered`: Markdown is shown as what it means. `colored`: with styles. `worded` puts the commands in a
    sentence of ours as who chats types them."""

    def __init__(self, *, rendered: bool, colored: bool, worded: Callable[[str], str]) -> None:
        self.worded = worded
        self.rendered = rendered
        self._colored = colored
        self._out: IO[str] = sys.stdout
        self._beside: IO[str] = sys.stdout if rendered else sys.stderr
        self._seen = self._out.isatty()
        self._markdown = self._fresh()
        self._speaks = False  # in the middle of an answer
        self._open = False  # in the middle of a line
        self._thinks = False

    def paint(self, text: str, style: Style) -> str:
        code = _CODES.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if self._colored and code and text else text

    @property
    def width(self) -> int:
        """In cells; asked each time, because a window may be resized."""
        try:
            return os.get_terminal_size(self._out.fileno()).columns or _USUAL_WIDTH
        except (OSError, ValueError):
            return _USUAL_WIDTH

    def said(self, text: str) -> None:
        """Part of an answer."""
        self._end_thought()
        if self.rendered:
            self._speaks = True
            self._write(self._out, self._markdown.feed(printable(text)))
            return
        self._write(self._out, printable(text) if self._seen else text)
        self._open = not text.endswith("\n")
        self._speaks = True

    def thought(self, text: str) -> None:
        """Part of what the model thinks before it answers; only a person wants to see it."""
        if not self.rendered:
            return
        self.pause()
        self._thinks = True
        self._write(self._out, self.paint(printable(text), "dim"))

    def pause(self) -> None:
        """The answer ends, or something comes between: what follows is on a line of its own."""
        if self._speaks and self.rendered:
            self._write(self._out, self._markdown.end())
            self._markdown = self._fresh()
        elif self._speaks and self._open:
            self._write(self._out, "\n")
        self._speaks = self._open = False

    def beside(self, text: str, style: Style = "dim") -> None:
        """A line that is no answer."""
        self._end_thought()
        self.pause()
        lines = printable(text).split("\n")
        self._write(self._beside, "".join(f"{self.paint(line, style)}\n" for line in lines))

    def begun(self, text: str) -> None:
        """A line that goes on, unless something comes between."""
        self._end_thought()
        self.pause()
        self._write(self._beside, self.paint(printable(text), "dim"))

    def went_on(self, text: str, style: Style = "dim") -> None:
        """The end of such a line."""
        self._write(self._beside, self.paint(printable(text), style) + "\n")

    def broken_off(self) -> None:
        """Such a line ends here."""
        self._write(self._beside, "\n")

    def line(self, text: str = "") -> None:
        """A line of what a command shows."""
        self._end_thought()
        self.pause()
        self._write(self._out, printable(text) + "\n")

    def fault(self, text: str) -> None:
        self._end_thought()
        self.pause()
        self._write(self._beside, self.paint(f"Error: {printable(text)}", "bad") + "\n")

    def _end_thought(self) -> None:
        if self._thinks:
            self._thinks = False
            self._write(self._out, "\n")

    def _fresh(self) -> StreamedMarkdown:
        return StreamedMarkdown(lambda: self.width, self.paint)

    def _write(self, stream: IO[str], text: str) -> None:
        if text:
            stream.write(text)
            stream.flush()
