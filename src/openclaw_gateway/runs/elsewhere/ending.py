"""Runs that another process of the same gateway executes: waited for and stopped.

The store knows that such a run is open; its events come over the bus, which may lose them, so the store
is looked at from time to time as well. Knows no live run of this process.
"""

import asyncio
from collections.abc import Collection

from msgspec import Struct

from openclaw_gateway.runs.interrupting import ask_to_end
from openclaw_gateway.sessions.bus import Bus, Subscription
from openclaw_gateway.sessions.store import RunRecord, Store
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted
from openclaw_gateway.wire.run import RunStatus


class Ending(Struct, frozen=True):
    """How a run ended. Times are Unix milliseconds; `started_ms` is when it came, where nobody says when its
    turn was."""

    status: RunStatus
    ended_ms: int
    started_ms: int
    error: ErrorInfo | None = None


class Elsewhere:
    """`look_every_s` is how often the store is asked while the bus says nothing of an end."""

    def __init__(self, store: Store, bus: Bus, *, look_every_s: float = 1.0) -> None:
        self._store = store
        self._bus = bus
        self._look_every_s = look_every_s

    async def ending(self, name: str, owner: str) -> Ending | None:
        """Wait until the run of this idempotency key or id has ended. None when the store knows no such run
        of this owner.

        Raises StoreError.
        """
        record = await self._record(name, owner)
        if record is None:
            return None
        events = self._bus.subscribe(record.id)
        try:
            return await self._followed(record.id, owner, events)
        finally:
            events.close()

    async def abort(self, name: str, owner: str) -> bool:
        """Ask its holder to stop it: durably by the store, at once by the bus. False when it is not open.

        Raises StoreError.
        """
        record = await self._record(name, owner)
        if record is None or record.ended_ms is not None:
            return False
        return await self._ask(record.id, owner)

    async def abort_session(self, session: str, owner: str, *, but: Collection[str] = ()) -> tuple[str, ...]:
        """Ask for the end of the run that holds a session and of those that wait for it, but for those in
        `but`; the ids of those that were open.

        Raises StoreError.
        """
        found = [run_id for run_id in await self._store.open_runs(owner, session) if run_id not in but]
        # The last first: none that is to end has its turn because another has ended.
        asked = [run_id for run_id in reversed(found) if await self._ask(run_id, owner)]
        return tuple(reversed(asked))

    async def _ask(self, run_id: str, owner: str) -> bool:
        return await ask_to_end(self._store, self._bus, owner, run_id)

    async def _followed(self, run_id: str, owner: str, events: Subscription) -> Ending | None:
        loop = asyncio.get_running_loop()
        started_ms = 0
        while True:
            record = await self._record(run_id, owner)
            if record is None:
                return None
            started_ms = started_ms or record.created_ms
            if record.ended_ms is not None:
                for event in await _batch(events, 0):
                    if isinstance(event, RunStarted):
                        started_ms = event.at_ms
                return Ending(record.status, record.ended_ms, started_ms, record.error)
            look_at = loop.time() + self._look_every_s
            while (left := look_at - loop.time()) > 0:
                for event in await _batch(events, left):
                    if isinstance(event, RunStarted):
                        started_ms = event.at_ms
                    elif isinstance(event, RunEnded):
                        return Ending(event.result.status, event.at_ms, started_ms, event.result.error)

    async def _record(self, name: str, owner: str) -> RunRecord | None:
        return await self._store.run_by_key(owner, name) or await self._store.get_run(owner, name)


async def _batch(events: Subscription, seconds: float) -> tuple[Event, ...]:
    """What the bus brings within the time; nothing, after it, when it has lost the log."""
    try:
        return tuple(await events.batch(seconds))
    except LookupError:
        await asyncio.sleep(seconds)
        return ()
