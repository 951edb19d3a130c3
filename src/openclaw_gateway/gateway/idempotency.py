"""A client's own name for a request: a repeat gets the first answer, and nothing is done twice.

Names are an owner's, the same by every door. While a run goes on, and for a while after, it is found here;
then the store has its answer. The same name for another request is refused. A run that left nothing behind
(it failed, or nobody wanted its answer any more) frees its name: the repeat is a new run.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from msgspec import UNSET

from openclaw_gateway.errors import EventsGone, GatewayError, IdempotencyMismatch, SessionBusy
from openclaw_gateway.runs.arrival import Repeated
from openclaw_gateway.runs.live import RETAINED_S, LiveRuns
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.replayed import ReplayedRun
from openclaw_gateway.runs.run import CLIENT_LEFT, Run, now_ms
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.store import RunRecord, Store
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.run import Idempotency, KeptResult, Origin, RunRequest

_result = msgspec.json.Decoder(KeptResult)


# A run of this owner that another process executes, by its id.
Follow = Callable[[str, str], Awaitable[Run | None]]


class NamedRuns:
    """The runs of this process that were named, by (owner, key); `follow` finds those of others."""

    def __init__(self, live: LiveRuns, store: Store, bus: Bus, follow: Follow) -> None:
        self._follow = follow
        self._live = live
        self._store = store
        self._bus = bus
        self._runs: OrderedDict[tuple[str, str], Run] = OrderedDict()

    def find(self, owner: str, key: str) -> Run | None:
        """The newest run of that name, from the moment it was asked for."""
        run = self._runs.get((owner, key))
        return run if run is not None and self._is_known(run) else None

    async def start(self, request: RunRequest, named: Idempotency, plan: Plan) -> Run:
        """The run that answers the request; returns once it is accepted (on disk).

        Raises IdempotencyMismatch, SessionBusy (another process is at it), and what LiveRuns.launch and the
        acceptance raise. A caller that is cancelled meanwhile aborts the run, unless somebody else waits.
        """
        owner = request.origin.owner
        while (run := self.find(owner, named.key)) is not None and is_ending(run):
            await run.wait()
        if run is not None and not is_spent(run):
            _check(run.request.idempotency, named)
        else:
            run = self._live.launch(request, plan)
            self._remember(owner, named.key, run)
        try:
            await accepted(run)
        except Repeated as repeated:
            return await self._earlier(request, named, plan, repeated)
        return await with_events(run, self._bus)

    async def _earlier(self, request: RunRequest, named: Idempotency, plan: Plan, repeated: Repeated) -> Run:
        record = repeated.run
        _check(Idempotency(named.key, record.digest or b""), named)
        if record.ended_ms is None and (run := await self._follow(record.owner, record.id)) is not None:
            self._remember(record.owner, named.key, run)
            await accepted(run)
            return run
        kept = await self._store.result(record.owner, record.id)
        if kept is None:
            raise SessionBusy(
                "A request with this idempotency key is being answered. Send it again in a moment.",
                code="idempotency_key_in_use",
                retry_after=1.0,
            )
        return ReplayedRun(request, plan, self._bus, record, kept_answer(kept))

    async def told_again(
        self,
        owner: str,
        run_id: str,
        plans: Mapping[str, Plan],
        told: Callable[[str], Awaitable[Sequence[Event] | None]],
    ) -> Run | None:
        """A named run that has ended, and of which nothing is in memory; `told` gives what it said, where
        that is known elsewhere. Raises StoreError."""
        record = await self._store.get_run(owner, run_id)
        if record is None or record.digest is None or record.ended_ms is None:
            return None
        plan = plans.get(record.agent)
        kept = await self._store.result(owner, run_id)
        if plan is None or (kept is None and record.error is None):
            return None
        result = KeptResult(record.status, error=record.error) if kept is None else kept_answer(kept)
        detached = None if result.detached is UNSET else result.detached
        request = RunRequest(
            Origin(owner, "http", "conversation"), record.agent, (), record.session, detached=detached
        )
        is_fresh = now_ms() - record.ended_ms < RETAINED_S * 1000
        said = await told(run_id) if is_fresh else None
        return ReplayedRun(request, plan, self._bus, record, result, told=said)

    def _remember(self, owner: str, key: str, run: Run) -> None:
        self._runs[owner, key] = run
        self._runs.move_to_end((owner, key))
        while self._runs:
            oldest, earlier = next(iter(self._runs.items()))
            if self._is_known(earlier):
                return
            del self._runs[oldest]

    def _is_known(self, run: Run) -> bool:
        return self._live.find(run.id) is run


async def accepted(run: Run) -> None:
    """Returns once it is. Raises what its acceptance raises; who is cancelled meanwhile may come back, and is
    waited for, where nobody else waits."""
    run.join()
    reason: str | None = CLIENT_LEFT
    try:
        await asyncio.shield(run.accepted)
        reason = None
    except GatewayError:
        reason = None
        raise
    finally:
        run.leave(reason, returns=True)


async def with_events(run: Run, bus: Bus) -> Run:
    """The run itself; where it has ended and its events are gone, one that tells its answer."""
    if run.result is None or await has_beginning(run):
        return run
    request, origin = run.request, run.request.origin
    record = RunRecord(
        run.id, origin.owner, request.session_key, request.agent_id, run.result.status, run.created_ms
    )
    return ReplayedRun(request, run.plan, bus, record, run.result)


async def has_beginning(run: Run) -> bool:
    """Whether its events can be told from the first on."""
    log = run.events()
    try:
        await log.batch(0)
    except EventsGone:
        return False
    finally:
        log.close()
    return True


def kept_answer(body: bytes) -> KeptResult:
    return _result.decode(body)


def is_ending(run: Run) -> bool:
    """Whether it has been told to stop, and has not stopped yet."""
    return run.abort_reason is not None and run.result is None


def is_spent(run: Run) -> bool:
    """Whether it has left nothing for who repeats its request."""
    return run.refused or (run.result is not None and not run.keeps_answer)


def may_go_on(run: Run) -> bool:
    """Whether the end that one has here may be none, or not its own: another process may be at it still."""
    return is_spent(run) and (run.is_mirrored or run.is_elsewhere)


def _check(first: Idempotency | None, named: Idempotency) -> None:
    if first is None or first.digest != named.digest:
        raise IdempotencyMismatch(
            "This idempotency key was used for another request. Send that one again, or use a new key.",
            param="Idempotency-Key",
        )
