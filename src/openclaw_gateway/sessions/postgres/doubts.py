"""The runs of which nobody knows whether they were begun: the connection broke before the answer was there.

Whoever asked for one was refused. So that none of them holds its session or waits in it for good, those that
are there after all are ended as interrupted, as soon as the database answers again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from openclaw_gateway.errors import StoreError

_FIRST_S = 0.5
_LONGEST_S = 5.0
log = structlog.get_logger()


class Doubts:
    """`disown` ends those of these runs that are open; how many there were."""

    def __init__(self, disown: Callable[[list[str]], Awaitable[int]]) -> None:
        self._disown = disown
        self._run_ids: set[str] = set()
        self._settling: asyncio.Task[None] | None = None

    def add(self, run_id: str) -> None:
        self._run_ids.add(run_id)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle(), name="store-doubts")

    def discard(self, run_id: str) -> bool:
        """Whether it was in doubt."""
        was = run_id in self._run_ids
        self._run_ids.discard(run_id)
        return was

    async def stop(self) -> None:
        """What is left is told of: the runs are this process's, so another one closes them."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.wait([self._settling])
        if self._run_ids:
            log.warning("store.runs_in_doubt", runs=len(self._run_ids))

    async def _settle(self) -> None:
        pause_s = _FIRST_S
        while self._run_ids:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_S)
            in_doubt = sorted(self._run_ids)
            try:
                closed = await self._disown(in_doubt)
            except StoreError:
                continue
            self._run_ids.difference_update(in_doubt)
            if closed:
                log.warning("store.runs_interrupted", runs=closed)
