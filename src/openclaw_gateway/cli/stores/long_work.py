"""How far a long work has come: a bar on a terminal, one line for each part where nobody looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.terminal import Terminal


class Tell(Protocol):
    def __call__(self, step: str, part: str, done: int, of: int, /) -> None:
        """A step of the work has done so many things of a part."""


@contextmanager
def shown(invocation: Invocation, terminal: Terminal) -> Iterator[Tell]:
    """On stderr, in nobody's way."""
    if terminal.errors_are_seen and invocation.shows_color():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=terminal.for_bars, transient=True) as progress:
            task = progress.add_task("", total=None)

            def tell(step: str, part: str, done: int, of: int) -> None:
                progress.update(task, description=f"{step} {part}", completed=done, total=of)

            yield tell
        return
    said: set[tuple[str, str]] = set()

    def say(step: str, part: str, done: int, of: int) -> None:
        if done >= of and (step, part) not in said and not invocation.json:
            said.add((step, part))
            terminal.told(f"{step} {part}: {of:,}")

    yield say
