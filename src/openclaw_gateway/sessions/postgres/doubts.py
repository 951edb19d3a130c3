"""The runs of which nobody knows whether they were begun: the connection broke before the answer was there.

Whoever asked for one was refused. So that none of them holds its session or waits in it for good, those that
are there after all are ended as interrupted, as soon as the database answers again. What a network has held
back may come to the database later than that: each is asked for until nothing of it can be on its way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from openclaw_gateway.errors import StoreError

_FIRST_S = 0.5
_LONGEST_S = 5.0
# TCP sends again what was lost after two minutes at most.
_ON_ITS_WAY_S = 150.0
log = structlog.get_logger()


class Doubts:
    """`disown` ends those of these runs that are open; how many there were."""

    def __init__(self, disown: Callable[[list[str]], Awaitable[int]]) -> None:
        self._disown = disown
        # When each was asked for first, by the monotonic clock; None = not yet.
        self._runs: dict[str, float | None] = {}
        self._pause_s = _FIRST_S
        self._settling: asyncio.Task[None] | None = None

    def add(self, run_id: str) -> None:
        self._runs[run_id] = None
        # The newest is asked for soon.
        self._pause_s = _FIRST_S
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle(), name="store-doubts")

    def discard(self, run_id: str) -> bool:
        """Whether it was in doubt."""
        was = run_id in self._runs
        self._runs.pop(run_id, None)
        return was

    async def stop(self) -> None:
        """What is left is told of: the runs are this process's, so another one closes them."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.wait([self._settling])
        unasked = sum(asked_at is None for asked_at in self._runs.values())
        if unasked:
            log.warning("store.runs_in_doubt", runs=unasked)

    async def _settle(self) -> None:
        while self._runs:
            pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, _LONGEST_S)
            await asyncio.sleep(pause_s)
            in_doubt = sorted(self._runs)
            try:
                closed = await self._disown(in_doubt)
            except StoreError:
                continue
            self._asked(in_doubt)
            if closed:
                log.warning("store.runs_interrupted", runs=closed)

    def _asked(self, run_ids: list[str]) -> None:
        now = time.monotonic()
        for run_id in run_ids:
            if run_id not in self._runs:
                continue
            first = self._runs[run_id]
            if first is None:
                self._runs[run_id] = now
            elif now - first >= _ON_ITS_WAY_S:
                del self._runs[run_id]
