"""PostgresStore: the Store of several machines, one database for all of them.

Only hands acts to its pool of connections: runs and endings say what is done to runs, sessions what is done
to sessions, lookups what is asked. A rule of the protocol is kept by one statement or one transaction,
whoever else is at work.

A caller that is cancelled while it waits loses the answer, not the operation: whoever must know the outcome
of `begin`, `claim`, `finish` or `withdraw` shields the call and awaits it. A call that broke off in the
middle may be made again: `claim`, `finish`, `conclude` and `withdraw` give the first answer, and a run of
whose `begin` nobody heard the answer is ended.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from msgspec.structs import replace

from openclaw_gateway.errors import GatewayError, StoreError
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.large import is_large
from openclaw_gateway.sessions.postgres import (
    blobs,
    endings,
    kept,
    ledger,
    migration,
    pruning,
    runs,
    sessions,
)
from openclaw_gateway.sessions.postgres.arrivals import Arrivals
from openclaw_gateway.sessions.postgres.doubts import Doubts
from openclaw_gateway.sessions.postgres.errors import translated
from openclaw_gateway.sessions.postgres.lookups import Lookups
from openclaw_gateway.sessions.postgres.pool import ACQUIRE_S, SIZE, STATEMENT_S, Pool, may_have_been_done
from openclaw_gateway.sessions.postgres.rights import require_rights
from openclaw_gateway.sessions.postgres.sharing import Sharing
from openclaw_gateway.sessions.postgres.together import Together
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.sessions.store import (
    HEALTH_S,
    Begun,
    Claim,
    Claimed,
    Ending,
    LedgerRow,
    NewRun,
    Released,
    StoreHealth,
    Summary,
)
from openclaw_gateway.sessions.wanted import Given
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunStatus

# A run is recorded within this time, or refused.
BEGIN_S = 0.95
_CLOSE_DEADLINE_S = 20.0
# So long it may be silent, and how long one look waits then.
_BELIEVED_S = 2.0
_AT_ONCE_S = 0.5
# Whoever waits for nobody else may wait long for a connection.
_PRUNE_ACQUIRE_S = 10.0
log = structlog.get_logger()


class PostgresStore(Lookups, Sharing):
    """`url` as libpq has it: postgresql://user:password@host:port/database. Of one process, `size`
    connections at most, `warm` of them from the start. `clock` is for tests: Unix milliseconds instead of
    those of the database."""

    def __init__(
        self,
        url: str,
        *,
        max_queued: int = 64,
        size: int = SIZE,
        warm: int = 1,
        begin_s: float = BEGIN_S,
        statement_s: float = STATEMENT_S,
        clock: Callable[[], int] | None = None,
    ) -> None:
        pool = Pool(url, size=size, statement_s=statement_s)
        Lookups.__init__(self, pool)
        Sharing.__init__(self, pool, clock)
        self._max_queued = max_queued
        self._warm = warm
        self._begin_s = begin_s
        self._arrivals = Arrivals()
        self._beginning = Together(self._begin_one, self._begin_all, _begins_at)
        self._finishing = Together(self._finish_one, self._finish_all, _ends_at)
        self._doubts = Doubts(self._disown)
        self._claims_in_doubt: set[str] = set()
        self._look: asyncio.Task[StoreHealth] | None = None
        self._well_at = float("-inf")
        self._schema = 0

    def go_by(self, *, max_queued: int) -> None:
        """For the runs that come from now on."""
        self._max_queued = max_queued

    async def open(self) -> None:
        """Of runs that are open, those of processes that have gone and that nobody may execute are closed as
        "interrupted"; those of living ones are theirs."""
        await self._pool.open()
        try:
            await self._pool.submit(migration.migrate)
            await self._pool.submit(migration.require_whole)
            await self._pool.submit(require_rights)
            closed = await self._pool.submit(endings.close_nobodys, self._who)
            self._pool.warm(self._warm)
        except BaseException:
            await self._pool.close(_CLOSE_DEADLINE_S)
            raise
        if closed:
            log.warning("store.runs_interrupted", runs=closed)

    async def close(self) -> None:
        """Of the runs that are open, those of this process are closed. Safe to repeat."""
        if not self._pool.is_open:
            return
        await self._doubts.stop()
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait({self._look})
        try:
            await self._pool.settled(_CLOSE_DEADLINE_S)
            # Where it has left, what came to it since is anybody's, too.
            await (self.leave() if self._has_left else self._pool.submit(endings.close_own, self._who))
        except StoreError as error:
            # They are nobody's as soon as this process counts as gone: another one closes them.
            log.warning("store.runs_left_open", error=error.message)
        await self._pool.close(_CLOSE_DEADLINE_S)

    async def health(self) -> StoreHealth:
        """Reads; writes only when a write was refused, to see whether that is over. One that answered a
        moment ago is well also while it does not answer at once: all processes of a gateway have the one
        database, and shall not all leave their proxy because it is busy for a second."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._looked(), name="store.health")
        look, was_well = self._look, time.monotonic() - self._well_at < _BELIEVED_S
        await asyncio.wait({look}, timeout=_AT_ONCE_S if was_well else None)
        if look.cancelled():
            return StoreHealth(ok=False, detail="the store is closed")
        return look.result() if look.done() else StoreHealth(ok=True, schema_version=self._schema)

    async def _looked(self) -> StoreHealth:
        try:
            async with asyncio.timeout(HEALTH_S):
                found = await self._pool.owned(self._pool.within(HEALTH_S, migration.state))
                if self._pool.refuses_writes:
                    await self._pool.submit(sessions.probe)
                    self._pool.refuses_writes = False
        except TimeoutError:
            return StoreHealth(ok=False, detail=f"no answer within {HEALTH_S:g} s")
        except StoreError as error:
            return StoreHealth(ok=False, detail=error.message)
        self._well_at, self._schema = time.monotonic(), found.version
        return StoreHealth(ok=True, schema_version=found.version)

    async def begin(self, run: NewRun, *, lease_s: float) -> Begun:
        return await self._pool.owned(self._begun(run, lease_s))

    async def claim(self, run_id: str, *, lease_s: float) -> Claimed | None:
        return await self._pool.owned(self._claimed(run_id, lease_s))

    async def renew(self, claim: Claim, *, lease_s: float) -> Signal | None:
        return await self._pool.owned(self._pool.at_once(runs.renew, self._who, claim, lease_s))

    async def finish(self, claim: Claim, ending: Ending) -> Released:
        if any(map(is_large, ending.turn)):
            ending = replace(ending, turn=await self._pool.submit(blobs.set_aside, ending.turn, self._at_ms))
        try:
            one = endings.finishing(claim, ending)
        except UnicodeEncodeError as error:
            raise translated(error) from None
        if endings.goes_together(one):
            return await self._pool.owned(self._finishing.make(one))
        return await self._pool.owned(self._finish_one(one))

    async def conclude(self, run_id: str, ending: Ending, *, token: int | None = None) -> None:
        await self._pool.submit(endings.conclude, self._who, run_id, ending, token)

    async def withdraw(self, run_id: str, status: RunStatus, error: ErrorInfo | None = None) -> Released:
        return await self._pool.submit(endings.withdraw, self._who, run_id, status, error)

    async def request_abort(self, owner: str, run_id: str, *, unasked: bool = False) -> bool:
        return await self._pool.submit(runs.request_abort, owner, run_id, unasked=unasked)

    async def keep(self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = ()) -> None:
        await self._pool.submit(kept.keep, Given(owner, name, body, labels), self._at_ms)

    async def rekeep(
        self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = (), *, anew: bool = False
    ) -> bool:
        given = Given(owner, name, body, labels)
        return await self._pool.submit(kept.rekeep, given, self._at_ms, anew=anew)

    async def forget(self, owner: str, name: str) -> bool:
        return await self._pool.submit(kept.forget, owner, name)

    async def summarise(
        self, owner: str, session: str, covers_to_seq: int, text: str, *, earlier: bool = False
    ) -> Summary:
        summary = Summary(covers_to_seq, text)
        return await self._pool.submit(
            sessions.summarise, self._at_ms, owner, session, summary, earlier=earlier
        )

    async def rename(self, owner: str, session: str, label: str | None) -> bool:
        return await self._pool.submit(sessions.rename, owner, session, label)

    async def fork(self, owner: str, session: str, keeps: int, key: str) -> bool:
        wanted = sessions.Fork(owner, session, keeps, key)
        return await self._pool.submit(sessions.fork, self._at_ms, wanted)

    async def delete_session(self, owner: str, session: str) -> bool:
        if not await self._pool.submit(sessions.bury, self._at_ms, owner, session):
            return False
        try:
            while await self._pool.submit(sessions.clear_away):
                pass
            while await self._pool.submit(blobs.sweep, self._at_ms):
                pass
        except StoreError as error:
            # It is deleted all the same; the next `prune` clears away what is left.
            log.warning("store.not_cleared_away", error=error.message)
        return True

    async def record(self, rows: Sequence[LedgerRow]) -> None:
        await self._pool.submit(ledger.record, rows)

    async def prune(self, retention: Retention) -> Pruned:
        do = partial(self._pool.within, _PRUNE_ACQUIRE_S)
        return await self._pool.owned(pruning.prune(do, retention, self._at_ms, sessions.clear_away))

    async def _begun(self, run: NewRun, lease_s: float) -> Begun:
        until = time.monotonic() + self._begin_s
        arriving = runs.Arriving(run, lease_s, until)
        key = None if run.idempotency is None else run.idempotency.key
        places = [
            (kind, run.owner, name) for kind, name in (("s", run.session), ("k", key)) if name is not None
        ]
        # While it is asked for nobody else ends it.
        in_doubt = self._doubts.discard(run.id)
        try:
            async with self._arrivals.turn(places, until):
                try:
                    begun = await self._begin_once(arriving, again=in_doubt)
                except StoreError as error:
                    if not may_have_been_done(error):
                        raise
                    in_doubt = True
                    if time.monotonic() >= until:
                        raise
                    begun = await self._begin_once(arriving, again=True)
            in_doubt = False
        except TimeoutError:
            raise StoreError(
                "The session store has more work waiting than it can take: try again in a moment.",
                code="store_busy",
                retry_after=1.0,
            ) from None
        finally:
            if in_doubt:
                self._doubts.add(run.id)
        return begun

    async def _begin_once(self, arriving: runs.Arriving, *, again: bool) -> Begun:
        if again or not runs.goes_together(arriving.run):
            return await self._begin_one(arriving, again=again)
        return await self._beginning.make(arriving, arriving.until)

    async def _begin_one(self, arriving: runs.Arriving, *, again: bool = False) -> Begun:
        return await self._pool.within(
            _to_connect(arriving.until), runs.begin, self._who, arriving, self._max_queued, again=again
        )

    async def _begin_all(self, arriving: Sequence[runs.Arriving]) -> Sequence[Begun | GatewayError | None]:
        until = max(each.until for each in arriving)
        return await self._pool.within(
            _to_connect(until), runs.begin_all, self._who, arriving, self._max_queued
        )

    async def _finish_one(self, one: endings.Finishing) -> Released:
        return await self._pool.execute(endings.finish, self._who, one)

    async def _finish_all(
        self, ended: Sequence[endings.Finishing]
    ) -> Sequence[Released | GatewayError | None]:
        return await self._pool.execute(endings.finish_all, self._who, ended)

    async def _claimed(self, run_id: str, lease_s: float) -> Claimed | None:
        in_doubt = self._claims_in_doubt
        try:
            claimed = await self._pool.execute(
                runs.claim, self._who, run_id, lease_s, again=run_id in in_doubt
            )
        except StoreError as error:
            if may_have_been_done(error):
                in_doubt.add(run_id)
            else:
                in_doubt.discard(run_id)
            raise
        in_doubt.discard(run_id)
        return claimed

    async def _disown(self, run_ids: list[str]) -> int:
        return await self._pool.submit(endings.disown, self._who, run_ids)


def _to_connect(until: float) -> float:
    """How long to wait for a connection."""
    return min(max(until - time.monotonic(), 0.0), ACQUIRE_S)


def _begins_at(arriving: runs.Arriving) -> tuple[str, str]:
    return arriving.run.owner, arriving.run.session or ""


def _ends_at(one: endings.Finishing) -> tuple[str, str]:
    return one.claim.owner, one.claim.session
