"""A thread that writes for others: what is put never blocks the caller, never raises, and may be lost.

One for each place that is written to, so that a terminal which takes no more lines holds up no file. What
does not fit in the queue, and what the place does not take, is counted; the count is told as soon as lines
can be written again. The thread is a daemon: a process ends without it. Knows nothing of log lines.
"""

import atexit
import os
import select
import threading
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

MAX_WAITING = 4096
LONGEST = 32 * 1024
CLOSE_S = 1.0
# Lines that come close together are written together: a busy gateway wakes the thread fifty times a second.
_GATHER_S = 0.02
_AT_ONCE = 256
_END = ord("\n")

Write = Callable[[memoryview], int]
"""Writes some of it and says how many bytes; may take for ever. Raises OSError when it cannot."""


class Writer:
    """`told`, if there is one, makes the line that says how many were lost. `release` is called by the
    thread when it has ended, or by `close` when there never was one."""

    def __init__(
        self, write: Write, *, is_terminal: bool = False, release: Callable[[], None] | None = None
    ) -> None:
        self.is_terminal = is_terminal
        self.told: Callable[[int], bytes] | None = None
        self._write = write
        self._release = release
        # Of all queues this one may be put to from a destructor, which may run in the middle of a put.
        self._queue: SimpleQueue[bytes | threading.Event | None] = SimpleQueue()
        self._hurry = threading.Event()
        self._ended = threading.Event()
        self._start = threading.RLock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lost = 0
        self._told_of = 0
        self._torn = False

    def put(self, line: bytes) -> None:
        """Have it written, with all that came before; from any thread."""
        if self._queue.qsize() >= MAX_WAITING or self._closed or not (self._thread or self._started()):
            self._lost += 1
            return
        self._queue.put(line if len(line) <= LONGEST else line[: LONGEST - 1] + b"\n")

    def lose(self) -> None:
        """Count a line that could not even be put."""
        self._lost += 1

    def flush(self, seconds: float) -> bool:
        """Wait until everything put so far was written or lost, at most so long; whether it was."""
        if self._thread is None:
            return True
        if self._closed:
            return self._ended.wait(seconds)
        reached = threading.Event()
        self._queue.put(reached)
        self._hurry.set()
        return reached.wait(seconds)

    def close(self, seconds: float = CLOSE_S) -> None:
        """Write what is there, at most so long. A thread that hangs is left behind with what it has."""
        if self._closed:
            return
        self._closed = True
        if self._thread is None:
            self._end()
            return
        self._queue.put(None)
        self._hurry.set()
        self._ended.wait(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> bool:
        """The first line starts the thread. False when the system gives no more threads."""
        with self._start:
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="log-writer", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def _work(self) -> None:
        try:
            while self._work_off():
                pass
        finally:
            self._end()

    def _work_off(self) -> bool:
        """One batch. False when there is nothing more to come."""
        items = [self._queue.get()]
        self._hurry.wait(_GATHER_S)
        self._hurry.clear()
        lines: list[bytes] = []
        while True:
            item = items.pop() if items else self._next()
            if isinstance(item, bytes):
                lines.append(item)
                if len(lines) < _AT_ONCE:
                    continue
            self._out(lines)
            if isinstance(item, bytes):
                return True
            if item is not None:
                item.set()
            return item is not None

    def _next(self) -> "bytes | threading.Event | None":
        try:
            return self._queue.get_nowait()
        except Empty:
            return _NOTHING

    def _out(self, lines: list[bytes]) -> None:
        if self._written(lines) and self._lost > self._told_of and self.told is not None:
            count = self._lost - self._told_of
            if self._written([self.told(count)], counted=False):
                self._told_of += count

    def _written(self, lines: list[bytes], *, counted: bool = True) -> bool:
        """Whether all of it was; of the rest, lines that are not whole are counted as lost."""
        pieces = [b"\n", *lines] if self._torn else lines
        data = memoryview(b"".join(pieces))
        done = 0
        try:
            while done < len(data):
                done += self._write(data[done:])
        except (OSError, ValueError):
            if counted:
                # The end of a line is its last byte, and the next line brings it where it is missing.
                ends = accumulate(map(len, pieces))
                self._lost += min(len(lines), sum(done < end - 1 for end in ends))
            if done:
                self._torn = data[done - 1] != _END
            return False
        self._torn = False
        return True

    def _end(self) -> None:
        self._ended.set()
        if self._release is not None:
            self._release()


# Stands for an empty queue where a flush or the end would.
_NOTHING = threading.Event()


def to_descriptor(descriptor: int) -> Write:
    """Writes past every buffer and lock of Python, which a thread that is left behind would keep locked."""

    def write(data: memoryview) -> int:
        while True:
            try:
                return os.write(descriptor, data)
            except BlockingIOError:
                # Whoever shares the terminal or pipe with us made it so. This thread may wait.
                poll = select.poll()
                poll.register(descriptor, select.POLLOUT)
                poll.poll()

    return write


@cache
def standard(descriptor: int) -> Writer:
    """The one writer of stdout (1) or stderr (2); what it has is written before the process ends."""
    writer = Writer(to_descriptor(descriptor), is_terminal=os.isatty(descriptor))
    atexit.register(writer.flush, CLOSE_S)
    return writer
