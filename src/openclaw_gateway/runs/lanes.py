"""One session, one run at a time, in order of arrival.

A lane is the Store's queue of a session: entering it is `begin`, waiting is a doorbell with a slow look
as fall-back (a ring may be lost), leaving it is `finish` or `withdraw`, which name the run to ring
next. One heartbeat renews the leases of all runs of this process and hears durable wishes to abort.
Knows nothing of models or of what a turn holds.
"""

import asyncio

import structlog
from msgspec import Struct

from openclaw_gateway.errors import Fenced, InvalidRequest, StoreError
from openclaw_gateway.runs.run import BY_REQUEST, TAKEN_OVER, Run
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.store import Claim, Claimed, Duplicate, NewRun, Queued, Released, Store
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunResult, RunStatus

log = structlog.get_logger()

_REPEATS = 3


class Pace(Struct, frozen=True):
    """How long a claim lasts unrenewed, how often it is renewed, how often a waiting run looks again, and how
    soon a turn that could not be recorded is tried again."""

    lease_s: float = 15.0
    renew_every_s: float = 5.0
    look_again_s: float = 1.0
    repeat_s: float = 0.2


class Lanes:
    def __init__(self, store: Store, bus: Bus, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._store = store
        self._bus = bus
        self._held: dict[str, tuple[Run, Claim, float]] = {}
        self._leaving: dict[str, RunStatus] = {}
        self._heartbeat: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._heartbeat = asyncio.create_task(self._beat(), name="lanes.heartbeat")

    async def close(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            await asyncio.gather(self._heartbeat, return_exceptions=True)

    async def enter(self, run: Run, session: str) -> Claimed:
        """Durably enqueue the run, wait for its turn, return the claim and what was said before.

        Raises SessionBusy, Forbidden (another owner's session), StoreError, InvalidRequest (a used
        idempotency key); TimeoutError at the run's deadline or abort, after the run was taken out of
        the queue.
        """
        request = run.request
        new = NewRun(run.id, request.origin.owner, session, request.agent_id, request.idempotency_key)
        try:
            begun = await self._store.begin(new, lease_s=self._pace.lease_s)
        except StoreError as error:
            # It may have been carried out and only the answer been lost. A taken id is somebody else's run.
            if error.code != "run_id_taken":
                await self._withdraw(run.id, "failed")
            raise
        match begun:
            case Duplicate(run=earlier):
                raise InvalidRequest(
                    f"This idempotency key was already used by run {earlier.id}, which is "
                    f"{earlier.status}. Use a new key for a new message.",
                    code="duplicate_run",
                )
            case Queued():
                run.accept()
                return self._held_by(run, await self._wait_turn(run))
            case Claimed():
                run.accept()
                return self._held_by(run, begun)

    async def leave(self, run: Run, claim: Claim, turn: tuple[Message, ...], result: RunResult) -> None:
        """Commit the turn and pass the lane on. Raises StoreError when it could not be recorded."""
        try:
            released = await self._finished(claim, turn, result)
        finally:
            self._held.pop(run.id, None)
        self._ring(released)

    async def _finished(self, claim: Claim, turn: tuple[Message, ...], result: RunResult) -> Released:
        """What is said is lost if this fails, so a store that falters is asked again; the claim is still
        renewed meanwhile, and a repeat gets the first answer."""
        for _ in range(_REPEATS):
            try:
                return await self._store.finish(claim, turn, result.status, result.usage, result.error)
            except Fenced:
                raise
            except StoreError as error:
                log.warning("turn.not_recorded_yet", run=claim.run_id, error=error.message)
            await asyncio.sleep(self._pace.repeat_s)
        return await self._store.finish(claim, turn, result.status, result.usage, result.error)

    async def _wait_turn(self, run: Run) -> Claimed:
        watch = self._bus.watch(_turn_topic(run.id))
        try:
            while True:
                async with run.interruptible():
                    await watch.ring(self._pace.look_again_s)
                claimed = await self._store.claim(run.id, lease_s=self._pace.lease_s)
                if claimed is not None:
                    return claimed
        except (TimeoutError, StoreError):
            await self._withdraw(run.id, "aborted" if run.abort_reason else "failed")
            raise
        finally:
            watch.close()

    async def _withdraw(self, run_id: str, status: RunStatus) -> None:
        """Give up a place in the queue, or nobody behind it would ever have a turn."""
        try:
            self._ring(await self._store.withdraw(run_id, status))
        except StoreError as error:
            if error.code != "run_not_open":
                log.warning("lane.not_left", run=run_id, error=error.message)
                self._leaving[run_id] = status
                return
        self._leaving.pop(run_id, None)

    def _ring(self, released: Released) -> None:
        if released.next_run is not None:
            self._bus.ring(_turn_topic(released.next_run))

    def _held_by(self, run: Run, claimed: Claimed) -> Claimed:
        run.hold(claimed.claim.token)
        self._held[run.id] = (run, claimed.claim, asyncio.get_running_loop().time() + self._pace.lease_s)
        return claimed

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._pace.renew_every_s)
            try:
                await asyncio.gather(*(self._renew(*held) for held in list(self._held.values())))
                for run_id, status in list(self._leaving.items()):
                    await self._withdraw(run_id, status)
            except Exception:
                log.exception("lanes.heartbeat")

    async def _renew(self, run: Run, claim: Claim, until: float) -> None:
        now = asyncio.get_running_loop().time()
        try:
            wanted = await self._store.renew(claim, lease_s=self._pace.lease_s)
        except Fenced:
            run.abort(TAKEN_OVER)
        except StoreError as error:
            log.warning("lease.renew_failed", run=run.id, error=error.message)
            if now + self._pace.renew_every_s >= until:
                run.abort("the session's lease could not be renewed")
        else:
            if run.id in self._held:
                self._held[run.id] = (run, claim, now + self._pace.lease_s)
            if wanted:
                run.abort(BY_REQUEST)


def _turn_topic(run_id: str) -> str:
    return f"turn:{run_id}"
