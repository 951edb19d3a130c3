"""Lines with editing, history and completion, on a terminal: prompt_toolkit's.

Imported by the chat alone, when it is on a terminal: the library takes a tenth of a second to import.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application.current import set_app
from prompt_toolkit.application.run_in_terminal import run_in_terminal
from prompt_toolkit.completion import Completer, NestedCompleter, PathCompleter
from prompt_toolkit.data_structures import Size
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.output.vt100 import Vt100_Output

_MOST_BYTES = 1_000_000


class LineEditor:
    """Enter sends, Alt-Enter begins another line, Ctrl-C gives up what was typed, twice or Ctrl-D ends."""

    edits = True

    def __init__(self, history: History, words: tuple[str, ...]) -> None:
        paths = PathCompleter(expanduser=True)
        options: dict[str, Completer | None] = {word: paths if word == "/attach" else None for word in words}
        # Without asking where the cursor is: a slow terminal's answer would be taken for what is typed.
        output = Vt100_Output(sys.stdout, _size, term=os.environ.get("TERM"), enable_cpr=False)
        self._lines: PromptSession[str] = PromptSession(
            history=history,
            completer=NestedCompleter(options),
            complete_while_typing=False,
            multiline=True,
            prompt_continuation=". ",
            reserve_space_for_menu=4,
            key_bindings=_keys(),
            output=output,
        )
        self._answers: PromptSession[str] = PromptSession(history=InMemoryHistory(), output=output)

    async def line(self, prompt: str) -> str | None:
        interrupted = False
        while True:
            try:
                return await self._lines.prompt_async(prompt, handle_sigint=False)
            except KeyboardInterrupt:
                if interrupted and not self._lines.default_buffer.text:
                    return None
                interrupted = True
            except EOFError:
                return None

    async def answer(self, prompt: str) -> str | None:
        try:
            return await self._answers.prompt_async(prompt, handle_sigint=False)
        except (EOFError, KeyboardInterrupt):
            return None

    async def above(self, write: Callable[[], None]) -> None:
        for app in (self._lines.app, self._answers.app):
            if app.is_running:
                with set_app(app):
                    await run_in_terminal(write)
                return
        write()


def _size() -> Size:
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    return Size(rows=rows or 24, columns=columns or 80)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def kept_history(path: Path) -> History:
    """What was typed before, in a file that nobody else can read; in memory only where it cannot be kept."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            size = os.fstat(descriptor).st_size
            if size > _MOST_BYTES:
                newest = os.pread(descriptor, _MOST_BYTES // 2, size - _MOST_BYTES // 2)
                os.ftruncate(descriptor, 0)
                # From the beginning of an entry on.
                os.write(descriptor, newest[newest.find(b"\n#") + 1 :])
        finally:
            os.close(descriptor)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
