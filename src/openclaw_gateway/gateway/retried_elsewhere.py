"""A request that its client sends again by itself, to another process than the first time.

What the store knows of runs is found by any process: of one that is at work its events, of one that has
ended its answer. Which run it is, is told on the bus, and may be lost: then the repeat is a new run, as is
one of a request that leaves nothing on disk.
"""

from hashlib import blake2b

from openclaw_gateway.gateway.idempotency import Follow, accepted, kept_answer
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.replayed import ReplayedRun
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.attempts import SharedAttempts
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.wire.run import RunRequest

# Whose it is, where it goes, and what it says.
Key = tuple[str, str, str | None, str | None, str, str, int, int]


class AttemptsElsewhere:
    """`follow` finds runs that are at work elsewhere."""

    def __init__(self, attempts: SharedAttempts, store: Store, follow: Follow) -> None:
        self._attempts = attempts
        self._store = store
        self._follow = follow

    def began(self, key: Key, run: Run) -> None:
        """One that leaves nothing on disk cannot be found by others."""
        if run.request.session_key is not None or run.is_mirrored:
            run.is_known_elsewhere = True
            self._attempts.began(digest(key), run.id)

    def ended(self, key: Key, run: Run, keep_s: float) -> None:
        if run.is_known_elsewhere:
            self._attempts.began(digest(key), run.id, keep_s)

    async def run(self, request: RunRequest, key: Key, plan: Plan, bus: Bus) -> Run | None:
        """The run of an earlier attempt. Raises what its acceptance raises, StoreError, Overloaded."""
        run_id = await self._attempts.begun(digest(key))
        if run_id is None:
            return None
        owner = request.origin.owner
        run = await self._follow(owner, run_id)
        if run is not None:
            await accepted(run)
            return run
        record = await self._store.get_run(owner, run_id)
        if record is None or record.ended_ms is None:
            return None
        kept = await self._store.result(owner, run_id)
        return None if kept is None else ReplayedRun(request, plan, bus, record, kept_answer(kept))


def digest(key: tuple[object, ...]) -> bytes:
    """By which an attempt is known to other processes: one that no other key has."""
    return blake2b(repr(key).encode(errors="backslashreplace"), digest_size=16).digest()
