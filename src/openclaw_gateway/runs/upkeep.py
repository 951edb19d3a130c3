"""Drops from the store what is not to be kept: at the start, and then every hour.

A task of its own; what it cannot do now it does the next time. Knows no sessions and no runs: what is in
use, the store knows. `retention` may change while it runs.
"""

import asyncio
from contextlib import suppress

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

_EVERY_S = 3600.0


class Upkeep:
    """`go_by` another retention at any time: it is carried out at once."""

    def __init__(self, store: Store, retention: Retention, *, every_s: float = _EVERY_S) -> None:
        self._store = store
        self._retention = retention
        self._every_s = every_s
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def go_by(self, retention: Retention) -> None:
        if retention != self._retention:
            self._retention = retention
            self._changed.set()

    def open(self) -> None:
        self._task = asyncio.create_task(self._go_on(), name="upkeep")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_on(self) -> None:
        while True:
            try:
                pruned = await self._store.prune(self._retention)
            except StoreError as error:
                log.warning("store.not_pruned", error=error.message)
            except (Exception, asyncio.CancelledError):
                if is_being_cancelled():
                    raise
                log.exception("store.not_pruned")
            else:
                if pruned != Pruned():
                    log.info(
                        "store.pruned",
                        sessions=pruned.sessions,
                        runs=pruned.runs,
                        results=pruned.results,
                        ledger=pruned.ledger,
                        responses=pruned.kept,
                    )
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._changed.wait()
            self._changed.clear()
