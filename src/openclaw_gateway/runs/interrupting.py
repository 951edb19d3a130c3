"""A run is asked to end, whichever process has it; and a request that would not wait asks what came before it
in its session.

Only what its origin may end, as the store says of each. Knows no lane.
"""

from contextlib import closing

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.steering import may_end
from openclaw_gateway.runs.work import read
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.shared import WORK_TOPIC, SharedStore
from openclaw_gateway.sessions.store import Store

log = structlog.get_logger()

# How soon the store is asked again whether those have ended of which nobody tells.
_LOOK_EVERY_S = 0.3


async def ask_to_end(store: Store, bus: Bus, owner: str, run_id: str) -> bool:
    """Whether it was open. The wish first: a run that has been stopped by the signal has no place for it.
    Raises StoreError."""
    if not await store.request_abort(owner, run_id):
        return False
    bus.signal(run_id, "abort")
    return True


async def interrupt(store: SharedStore, bus: Bus, run: Run) -> frozenset[str]:
    """Ask those to end that came before this run, if it wants that; which. Where the store does not answer
    they go on, and the run waits for its turn."""
    origin, session = run.request.origin, run.request.session_key
    asked: set[str] = set()
    if session is None or run.request.queue != "interrupt":
        return frozenset()
    try:
        ids = await store.open_runs(origin.owner, session)
        # The last first: none that is to end has its turn because another has ended.
        for earlier in reversed(ids[: ids.index(run.id)] if run.id in ids else ids):
            body = await store.work(origin.owner, earlier)
            # Of one without it nobody knows who asked: then it is the operator's alone to end.
            theirs = None if body is None else read(body).request.origin
            may = origin.audience == "operator" if theirs is None else may_end(origin, theirs)
            if may and await ask_to_end(store, bus, origin.owner, earlier):
                asked.add(earlier)
    except StoreError as error:
        log.warning("lane.not_interrupted", run=run.id, error=error.message)
    bus.ring(WORK_TOPIC)
    return frozenset(asked)


async def made_room(store: SharedStore, bus: Bus, run: Run) -> bool:
    """The same in a line that is full, for one that does not want to stand in it; whether some have ended.

    Raises StoreError, and TimeoutError at the run's deadline or abort."""
    asked = await interrupt(store, bus, run)
    left = asked
    owner, session = run.request.origin.owner, run.request.session_key or ""
    with closing(bus.watch(WORK_TOPIC)) as watch:
        while left := left.intersection(await store.open_runs(owner, session)):
            with run.interruptible():
                await watch.ring(_LOOK_EVERY_S)
    return bool(asked)
