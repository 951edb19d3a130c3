"""A thread for blocking work on files: calls go in from the event loop, results come back, in order.

It starts with the first call, and can be left behind: a disk that hangs holds up neither the loop nor the
end of the process. A caller that is cancelled while it waits loses the answer, not the work.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import NamedTuple, ParamSpec, TypeVar

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.sqlite.errors import translated

P = ParamSpec("P")
R = TypeVar("R")

_MAX_WAITING = 1_000


class _Call(NamedTuple):
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[object]"
    work: Callable[[], object]


class FileThread:
    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def submit(self, work: Callable[[], R]) -> "asyncio.Future[R]":
        """Raises StoreError when stopped, or when too much is waiting."""
        if self._stopped:
            raise StoreError("The session store is closed: the gateway is starting or stopping.")
        if self._queue.qsize() >= _MAX_WAITING:
            raise StoreError(
                "The session store has more files to write than it can: try again in a moment.",
                code="store_busy",
                retry_after=1.0,
            )
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._queue.put(_Call(loop, future, work))  # type: ignore[arg-type]  # Future is invariant
        return future

    async def stop(self, deadline_s: float) -> None:
        """Finish what was asked, end the thread; after the deadline it is left behind."""
        if self._thread is None or self._stopped:
            self._stopped = True
            return
        last = self.submit(lambda: None)
        self._stopped = True
        self._queue.put(None)
        try:
            async with asyncio.timeout(deadline_s):
                await last
        except TimeoutError:
            return
        self._thread.join()  # no wait: nothing is left to do
        self._thread = None

    def _run(self) -> None:
        while (call := self._queue.get()) is not None:
            value: object = None
            error: Exception | None = None
            try:
                value = call.work()
            except Exception as raised:  # noqa: BLE001 - the thread's edge: the caller hears of it
                error = translated(raised)
            try:
                call.loop.call_soon_threadsafe(_deliver, call.future, value, error)
            except RuntimeError:
                return  # the loop is closed: nobody listens


def _deliver(future: "asyncio.Future[object]", value: object, error: Exception | None) -> None:
    if future.done():
        return  # its caller was cancelled
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
