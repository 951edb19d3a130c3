"""This process as one of several: it beats, it takes up what nobody executes, and in the end it leaves.

While it cannot beat it executes on as long as its lease is certain to last, by its own monotonic clock, and
then stops what others may have begun anew. (Runs with a session have leases of their own: `runs/lanes`.)
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from openclaw_gateway.errors import GatewayError, StoreError
from openclaw_gateway.runs.elsewhere.following import PlanOf
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.run import LEASE_ENDS, TAKEN_OVER, Run
from openclaw_gateway.runs.work import RunWork, read
from openclaw_gateway.sessions.bus import Bus, Watch
from openclaw_gateway.sessions.shared import WORK_TOPIC, Replica, SharedStore, Work, certain_until
from openclaw_gateway.sessions.store import Ending
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.wire.run import RunRequest
from openclaw_gateway.work.cancelling import is_being_cancelled
from openclaw_gateway.work.lapse import Lapse

log = structlog.get_logger()

WITHOUT_BUS = (
    "Several processes share store.url and have no bus.url: none hears what the runs of another say, or "
    "stops them at once. Set bus.url for all of them."
)
DIFFERS = (
    "The process that took this request is configured otherwise than this one: give all of them the same "
    "configuration, or set store.config."
)
# Of what a process that has gone was at, nobody rings; and a ring may get lost.
_LOOK_EVERY_S = 0.3
_LOOK_SOON_S = 0.01
# The database counts whole milliseconds.
_AFTERWARDS_S = 0.002
_LEAVES_WITHIN_S = 5.0
# What is configured at one process is in force at all within two seconds; a front may be the first.
_CONFIGURED_WITHIN_S = 2.5
_CONFIGURED_AGAIN_S = 0.05


class Membership:
    """`replica` says what this process is now, `plan_of` what a request is executed with; one whose role is
    "front" takes nothing up."""

    def __init__(
        self,
        store: SharedStore,
        bus: Bus,
        live: LiveRuns,
        replica: Callable[[], Replica],
        plan_of: PlanOf,
        *,
        lease_s: float,
    ) -> None:
        self._store = store
        self._bus = bus
        self._live = live
        self._replica = replica
        self._plan_of = plan_of
        self._lease_s = lease_s
        self._until = 0.0
        self._has_warned = False
        # Rings when there may be something to take up; None = this process executes nothing.
        self._watch: Watch | None = None
        # When what a process that beats no more is at can be taken up, and whether to ask for that (again).
        self._falls: asyncio.TimerHandle | None = None
        self._is_to_ask = False
        # Runs that are this process's by the store, and that it could neither begin nor end.
        self._undone: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        # Runs that wait for what they are executed with to be configured here.
        self._early: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Raises StoreError."""
        if self._replica().role != "front":
            self._live.admission.room.freed = partial(self._bus.ring, WORK_TOPIC)
            self._watch = self._bus.watch(WORK_TOPIC)
            # What another was at may fall before the next beat.
            self._is_to_ask = True
        await self._beat()
        await self._look_around()
        self._tasks.append(asyncio.create_task(self._beating(), name="membership.beat"))
        if self._watch is not None:
            self._tasks.append(asyncio.create_task(self._taking_up(self._watch), name="membership.work"))

    async def close(self) -> None:
        tasks = (*self._tasks, *self._early)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._forget_the_late()
        if self._watch is not None:
            self._watch.close()
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_LEAVES_WITHIN_S):
                await self._store.leave()
        self._bus.ring(WORK_TOPIC)

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        if self._watch is not None:
            # Whatever becomes of the store: what is at work here takes its places.
            self._live.admission.beat(self._lease_s)
        while True:
            now = clock()
            await self._in_time(self._store.beat(self._replica(), lease_s=self._lease_s))
            # One that was paused before it heard the answer may count as gone again.
            if clock() < certain_until(now, self._lease_s):
                break
        if clock() >= self._until:
            await self._in_time(self._let_the_lost_go())
        self._until = certain_until(now, self._lease_s)

    async def _let_the_lost_go(self) -> None:
        """It lives again; but others may have taken up meanwhile what it was at. Raises StoreError."""
        own = {run.id: run for run in self._own()}
        if own:
            for run_id in await self._store.lost({run.id: run.token for run in own.values()}):
                # Its end may be on its way by now: then the store says of that whose it is.
                if not own[run_id].is_ending:
                    own[run_id].abort(TAKEN_OVER)

    async def _beating(self) -> None:
        every_s = self._lease_s / 3
        while True:
            await asyncio.sleep(every_s)
            try:
                await self._beat()
                self._ask()
                # The next beat waits for no answer that has nothing to do with it.
                with suppress(StoreError, TimeoutError):
                    async with asyncio.timeout(every_s):
                        await self._look_around()
            except (Exception, asyncio.CancelledError) as error:
                if is_being_cancelled():
                    raise
                if isinstance(error, StoreError):
                    log.warning("replica.not_beaten", error=error.message)
                else:
                    log.exception("replica.beat")
                # Whatever it was: who does not beat is taken for gone.
                if asyncio.get_running_loop().time() + every_s >= self._until:
                    self._stop()

    async def _in_time(self, asked: Awaitable[None]) -> None:
        """A store may take longer to say nothing than the lease lasts. Of one that has ended already, because
        this process was paused, it is asked first. Raises StoreError."""
        now = asyncio.get_running_loop().time()
        stops = Lapse(self._until if self._until > now else now + self._lease_s / 3, self._stop)
        try:
            await asked
        finally:
            stops.cancel()

    async def _look_around(self) -> None:
        """What the bus would know. Several processes without one find each other's runs, but do not hear
        them."""
        bus = self._bus.health()
        if bus.connected and (bus.kind != "local" or self._has_warned):
            return
        replicas = await self._store.replicas()
        self._live.admission.room.among(sum(replica.role != "front" for replica in replicas))
        if bus.kind == "local" and len(replicas) > 1 and not self._has_warned:
            self._has_warned = True
            log.warning("replicas.without_bus", replicas=len(replicas), detail=WITHOUT_BUS)

    async def _look_for_the_late(self, looked_at: float) -> None:
        """One that lives beats three times in a lease. What has fallen since this process `looked_at` what
        there is to take up may not have been seen."""
        loop = asyncio.get_running_loop()
        since_s = loop.time() - looked_at
        left_s = await self._store.work_in(within_s=self._lease_s / 2, since_s=since_s)
        self._forget_the_late()
        if left_s is not None:
            self._falls = loop.call_later(left_s + _AFTERWARDS_S, self._ask)

    def _ask(self) -> None:
        """Have it taken up, and find out when there will be more."""
        if self._watch is not None:
            self._is_to_ask = True
            self._watch.hear()

    def _forget_the_late(self) -> None:
        if self._falls is not None:
            self._falls.cancel()
        self._falls, self._is_to_ask = None, False

    async def _heed_wishes(self) -> None:
        """To end runs without a session: of any other the renewal of its claim tells. The bus may lose one,
        or be away."""
        bus = self._bus.health()
        is_told = bus.connected and bus.kind != "local"
        if self._own() and (self._is_to_ask or not is_told):
            for run_id, wish in await self._store.wishes():
                run = self._live.executed(run_id)
                if run is not None:
                    run.heed(wish)

    def _stop(self) -> None:
        """Nobody knows whether others have begun anew what is at work here."""
        for run in self._own():
            run.abort(LEASE_ENDS)

    def _own(self) -> list[Run]:
        """The runs that are this process's as long as it beats, and by nothing else; but for those that are
        over."""
        return [
            run
            for run in self._live.running()
            if run.request.session_key is None
            and (run.begun is not None or run.request.idempotency is not None)
            and not run.is_mirrored
            and not run.is_ending
        ]

    async def _taking_up(self, watch: Watch) -> None:
        clock = asyncio.get_running_loop().time
        wait_s = _LOOK_EVERY_S
        while True:
            try:
                looked_at = clock()
                await self._take_up()
                await self._heed_wishes()
                if self._is_to_ask:
                    await self._look_for_the_late(looked_at)
                    wait_s = _LOOK_SOON_S
                # Who asks something of a session locks it for a moment: what falls then is passed over.
                wait_s = min(2 * wait_s, _LOOK_EVERY_S)
                if wait_s < _LOOK_EVERY_S and not await self._store.has_work():
                    wait_s = _LOOK_EVERY_S
            except StoreError as error:
                wait_s = _LOOK_EVERY_S
                log.warning("work.not_taken_up", error=error.message)
            except (Exception, asyncio.CancelledError):
                if is_being_cancelled():
                    raise
                wait_s = _LOOK_EVERY_S
                log.exception("work.not_taken_up")
            await watch.ring(wait_s)

    async def _take_up(self) -> None:
        for run_id in list(self._undone):
            await self._store.hand_over(run_id)
            self._undone.discard(run_id)
        admission = self._live.admission
        while await admission.for_work(self._store.has_work):
            has_begun = False
            try:
                work = await self._store.take_up(lease_s=self._lease_s)
                if work is None:
                    return
                has_begun = await self._begin(work)
            finally:
                if not has_begun:
                    admission.room.give_back(unused=True)

    async def _has_let_go(self, run_id: str) -> bool:
        """Whether this process is not at this run any more, which it had lost."""
        before = self._live.find(run_id)
        if before is None or before.is_mirrored:
            # Who only follows it is told of this execution as of any other.
            return True
        before.abort(TAKEN_OVER)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._lease_s / 3):
                await self._live.gone(before)
                return True
        return False

    async def _begin(self, work: Work) -> bool:
        """Whether it has begun. Raises StoreError; then, as where this process is still at it, it is given up
        at the next look, for anybody: nobody takes up what one that lives has."""
        log.info("work.taken_up", run=work.run_id, session=work.session, attempt=work.attempt)
        self._undone.add(work.run_id)
        if not await self._has_let_go(work.run_id):
            log.error("work.still_at_work", run=work.run_id)
            return False
        has_begun = await self._executes_it(work)
        self._undone.discard(work.run_id)
        return has_begun

    async def _executes_it(self, work: Work) -> bool:
        """Whether it has begun, or waits here. Raises StoreError, of a run that cannot be executed here and
        whose end could not be recorded."""
        try:
            wanted = read(work.body)
        except StoreError as error:
            await self._fail(work, error)
            return False
        try:
            self._live.take_up(work, wanted, self._plan_of(wanted.request))
        except GatewayError:
            task = asyncio.create_task(self._begin_late(work, wanted), name=f"membership.early:{work.run_id}")
            self._early.add(task)
            task.add_done_callback(self._early.discard)
        return True

    async def _begin_late(self, work: Work, wanted: RunWork) -> None:
        """Once it is configured here what it is executed with: the agent, say. It has its place."""
        has_begun = False
        try:
            plan = await self._configured(wanted.request)
            self._live.take_up(work, wanted, plan)
            has_begun = True
        except GatewayError as error:
            log.warning(
                "work.refused",
                run=work.run_id,
                agent=wanted.request.agent_id,
                error=error.message,
                detail=DIFFERS,
            )
            try:
                await self._fail(work, error)
            except StoreError as trouble:
                self._undone.add(work.run_id)
                log.warning("work.not_ended", run=work.run_id, error=trouble.message)
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            # Nobody takes up what one that lives has.
            self._undone.add(work.run_id)
            log.exception("work.not_begun", run=work.run_id)
        finally:
            if not has_begun:
                self._live.admission.room.give_back(unused=True)

    async def _configured(self, request: RunRequest) -> Plan:
        """Raises what `plan_of` raises when the time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + min(_CONFIGURED_WITHIN_S, self._lease_s / 2)
        while True:
            try:
                return self._plan_of(request)
            except GatewayError:
                if loop.time() >= until:
                    raise
            await asyncio.sleep(_CONFIGURED_AGAIN_S)

    async def _fail(self, work: Work, error: GatewayError) -> None:
        """Raises StoreError."""
        ending = Ending("failed", error=error_info(error))
        if work.claimed is None:
            await self._store.conclude(work.run_id, ending, token=work.token)
        else:
            await self._store.finish(work.claimed.claim, ending)
