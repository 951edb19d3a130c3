"""A command in a terminal of its own: what it shows is read, what is typed it gets."""

import asyncio
import fcntl
import os
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.cli.conftest import DEADLINE_S, Program


class Screen:
    """Everything the command wrote so far is in `text`."""

    def __init__(self, terminal: int, process: asyncio.subprocess.Process) -> None:
        self._terminal = terminal
        self.process = process
        self.text = ""
        self._news = asyncio.Condition()
        self._at = 0
        self.reading: asyncio.Task[None] | None = None

    async def read(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._terminal, ready.set)
        try:
            while True:
                await ready.wait()
                ready.clear()
                try:
                    data = os.read(self._terminal, 65_536)
                except BlockingIOError:
                    continue
                except OSError:  # Linux says so when nobody has the other side any more
                    return
                if not data:
                    return
                async with self._news:
                    self.text += data.decode("utf-8", "replace")
                    self._news.notify_all()
        finally:
            loop.remove_reader(self._terminal)
            async with self._news:
                self._news.notify_all()

    async def answers(self, question: str, typed: str) -> None:
        """Wait for `question`, after the one before, and type the answer."""
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(
                lambda: question in self.text[self._at :] or self.process.returncode is not None
            )
        assert question in self.text[self._at :], self.text
        self._at = self.text.index(question, self._at) + len(question)
        os.write(self._terminal, f"{typed}\n".encode())

    def types(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    async def shows(self, text: str) -> str:
        """Wait until `text` has appeared, after what was waited for before; what appeared up to it."""
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(
                lambda: text in self.text[self._at :] or self.process.returncode is not None
            )
        assert text in self.text[self._at :], self.text
        before, self._at = self._at, self.text.index(text, self._at) + len(text)
        return self.text[before : self._at]

    async def says(self, text: str) -> None:
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(lambda: text in self.text or self.process.returncode is not None)
        assert text in self.text, self.text

    async def read_to_end(self) -> None:
        """What a command that has ended wrote last."""
        assert self.reading is not None
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.wait({self.reading})

    async def ends(self) -> int:
        async with asyncio.timeout(DEADLINE_S):
            return await self.process.wait()


@asynccontextmanager
async def in_a_terminal(
    program: Program, *words: str, columns: int = 80, **environ: str
) -> AsyncIterator[Screen]:
    terminal, inside = os.openpty()
    termios.tcsetwinsize(terminal, (24, columns))
    os.set_blocking(terminal, False)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "openclaw_gateway", *words),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**program.environ, "TERM": "dumb", **environ},
        cwd=program.home,
        start_new_session=True,
        # Its own, so that Ctrl-C typed there is a signal.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inside)
    screen = Screen(terminal, process)
    reading = screen.reading = asyncio.create_task(screen.read())
    try:
        yield screen
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        os.close(terminal)
