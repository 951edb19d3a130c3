"""One program that runs: a session of its own, its output read as it comes, its end certain.

The rule: when the program has ended, by itself or not, nothing that it started is left; and so when the
gateway has ended, however it did. Knows no agent's permissions, and no tool.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.children import marked
from openclaw_gateway.tools.exec.commands.keeper import kept, kill_below, prepared
from openclaw_gateway.tools.exec.commands.output import Output
from openclaw_gateway.work.limits import ProcessLimits

_GRACE_S = 2.0
_LAST_WORDS_S = 1.0
# A program that prints without end gets a share of the loop, not all of it.
_BURST_BYTES = 256 * 1024
_BREATH_S = 0.02
_PIECE_BYTES = 64 * 1024


class Order(Struct, frozen=True):
    """What to run. `shown` is the command as the model wrote it; `stdin` keeps its input open.

    `conversation` is the one it belongs to, and ends with.
    """

    argv: tuple[str, ...]
    cwd: Path
    environ: Mapping[str, str]
    shown: str
    agent_id: str
    conversation: str
    timeout_s: float
    stdin: bool = False
    limits: ProcessLimits = ProcessLimits()


class CommandRefused(Exception):
    """A sentence for the model: why there is no such command, or can be no more."""


class Command:
    """Made by `launch`. `exit_code` is None while it runs; a signal's is 128 more, as shells write it."""

    def __init__(self, id_: str, order: Order, clock: Callable[[], float]) -> None:
        self.id = id_
        self.order = order
        self._now = clock
        self.started_at = clock()
        self.ended_at: float | None = None
        self.output = Output()
        self.exit_code: int | None = None
        self.timed_out = False
        self.killed = False
        self.ended = asyncio.Event()
        self.news = asyncio.Event()
        self.polled = 0
        self._process: asyncio.subprocess.Process | None = None
        self._attending: asyncio.Task[None] | None = None

    async def launch(self) -> None:
        """Raises OSError when the program cannot be started there."""
        order = self.order
        reading, writing = os.pipe()
        reader = OutputReader(self, reading)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *kept(order.argv),
                stdin=asyncio.subprocess.PIPE if order.stdin else asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                cwd=order.cwd,
                env=marked(order.environ),
                start_new_session=True,
                preexec_fn=prepared(order.limits),
            )
        except BaseException:
            reader.close()
            raise
        finally:
            os.close(writing)
        self._attending = asyncio.create_task(self._attend(self._process, reader), name=f"command {self.id}")

    async def kill(self) -> None:
        """End it and all it started; returns when it is over."""
        if not self.ended.is_set() and self._process is not None:
            self.killed = True
            await self._end_group(self._process)
        await self.ended.wait()

    async def write(self, text: str, *, eof: bool) -> None:
        """Waits, before it takes anything, while much of what was written is unread: no more than one text
        waits for a program that does not read. Raises OSError when its input is closed."""
        pipe = self._process.stdin if self._process else None
        if pipe is None or pipe.is_closing() or self.ended.is_set():
            raise BrokenPipeError
        await pipe.drain()
        pipe.write(text.encode(errors="replace"))
        if eof:
            pipe.close()

    async def _attend(self, process: asyncio.subprocess.Process, reader: "OutputReader") -> None:
        reader.open()
        try:
            async with asyncio.timeout(self.order.timeout_s):
                await process.wait()
        except TimeoutError:
            self.timed_out = True
            await self._end_group(process)
        code = await process.wait()
        # What it left running in the background would have nobody to answer to.
        _signal_group(process.pid, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await reader.closed.wait()
        reader.close()
        if process.stdin is not None:
            process.stdin.close()
        self.output.add(b"", final=True)
        self.exit_code = code
        self.ended_at = self._now()
        self.ended.set()
        self.news.set()

    async def _end_group(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await process.wait()
        if process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await kill_below(process.pid)
                    await process.wait()
        if process.returncode is None:
            _signal_group(process.pid, signal.SIGKILL)


class OutputReader:
    """The reading end of a program's output. Owns its descriptor and closes it exactly once: the loop's own
    pipe transports are not used, because uvloop's close the number they were given a second time, when it
    may already be somebody else's."""

    def __init__(self, command: Command, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.closed = asyncio.Event()
        self._command = command
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._taken = 0

    def open(self) -> None:
        if not self.closed.is_set():
            self._loop.add_reader(self._descriptor, self._ready)

    def close(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)

    def _ready(self) -> None:
        try:
            data = os.read(self._descriptor, _PIECE_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        self._command.output.add(data)
        self._command.news.set()
        self._taken += len(data)
        if self._taken > _BURST_BYTES:
            self._taken = 0
            self._loop.remove_reader(self._descriptor)
            self._loop.call_later(_BREATH_S, self.open)


def _signal_group(leader: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
