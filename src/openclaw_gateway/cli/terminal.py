"""How text looks: labels and colours on a terminal, the same words plain when piped.

Decides nothing about what is said. Text that has to survive copy and paste goes through `verbatim` and is
never wrapped, coloured or framed.
"""

import sys
from collections.abc import Mapping
from typing import IO

import msgspec
from rich.console import Console
from rich.text import Text

from openclaw_gateway.cli.harmless import printable
from openclaw_gateway.cli.invocation import Invocation

_LABEL_WIDTH = 9


class Terminal:
    """Lines go to stdout unless said otherwise; every line is flushed."""

    def __init__(self, invocation: Invocation) -> None:
        self.worded = invocation.worded
        self._out = _console(sys.stdout, invocation)
        self._err = _console(sys.stderr, invocation)

    @property
    def errors_are_seen(self) -> bool:
        """Whether a person looks at stderr."""
        return self._err.is_terminal

    @property
    def answers_are_seen(self) -> bool:
        """Whether a person looks at stdout."""
        return self._out.is_terminal

    @property
    def width(self) -> int | None:
        """Columns of stdout; None where nobody looks at it."""
        return self._out.width if self._out.is_terminal else None

    def title(self, text: str) -> None:
        self._out.print(Text(printable(text), style="bold"))

    def row(self, label: str, value: str, *, aside: str = "") -> None:
        """`label  value  (aside)`, the labels of several rows below each other."""
        line = Text(f"  {label:<{_LABEL_WIDTH}} ", style="dim").append(printable(value), style="not dim")
        if aside:
            line.append(f"  ({printable(aside)})")
        self._out.print(line)

    def heading(self, text: str) -> None:
        self._out.print(Text(f"\n{printable(text)}", style="bold cyan"))

    def say(self, text: str = "") -> None:
        self._out.print(Text(printable(text)))

    def notice(self, text: str) -> None:
        """Something to know that is no error; on stderr, so that it is in nobody's way."""
        self._err.print(Text("note: ", style="yellow").append(printable(self.worded(text)), style="default"))

    def fault(self, text: str) -> None:
        """Something that is wrong; on stderr."""
        self._err.print(Text(printable(self.worded(text)), style="red"))

    @property
    def for_bars(self) -> Console:
        """Where something is drawn that is gone afterwards; on stderr."""
        return self._err

    def told(self, text: str) -> None:
        """How far something has come, a line for it; on stderr."""
        self._err.print(Text(printable(text), style="dim"))

    def aside(self, text: str) -> None:
        """Dim text on stderr, without an end of line."""
        self._err.print(Text(printable(text), style="dim italic"), end="")

    def verbatim(self, text: str) -> None:
        """Exactly this and an end of line."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def stream(self, text: str) -> None:
        """Part of an answer, at once. What could steer a terminal is taken out when it is one."""
        sys.stdout.write(printable(text) if self.answers_are_seen else text)
        sys.stdout.flush()

    def result(self, members: Mapping[str, object]) -> None:
        """What a command came to, for a program: one object; `ok` says whether it did what was asked."""
        self.json({"ok": True, **members})

    def json(self, value: object) -> None:
        """A value for a program, as it is."""
        self.verbatim(msgspec.json.encode(value).decode())


def _console(stream: IO[str], invocation: Invocation) -> Console:
    # Without a system of colours rich writes no codes; `no_color` alone leaves it bold, dim and italic.
    return Console(
        file=stream,
        color_system="auto" if invocation.shows_color() else None,
        soft_wrap=True,
        highlight=False,
        markup=False,
        emoji=False,
    )
