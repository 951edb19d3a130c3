"""How a run that another process executes is found, to be heard and waited for as if it were at work here.

Knows no client and no door.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from typing import NamedTuple

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.runs.elsewhere.news import ChildOpened, RunOpened
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.work import RunWork, read
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.shared import SharedStore
from openclaw_gateway.sessions.store import RunRecord
from openclaw_gateway.wire.events import Event, RunEnded, begins_anew
from openclaw_gateway.wire.run import RunRequest

# How long the bus has for a log that it keeps: on a machine that is busy it is late, and whoever has heard a
# part would be told that there is no more of it.
_REPLAY_S = 3.0
PlanOf = Callable[[RunRequest], Plan]


class Found(NamedTuple):
    record: RunRecord
    work: RunWork


class Following:
    """`plan_of` gives what a request would be executed with here; it may raise any GatewayError."""

    def __init__(self, store: SharedStore, bus: Bus, live: LiveRuns, plan_of: PlanOf) -> None:
        self._store = store
        self._bus = bus
        self._live = live
        self._plan_of = plan_of

    async def run(self, owner: str, run_id: str) -> Run | None:
        """None of one that is not open, or not this owner's. Raises StoreError, Overloaded, AgentUnavailable,
        InvalidRequest."""
        found = await self.found(owner, run_id)
        return None if found is None else self.follow(found)

    async def found(self, owner: str, run_id: str) -> Found | None:
        """The same before it is followed. Raises StoreError."""
        body = await self._store.work(owner, run_id)
        record = None if body is None else await self._store.get_run(owner, run_id)
        return None if body is None or record is None else Found(record, read(body))

    async def is_open(self, owner: str, run_id: str) -> bool:
        """Raises StoreError."""
        record = await self._store.get_run(owner, run_id)
        return record is not None and record.ended_ms is None

    async def past(self, opened: RunOpened) -> Found | None:
        """One that may have ended since. None also where an older release tells of it. Raises StoreError."""
        record = await self._store.get_run(opened.owner, opened.run_id) if opened.work else None
        return None if record is None else Found(record, read(opened.work))

    def child(self, opened: ChildOpened) -> Run | None:
        """One that another run has started. Raises as `run` does."""
        work = read(opened.work)
        agent_id = work.request.agent_id
        record = RunRecord(opened.run_id, opened.owner, opened.session, agent_id, "running", work.created_ms)
        run = self.follow(Found(record, work))
        if run is not None and run.is_followed:
            run.started_by, run.top = opened.started_by, opened.top
        return run

    def follow(self, found: Found) -> Run | None:
        """From its beginning, and be it that it is over. Raises as `run` does, but for StoreError."""
        record, work = found
        run = self._live.follow(record, work.request, self._plan_of(work.request))
        if run is not None and run.is_followed:
            run.asked = work.asked
        return run

    def stop(self, run_id: str) -> None:
        """Whoever executes it is asked to end it, and nobody else."""
        self._bus.signal(run_id, "abort")

    async def told(self, run_id: str) -> tuple[Event, ...] | None:
        """All that a run said that has ended, as long as the bus keeps it; None where it does not."""
        said: list[Event] = []
        with closing(self._bus.subscribe(run_id)) as events, suppress(EventsGone, TimeoutError):
            async with asyncio.timeout(_REPLAY_S):
                while not (said and isinstance(said[-1], RunEnded)):
                    batch = await events.batch()
                    if begins_anew(batch, len(said)):
                        said.clear()
                    said += batch
                return tuple(said)
        return None
