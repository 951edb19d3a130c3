"""One row for every run that was accepted, also without a session: what it was and cost, not what was said.

Listens to the hub. Rows are written together, soon after: nobody waits for them, and what a crash takes is
at most what was not yet written. A store that falters is asked again; beyond a bound the oldest rows are
lost, and that is said.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.hub import Hub, Listener
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.store import LedgerRow, Store
from openclaw_gateway.wire.run import RunResult

log = structlog.get_logger()

_EVERY_S = 1.0
_AT_ONCE = 256
_MOST = 20_000
_LAST_TRIES = 3


class Ledger:
    def __init__(self, store: Store, *, every_s: float = _EVERY_S) -> None:
        self._store = store
        self._every_s = every_s
        self._rows: deque[LedgerRow] = deque()
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._lost = 0
        self._task: asyncio.Task[None] | None = None
        self._leave: Callable[[], None] | None = None

    def open(self, hub: Hub) -> None:
        self._leave = hub.listen(Listener(ended=self._ended))
        self._task = asyncio.create_task(self._write(), name="ledger")

    async def close(self) -> None:
        """Write what is left, if the store takes it."""
        if self._leave is not None:
            self._leave()
        if self._task is not None:
            # Not cancelled: rows that are on their way would be written once more.
            self._closing.set()
            self._news.set()
            await self._task
        for _ in range(_LAST_TRIES):
            if await self._flush():
                return

    def note(self, row: LedgerRow) -> None:
        """Of what was asked of a model without a run."""
        self._rows.append(row)
        if len(self._rows) > _MOST:
            self._rows.popleft()
            self._lost += 1
        self._news.set()

    def _ended(self, run: Run) -> None:
        # Who executes a run writes down what it has cost; one that was answered with another nobody does.
        result = run.ended_here if run.is_mirrored else run.result
        if run.result is not None and run.result.taken_by:
            result = None if run.is_followed else run.result
        if result is not None and not run.refused:
            self.note(_row(run, result))

    async def _write(self) -> None:
        while not self._closing.is_set():
            await self._news.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._every_s)
            self._news.clear()
            if not await self._flush():
                self._news.set()

    async def _flush(self) -> bool:
        """Whether all of them are on disk."""
        while self._rows:
            rows = [self._rows.popleft() for _ in range(min(_AT_ONCE, len(self._rows)))]
            try:
                await self._store.record(rows)
            except StoreError as error:
                self._rows.extendleft(reversed(rows))
                log.warning("ledger.not_written", rows=len(self._rows), lost=self._lost, error=error.message)
                return False
        return True


def _row(run: Run, result: RunResult) -> LedgerRow:
    request, origin = run.request, run.request.origin
    return LedgerRow(
        run.id,
        origin.owner,
        request.agent_id,
        request.session_key,
        result.model,
        origin.door,
        result.status,
        run.created_ms,
        run.elapsed_ms(),
        result.usage.prompt_tokens,
        result.usage.completion_tokens,
        result.cost,
        error_code=None if result.error is None else result.error.code,
        parent=origin.parent,
        cached_tokens=result.usage.cached_tokens,
        cache_write_tokens=result.usage.cache_write_tokens,
        called=result.called,
    )
