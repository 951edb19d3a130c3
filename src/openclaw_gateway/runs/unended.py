"""Ends of runs that the store has not taken yet: told again at each heartbeat, and at the close.

A run that stays open would keep its session for ever, or its place in the line. Knows no run but by its id.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from openclaw_gateway.errors import Fenced, StoreError
from openclaw_gateway.sessions.store import Claim, Ending, Store
from openclaw_gateway.wire.run import RunStatus

log = structlog.get_logger()


class Unended:
    """`ring` is called with the run whose turn it is then, if there is one."""

    def __init__(self, store: Store, ring: Callable[[str | None], None]) -> None:
        self._store = store
        self._ring = ring
        self._leaving: dict[str, RunStatus] = {}
        self._unfinished: dict[str, Claim] = {}
        # With the token under which each was executed.
        self._unconcluded: dict[str, tuple[int, Ending]] = {}

    def keep(self, claims: Mapping[str, Claim]) -> None:
        """Their turns are lost, by the run; the lanes that they hold go on with the next `catch_up`."""
        self._unfinished |= claims

    async def withdraw(self, run_id: str, status: RunStatus) -> StoreError | None:
        """Give up a place in the queue, or nobody behind it would ever have a turn. What was refused: another
        process has it now, or what it waited for."""
        refused: StoreError | None = None
        try:
            self._ring((await self._store.withdraw(run_id, status)).next_run)
        except StoreError as error:
            if error.code != "run_not_open":
                log.warning("lane.not_left", run=run_id, error=error.message)
                self._leaving[run_id] = status
                return error if error.code == "run_heard" else None
            refused = error
        self._leaving.pop(run_id, None)
        return refused

    async def finish(self, run_id: str, claim: Claim) -> None:
        """The lane goes on even when its turn is lost. If the turn is there after all, it stays."""
        self._unfinished[run_id] = claim
        try:
            self._ring((await self._store.finish(claim, Ending("failed"))).next_run)
        except Fenced:
            pass
        except StoreError as error:
            log.warning("lane.not_left", run=run_id, error=error.message)
            return
        self._unfinished.pop(run_id, None)

    async def conclude(self, run_id: str, token: int, ending: Ending) -> bool:
        """The end of a run without a session; whether the store has taken it. Raises Fenced: who has it now,
        under a newer token, ends it himself."""
        end = self._unconcluded[run_id] = (token, ending)
        return await self._concluded(run_id, end)

    async def _concluded(self, run_id: str, end: tuple[int, Ending]) -> bool:
        """Raises Fenced."""
        token, ending = end
        try:
            await self._store.conclude(run_id, ending, token=token)
        except Fenced:
            self._is_told(run_id, end)
            raise
        except StoreError as error:
            if error.code != "run_not_open":
                log.warning("run.not_concluded", run=run_id, error=error.message)
                return False
        self._is_told(run_id, end)
        return True

    def _is_told(self, run_id: str, end: tuple[int, Ending]) -> None:
        """Another end of the same run, which this process has had again since, is still to be told."""
        if self._unconcluded.get(run_id) is end:
            del self._unconcluded[run_id]

    async def catch_up(self) -> None:
        for run_id, status in list(self._leaving.items()):
            await self.withdraw(run_id, status)
        for run_id, claim in list(self._unfinished.items()):
            await self.finish(run_id, claim)
        for run_id, end in list(self._unconcluded.items()):
            with suppress(Fenced):
                await self._concluded(run_id, end)
