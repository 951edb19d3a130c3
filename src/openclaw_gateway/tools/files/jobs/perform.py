"""Where a job is done: on a thread when it is small, else in a child. Both are bounded, and so is waiting.

A child has the environment it needs and nobody's keys. When the call is cancelled or takes too long the child
is ended; a thread, which waits for a disk then, is left behind.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

import msgspec

from openclaw_gateway.children import marked
from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.files.jobs.doing import do
from openclaw_gateway.tools.files.jobs.orders import Job, Pages, Search, TooLarge, decode_outcome, encode
from openclaw_gateway.tools.files.ripgrep import Ripgrep
from openclaw_gateway.work.slots import Slots
from openclaw_gateway.work.threads import Threads

R = TypeVar("R")

_CHILD = "openclaw_gateway.tools.files.jobs"
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT")
_DEADLINE_S = 25.0
_GRACE_S = 1.0
_THREADS_OF_ONE = 4
_CHILDREN_OF_ONE = 2


class Crowded(ToolError):
    """Others were before it for too long; it was not begun."""


class TookTooLong(ToolError):
    """It was begun, and ended at the deadline."""


class Performer:
    """One per gateway: `environ` is what children may inherit from. A job is `of` a conversation, which waits
    in a line of its own."""

    def __init__(self, environ: Mapping[str, str], *, deadline_s: float = _DEADLINE_S) -> None:
        self._environ = {name: environ[name] for name in _KEPT if name in environ}
        self.ripgrep = Ripgrep(environ)
        self._deadline_s = deadline_s
        self._threads = Threads("tools", most=32, most_of_one=_THREADS_OF_ONE)
        self._children = Slots(max(4, 2 * (os.cpu_count() or 1)), _CHILDREN_OF_ONE)

    async def perform(self, job: Job, of: str) -> str:
        """What the model reads. Raises ToolError."""
        # What a regular expression, or a PDF, makes of the time is not to be seen from any size.
        if not isinstance(job, Search | Pages):
            with suppress(TooLarge):
                return await self.on_thread(lambda: do(job, small=True), of)
        return await self._in_child(job, of)

    def close(self) -> None:
        """No job is performed afterwards; what hangs is left behind."""
        self._threads.close()

    async def on_thread(self, work: Callable[[], R], of: str) -> R:
        """For what only waits for a disk. Raises what `work` raises, and ToolError at the deadline."""
        try:
            return await self._threads.run(of, work, deadline_s=self._deadline_s)
        except TimeoutError:
            raise ToolError(
                f"This did not end within {self._deadline_s:g} s: the file system does not answer, or other "
                "calls of this conversation are before it. Look whether it was done."
            ) from None

    async def _in_child(self, job: Job, of: str) -> str:
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._children.take(of)
        except TimeoutError:
            raise Crowded("Too many calls like this one are working already. Try again later.") from None
        try:
            if isinstance(job, Search):
                job = msgspec.structs.replace(job, ripgrep=await self.ripgrep.program())
            return await _child(job, self._environ, self._deadline_s)
        finally:
            self._children.give(of)


async def _child(job: Job, environ: Mapping[str, str], deadline_s: float) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env=marked(environ),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(deadline_s):
            out, _ = await process.communicate(encode(job))
    except TimeoutError:
        raise TookTooLong(
            f"This took longer than {deadline_s:g} s and was ended. Ask for less: a simpler pattern, "
            "fewer or smaller files."
        ) from None
    finally:
        if process.returncode is None:
            await asyncio.shield(_end(process))
    try:
        outcome = decode_outcome(out)
    except msgspec.DecodeError:
        raise ToolError("This ended without a result; ask for less, or for smaller files.") from None
    if outcome.error is not None:
        raise ToolError(outcome.error)
    return outcome.text


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                # Reads what is left in the pipe too: only then is the transport closed.
                await process.communicate()
                return
        process.kill()
    await process.communicate()
