"""The claims that this process holds: renewed in time, or stopped before another may have them.

One heartbeat for all of them. It hears durable wishes to abort, and asks how the store is.
Knows nothing of lanes, models or turns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import structlog

from openclaw_gateway.errors import Fenced, StoreError
from openclaw_gateway.runs.run import LEASE_ENDS, TAKEN_OVER, Run
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.shared import certain_until
from openclaw_gateway.sessions.store import Claim, Claimed, Store
from openclaw_gateway.work.cancelling import is_being_cancelled
from openclaw_gateway.work.lapse import Lapse

log = structlog.get_logger()


class Leases:
    """`look_again_s` is how soon the store is asked where only it tells that a run is to stop; None: the bus
    tells of all. `is_shared`: a claim that has ended may be another process's. `after` is awaited in each
    round, beside the renewals."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        after: Callable[[], Awaitable[None]],
        *,
        lease_s: float,
        renew_every_s: float,
        look_again_s: float | None,
        is_shared: bool,
    ) -> None:
        self._store = store
        self._bus = bus
        self._after = after
        self._lease_s = lease_s
        self._renew_every_s = renew_every_s
        self._look_again_s = look_again_s
        self._is_shared = is_shared
        # run id -> the run, its claim, until when that lasts by the monotonic clock
        self._held: dict[str, tuple[Run, Claim, float]] = {}
        self._heartbeat: asyncio.Task[None] | None = None
        # Of claims that would not last until the next beat.
        self._early: set[asyncio.Task[None]] = set()
        self.clock = asyncio.get_running_loop().time

    def __iter__(self) -> Iterator[Run]:
        return (run for run, _, _ in self._held.values())

    def open(self) -> None:
        self._heartbeat = asyncio.create_task(self._beat(), name="lanes.heartbeat")

    async def close(self) -> dict[str, Claim]:
        """What was held to the end, by run."""
        tasks = [*self._early] if self._heartbeat is None else [self._heartbeat, *self._early]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        left = {run_id: claim for run_id, (_, claim, _) in self._held.items()}
        self._held.clear()
        return left

    def hold(self, run: Run, claimed: Claimed, asked_at: float) -> Claimed:
        """`asked_at` is when the store was asked for it, by `clock`: it may have been a while ago."""
        run.hold(claimed.claim.token)
        until = certain_until(asked_at, self._lease_s)
        self._held[run.id] = (run, claimed.claim, until)
        if until < self.clock() + self._renew_every_s:
            # The next beat may come when it is another's.
            task = asyncio.create_task(self._renew(run, claimed.claim, until), name=f"lanes.renew:{run.id}")
            self._early.add(task)
            task.add_done_callback(self._early.discard)
        return claimed

    def let_go(self, run_id: str) -> Claim | None:
        """Its claim, where it was held."""
        held = self._held.pop(run_id, None)
        return None if held is None else held[1]

    def claim(self, run_id: str) -> Claim | None:
        """What is held."""
        held = self._held.get(run_id)
        return None if held is None else held[1]

    async def _beat(self) -> None:
        beside: asyncio.Task[None] | None = None
        try:
            while True:
                await self._until_due()
                if beside is None or beside.done():
                    beside = asyncio.create_task(self._made(self._look), name="lanes.beside")
                await self._made(self._renew_all)
        finally:
            if beside is not None:
                beside.cancel()
                await asyncio.wait([beside])

    async def _made(self, part: Callable[[], Awaitable[None]]) -> None:
        """Whatever becomes of it, the heart beats on."""
        try:
            await part()
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            log.exception("lanes.heartbeat")

    async def _renew_all(self) -> None:
        await asyncio.gather(*(self._renew(*held) for held in list(self._held.values())))

    async def _look(self) -> None:
        """What may take long, so that no renewal waits for it."""
        # Nobody else may ask for long how the store is; it says in the log what is wrong.
        await self._store.health()
        await self._after()

    async def _until_due(self) -> None:
        """Until leases are to be renewed; sooner where only the store tells that a run is to stop."""
        clock = asyncio.get_running_loop().time
        due = clock() + self._renew_every_s
        soon = self._look_again_s
        while (left := due - clock()) > 0:
            await asyncio.sleep(left if soon is None else min(left, soon))
            if soon is not None and not self._is_told():
                return

    def _is_told(self) -> bool:
        """Whether the bus brings the wishes of other processes."""
        health = self._bus.health()
        return health.connected and health.kind != "local"

    async def _renew(self, run: Run, claim: Claim, until: float) -> None:
        now = asyncio.get_running_loop().time()
        # A store may say nothing for longer than the claim lasts. Where that has ended already, because this
        # process was paused, the store is asked first.
        stops = Lapse(until if until > now else now + self._renew_every_s, partial(self._lapse, run))
        try:
            wish = await self._store.renew(claim, lease_s=self._lease_s)
        except Fenced:
            run.abort(TAKEN_OVER)
        except (Exception, asyncio.CancelledError) as error:
            if is_being_cancelled():
                raise
            if isinstance(error, StoreError):
                log.warning("lease.renew_failed", run=run.id, error=error.message)
            else:
                log.exception("lease.renew_failed", run=run.id)
            if now + self._renew_every_s >= until:
                run.abort(LEASE_ENDS)
        else:
            if run.id in self._held:
                self._held[run.id] = (run, claim, certain_until(now, self._lease_s))
            if wish is not None:
                run.heed(wish)
        finally:
            stops.cancel()

    def _lapse(self, run: Run) -> None:
        """Nobody knows whether it is held still."""
        if self._is_shared and run.id in self._held:
            run.abort(LEASE_ENDS)
