"""What a person types: the shape of whoever asks for it, and lines as they come, without editing.

Knows nothing of what they mean.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol


class Keyboard(Protocol):
    """`edits`: what is typed is drawn by it, not by the terminal."""

    @property
    def edits(self) -> bool: ...

    async def line(self, prompt: str) -> str | None:
        """The next line (or more, where somebody pastes or goes on with Alt-Enter); None at the end."""

    async def answer(self, prompt: str) -> str | None:
        """One line that is not kept: the answer to a question. Cancelling takes the question away."""

    async def above(self, write: Callable[[], None]) -> None:
        """Write something while a line may be being typed."""


class PlainKeyboard:
    """Lines of stdin, read by a thread that nobody waits for: a terminal may never say another word.

    `prompts`: whether somebody sees what is asked.
    """

    edits = False

    def __init__(self, *, prompts: bool) -> None:
        self._prompts = prompts
        self._wanted: SimpleQueue[asyncio.Future[str | None]] = SimpleQueue()
        self._asked: asyncio.Future[str | None] | None = None
        self._thread: threading.Thread | None = None

    async def line(self, prompt: str) -> str | None:
        if self._prompts:
            sys.stderr.write(prompt)
            sys.stderr.flush()
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="chat.stdin", daemon=True)
            self._thread.start()
        # A question that was taken away has left one reading: its line is the next one.
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().create_future()
            self._wanted.put(self._asked)
        asked = self._asked
        line = await asyncio.shield(asked)
        self._asked = None
        return line

    async def answer(self, prompt: str) -> str | None:
        return await self.line(prompt)

    async def above(self, write: Callable[[], None]) -> None:
        write()

    def _read(self) -> None:
        while True:
            asked = self._wanted.get()
            data = sys.stdin.buffer.readline()
            line = data.decode("utf-8", "replace").rstrip("\r\n") if data else None
            try:
                asked.get_loop().call_soon_threadsafe(_settle, asked, line)
            except RuntimeError:  # the loop is closed: the chat is over
                return


def _settle(asked: "asyncio.Future[str | None]", line: str | None) -> None:
    if not asked.done():
        asked.set_result(line)
