"""A task that is told to stop: whether that is meant for it, and a stretch of its way that others may end."""

import asyncio
from types import TracebackType


class Interruptible:
    """What asyncio.timeout is, at a third of its price, and in reach of whoever may end it. For one use: what
    is awaited inside ends with TimeoutError at `deadline` (on the loop's clock; None = there is none) or soon
    after `end_soon`, which may come before it begins and when it is over."""

    __slots__ = ("_deadline", "_has_ended", "_is_unwanted", "_loop", "_task", "_timer", "_was_cancelled")

    def __init__(self, loop: asyncio.AbstractEventLoop, deadline: float | None) -> None:
        self._loop = loop
        self._deadline = deadline
        self._is_unwanted = False
        self._has_ended = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.Handle | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be interrupted")
        self._task, self._was_cancelled = task, task.cancelling()
        if self._is_unwanted:
            self._timer = self._loop.call_soon(self._end, task)
        elif self._deadline is not None:
            self._timer = self._loop.call_at(self._deadline, self._end, task)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
        # A cancellation that somebody else asked for too goes on.
        if (
            self._has_ended
            and task is not None
            and task.uncancel() <= self._was_cancelled
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error

    def end_soon(self) -> None:
        self._is_unwanted = True
        if self._task is not None and not self._has_ended:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_soon(self._end, self._task)

    def _end(self, task: "asyncio.Task[object]") -> None:
        self._timer = None
        self._has_ended = True
        task.cancel()


def is_being_cancelled() -> bool:
    """Whether a CancelledError is meant for this task. One that is not has leaked out of somebody's code
    (a helper task, a library), and is a fault like any other."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
