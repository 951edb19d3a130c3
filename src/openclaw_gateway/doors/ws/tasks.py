"""The tasks of one connection: started here, ended here."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine


class Tasks:
    """A task ends quietly when the client is gone; whoever reads the socket notices that by itself."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def run(
        self, work: Coroutine[object, object, None], name: str, ended: Callable[[], None] | None = None
    ) -> None:
        """`ended` is called once, whether or not the work had begun."""
        task = asyncio.create_task(_quietly(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before it began leaves its work unstarted.
        task.add_done_callback(lambda _: work.close())
        if ended is not None:
            task.add_done_callback(lambda _: ended())

    async def wait(self, seconds: float) -> None:
        """Until all have ended, at most that long."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)

    async def close(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _quietly(work: Coroutine[object, object, None]) -> None:
    with contextlib.suppress(ConnectionError):
        await work
