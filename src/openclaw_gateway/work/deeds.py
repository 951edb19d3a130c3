"""What is carried through although whoever asked for it has left.

A change that is made is also told: whoever is let go in between must not leave it made and untold. So each is
a task of its own, which belongs to the room and not to the connection. Knows nothing of what it does.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import structlog

from openclaw_gateway.errors import Overloaded

R = TypeVar("R")
log = structlog.get_logger()

MOST = 1_000
_LAST_S = 10.0


class Deeds:
    """Use it inside one event loop, until it is closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def done(
        self, work: Coroutine[Any, Any, R], name: str, tell: Callable[[R], None] | None = None
    ) -> R:
        """What `work` returns. Raises what it raises, and Overloaded when too much is going on. Who is
        cancelled is let go; the work goes on to its end. `tell` is called once with what it returned: right
        before that is returned here, or where nobody waits, at the end of the work."""
        if len(self._tasks) >= MOST:
            work.close()
            raise Overloaded("Too many changes are being made at once. Try again in a moment.", retry_after=1)
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(partial(_left, tell))
            raise
        if tell is not None:
            tell(result)
        return result

    async def close(self) -> None:
        """What is going on has some seconds to end."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=_LAST_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _left(tell: Callable[[Any], None] | None, task: asyncio.Task[Any]) -> None:
    """It has ended, and nobody waits for it."""
    if task.cancelled():
        return
    if (error := task.exception()) is not None:
        log.warning("deed.failed", what=task.get_name(), error=str(error))
    elif tell is not None:
        tell(task.result())
