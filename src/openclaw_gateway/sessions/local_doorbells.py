"""Doorbells of one process: a ring is heard by whoever watches its topic, and kept once for who is busy.

A topic nobody watches costs nothing. Knows nothing of runs or events.
"""

import asyncio
from collections.abc import Callable

from openclaw_gateway.sessions.local_wait import settle, wait


class Doorbells:
    def __init__(self) -> None:
        self._watches: dict[str, list[LocalWatch]] = {}

    def ring(self, topic: str) -> None:
        watches = self._watches.get(topic)
        if watches is not None:
            for watch in watches:
                watch.hear()

    def watch(self, topic: str) -> "LocalWatch":
        watch = LocalWatch(topic, self._unwatch)
        self._watches.setdefault(topic, []).append(watch)
        return watch

    def stop(self) -> None:
        """Whoever waits hears False."""
        for watches in self._watches.values():
            for watch in watches:
                watch.stop()
        self._watches.clear()

    def _unwatch(self, watch: "LocalWatch") -> None:
        watches = self._watches.get(watch.topic)
        if watches is not None and watch in watches:
            watches.remove(watch)
            if not watches:
                del self._watches[watch.topic]


class LocalWatch:
    """One listener at one door bell; one task at a time may wait on it."""

    __slots__ = ("_left", "_rung", "_stopped", "_waiter", "topic")

    def __init__(self, topic: str, left: "Callable[[LocalWatch], None]") -> None:
        self.topic = topic
        self._left = left
        self._rung = False
        self._stopped = False
        self._waiter: asyncio.Future[bool] | None = None

    def hear(self) -> None:
        if self._waiter is None or not settle(self._waiter, result=True):
            self._rung = True

    def stop(self) -> None:
        self._stopped = True
        if self._waiter is not None:
            settle(self._waiter, result=False)

    async def ring(self, wait_s: float | None = None) -> bool:
        if self._rung:
            self._rung = False
            return True
        if self._stopped or (wait_s is not None and wait_s <= 0):
            return False
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        try:
            return await wait(loop, waiter, wait_s)
        except asyncio.CancelledError:
            # A ring that came in the same breath as the cancellation is kept for the next wait.
            if waiter.done() and not waiter.cancelled():
                self._rung = waiter.result()
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        self.stop()
        self._left(self)
