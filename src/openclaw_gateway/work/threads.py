"""Functions that block, on threads that can be left behind.

A disk that does not answer holds its thread for ever: nobody can end a thread. So each is a daemon, the
process ends without it, and the one who asked is let go at the deadline; only the slot stays taken until the
function returns. Not for what computes long: that holds up the event loop from any thread (see children).
"""

import asyncio
import threading
import weakref
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from openclaw_gateway.work.slots import Slots

R = TypeVar("R")


class _Call(NamedTuple):
    loop: asyncio.AbstractEventLoop
    work: Callable[[], object]
    done: Callable[[Any, BaseException | None], None]


class Threads:
    """At most `most` threads, `most_of_one` of them for one name. Use it inside one event loop."""

    def __init__(self, name: str, *, most: int, most_of_one: int | None = None) -> None:
        self._name = name
        self._slots = Slots(most, most_of_one or most)
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._idle = 0
        self._threads = 0
        self._end = weakref.finalize(self, self._queue.put, None)

    async def run(self, of: str, work: Callable[[], R], *, deadline_s: float | None = None) -> R:
        """What `work` returns. Raises what it raises, and TimeoutError at the deadline, which begins now.

        Who is cancelled or too late is let go; the work goes on to its end.
        """
        async with asyncio.timeout(deadline_s):
            await self._slots.take(of)
            loop = asyncio.get_running_loop()
            future: asyncio.Future[R] = loop.create_future()
            try:
                self._ready()
            except RuntimeError:  # the machine has no more threads
                self._slots.give(of)
                raise
            self._queue.put(_Call(loop, work, partial(self._done, of, future)))
            try:
                return await future
            finally:
                # An error that it holds has this frame in its traceback: together they would keep all that
                # the callers hold, such as a whole body, until something collects.
                del future

    def close(self) -> None:
        """The idle threads end, and those that work when they have ended; nothing may be run afterwards."""
        self._end()

    def _ready(self) -> None:
        if self._idle:
            self._idle -= 1
            return
        self._threads += 1
        number = f"{self._name}-{self._threads}"
        threading.Thread(target=_serve, args=(self._queue,), name=number, daemon=True).start()

    def _done(self, of: str, future: "asyncio.Future[R]", value: R, error: BaseException | None) -> None:
        self._idle += 1
        self._slots.give(of)
        if future.done():
            return  # its caller was cancelled, or too late
        if isinstance(error, StopIteration):
            # No future takes one.
            error = RuntimeError("the work raised StopIteration")
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)


def _serve(queue: "SimpleQueue[_Call | None]") -> None:
    # It holds nothing of the object it works for, which may so be forgotten; the queue's end ends all.
    while (call := queue.get()) is not None:
        value: object = None
        error: BaseException | None = None
        try:
            value = call.work()
        except BaseException as raised:  # noqa: BLE001 - the thread's edge: the caller hears of it
            error = raised
        try:
            call.loop.call_soon_threadsafe(call.done, value, error)
        except RuntimeError:
            return  # the loop is closed: nobody listens
        del call, value, error
    queue.put(None)
