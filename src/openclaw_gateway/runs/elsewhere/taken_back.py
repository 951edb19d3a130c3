"""Runs that other processes shall not execute any more, because their clients are told so: ended for certain.

One that waits is taken out of its line, one at work is asked to end, by a wish that the store keeps. Where
the store does not answer, that is tried again until it does, for as long as this process lives; what is left
then is said. Knows no run of this process.
"""

import asyncio
from collections import OrderedDict
from typing import NamedTuple

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.shared import WORK_TOPIC, SharedStore
from openclaw_gateway.work.cancelling import is_being_cancelled

# What the store says of a run that is not to be withdrawn: it does not wait, or the one at work answers it.
WAITS_NO_MORE = frozenset({"run_not_open", "run_heard"})
log = structlog.get_logger()

# A statement may be carried out that long after the connection by which it came has broken.
COMES_WITHIN_S = 15.0
_FIRST_S = 0.2
_LONGEST_S = 2.0
_CLOSE_S = 2.0
# What a front gives away while the store is away is far less: each is refused within a second.
MOST = 10_000


class _Left(NamedTuple):
    """`until` (monotonic) it may still come to the store."""

    owner: str
    until: float
    is_asked: bool


class TakenBack:
    def __init__(self, store: SharedStore, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._left: OrderedDict[str, _Left] = OrderedDict()
        self._trying: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many are not ended for certain yet."""
        return len(self._left)

    async def end(self, owner: str, run_id: str, *, may_come: bool = False, is_asked: bool = False) -> None:
        """Tried once before this returns. One that `may_come` may not have reached the store yet. Where its
        end `is_asked` for, that is what its name stands for from then on; else its name is free."""
        until = asyncio.get_running_loop().time() + (COMES_WITHIN_S if may_come else 0.0)
        before = self._left.get(run_id)
        self._left[run_id] = _Left(owner, until, is_asked or (before is not None and before.is_asked))
        while len(self._left) > MOST:
            lost, _ = self._left.popitem(last=False)
            log.error("run.not_taken_back", run=lost)
        await self._try(run_id)
        if self._left and (self._trying is None or self._trying.done()):
            self._trying = asyncio.create_task(self._until_certain(), name="runs.taken_back")

    async def close(self) -> None:
        """Each is tried once more, if there is time."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._try_all()
        except TimeoutError:
            pass
        for run_id in self._left:
            log.warning("run.not_taken_back", run=run_id)
        self._left.clear()

    async def _until_certain(self) -> None:
        pause_s = _FIRST_S
        while self._left:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_S)
            try:
                await self._try_all()
            except (Exception, asyncio.CancelledError):
                if is_being_cancelled():
                    raise
                log.exception("run.not_taken_back")

    async def _try_all(self) -> None:
        for run_id in list(self._left):
            if not await self._try(run_id):
                return

    async def _try(self, run_id: str) -> bool:
        """Whether the store has answered."""
        left = self._left.get(run_id)
        try:
            is_certain = left is None or await self._is_ended(left, run_id)
        except StoreError as error:
            log.info("run.not_taken_back_yet", run=run_id, error=error.message)
            return False
        if left is None or is_certain or asyncio.get_running_loop().time() >= left.until:
            self._left.pop(run_id, None)
        return True

    async def _is_ended(self, left: _Left, run_id: str) -> bool:
        """Whether it has ended or will; not of one that the store does not know. Raises StoreError."""
        try:
            await self._store.withdraw(run_id, "aborted")
        except StoreError as error:
            if error.code not in WAITS_NO_MORE:
                raise
            # The wish first: a run that has been stopped by the signal has no place for it.
            if not await self._store.request_abort(left.owner, run_id, unasked=not left.is_asked):
                record = await self._store.get_run(left.owner, run_id)
                return record is not None and record.ended_ms is not None
            self._bus.signal(run_id, "abort" if left.is_asked else "leave")
        self._bus.ring(WORK_TOPIC)
        return True
