"""Runs that another process executes, as their clients here see them: given away, or found at work there.

To a door such a run is like any other. What its executor emits comes over the bus and is told on in a log of
this process's own; where the bus loses it, the store has the end, and what was not told yet is told then. Who
executes is not known here, and nothing of the run is recorded here.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing, suppress
from typing import Any

import msgspec
import structlog

from openclaw_gateway.errors import EventsGone, GatewayError, RunAborted, SessionBusy, StoreError
from openclaw_gateway.runs.arrival import Repeated, at_work, may_have_begun, new_run
from openclaw_gateway.runs.elsewhere.outcomes import (
    because,
    failed,
    goes_on_there,
    has_taken_over,
    holds_there,
    internal,
    is_asked,
    is_final,
    nobody,
    unsaid,
    was_taken_over,
)
from openclaw_gateway.runs.elsewhere.retold import Ends, Said
from openclaw_gateway.runs.elsewhere.taken_back import WAITS_NO_MORE, TakenBack
from openclaw_gateway.runs.interrupting import interrupt, made_room
from openclaw_gateway.runs.run import PARENT_ENDED, Run
from openclaw_gateway.runs.stopped import why_stopped
from openclaw_gateway.sessions.bus import Bus, Subscription
from openclaw_gateway.sessions.shared import WORK_TOPIC, SharedStore
from openclaw_gateway.sessions.store import Begun, Duplicate, Queued, RunRecord
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.run import KeptResult, RunResult
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

# How often the store is asked while the bus says nothing of an end.
_LOOK_EVERY_S = 1.0
# What an executor gets to end a run that was stopped, before its clients here are told without it.
_STOPS_WITHIN_S = 20.0
# How long a run waits while there is no worker: as long as one takes to be started anew.
_NOBODY_S = 20.0
_result = msgspec.json.Decoder(KeptResult)


class Mirrors:
    """Executes runs (`runs.live.Executes`) by having others do it. `bus` is the one that all share; a run's
    own log is of this process."""

    def __init__(self, store: SharedStore, bus: Bus, tell: Callable[[Run], None]) -> None:
        """`tell` says to other processes that a run waits for its session."""
        self._store = store
        self._bus = bus
        self._tell = tell
        self.taken_back = TakenBack(store, bus)

    async def execute(self, run: Run) -> None:
        """Never raises but for cancellation."""
        result: RunResult | None = None
        try:
            result = await self._result_of(run)
        except GatewayError as error:
            run.refuse(error)
            result = failed(error)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
                raise
            log.exception("run.crashed", request=run.asked.request, run=run.id)
        finally:
            result = result or internal()
            run.queued = 0
            run.keeps_answer = is_final(run, result)
            run.end(result)

    def give_up(self, run: Run) -> None:
        if run.result is None:
            run.end(internal())

    async def _result_of(self, run: Run) -> RunResult:
        # One that was found may be over already, and its log given up.
        events = self._bus.subscribe(run.id, late=run.is_followed)
        try:
            if not run.is_followed:
                await self._give(run)
            run.accept()
            return await self._told(run, events, Said(run))
        finally:
            events.close()

    async def goes_on(self, run: Run, ended: RunResult) -> RunResult:
        """How a run ends that this process has executed, or had waiting, until another has taken it over; how
        it `ended` here, of any other. Never raises but for cancellation."""
        if not was_taken_over(run, ended) or self._bus.health().kind == "local":
            return ended
        if not await self._goes_on_elsewhere(run, ended):
            return ended
        reason = holds_there(run, ended)
        run.went_elsewhere(ended)
        if reason is not None:
            run.abort(reason)
        try:
            with closing(self._bus.subscribe(run.id)) as events:
                result = await self._told(run, events, Ends())
        except GatewayError as error:
            result = failed(error)
        run.keeps_answer = is_final(run, result)
        return result

    async def _goes_on_elsewhere(self, run: Run, ended: RunResult) -> bool:
        """Whether the store knows more of it. Where it does not answer it is asked again, as long as another
        has it for certain."""
        answered_by: str | None = None
        try:
            record = await self._store.get_run(run.request.origin.owner, run.id)
        except StoreError:
            if not has_taken_over(run, ended):
                return False
        else:
            if record is None:
                return False
            answered_by = record.answered_by
        if answered_by is None and (ended.error is None or ended.error.code != "run_heard"):
            log.warning(
                "run.taken_over", request=run.asked.request, run=run.id, session=run.request.session_key
            )
        return True

    async def _give(self, run: Run) -> None:
        """Raises Repeated, SessionBusy, StoreError; RunAborted, RunTimeout while it waits for room."""
        begun = await self._begun_with_room(run)
        match begun:
            case Duplicate(run=earlier):
                raise Repeated(earlier)
            case Queued(position=position) if position and run.request.queue == "reject":
                await self._take_back(run)
            case Queued(position=position):
                run.queued = position
                if position:
                    await self._find_place(run)
                    self._tell(run)
                    await interrupt(self._store, self._bus, run)
            case _:
                pass
        self._bus.ring(WORK_TOPIC)

    async def _begun_with_room(self, run: Run) -> Begun:
        try:
            return await self._begun(run)
        except SessionBusy:
            try:
                if not await made_room(self._store, self._bus, run):
                    raise
            except TimeoutError:
                raise why_stopped(run) from None
            return await self._begun(run)

    async def _take_back(self, run: Run) -> None:
        """It would not wait. Raises SessionBusy; but where its turn has just come it does not wait."""
        try:
            await self._store.withdraw(run.id, "aborted")
        except StoreError as error:
            if error.code in WAITS_NO_MORE:
                return
            # No worker shall execute what its client is told was refused.
            await self.taken_back.end(run.request.origin.owner, run.id)
            raise
        raise at_work()

    async def _begun(self, run: Run) -> Begun:
        """What its client is told has failed, no worker executes."""
        try:
            return await self._store.begin(new_run(run, run.request.session_key, given=True), lease_s=0.0)
        except BaseException as error:
            if may_have_begun(error):
                await self.taken_back.end(run.request.origin.owner, run.id, may_come=True)
            raise

    async def _told(self, run: Run, events: Subscription, said: Said | Ends) -> RunResult:
        """What is said, told on as it comes; how it ended."""
        clock = asyncio.get_running_loop().time
        nobody_since: float | None = None
        stopped_at: float | None = None
        why: GatewayError | None = None
        events.offer(said.taken)
        while True:
            look_at = clock() + _LOOK_EVERY_S
            while (left := look_at - clock()) > 0:
                try:
                    if stopped_at is None:
                        with run.interruptible():
                            batch = await _batch(events, left)
                    else:
                        batch = await _batch(events, left)
                except TimeoutError:
                    if run.abort_reason is None and await self._is_heard(run):
                        # Its own limit was for an answer of its own.
                        run.deadline = None
                        continue
                    # Before its executor is asked: this process hears of that too, as of anybody's wish.
                    stopped_at, why = clock(), why_stopped(run)
                    if goes_on_there(run):
                        return failed(why)
                    await self._stop(run)
                    break
                if (ended := said.take(batch)) is not None:
                    return because(run, why, ended)
            record, ended = await _meanwhile(self._record(run), events, said)
            if ended is not None or (ended := await self._end_of(run, record, events, said)) is not None:
                return because(run, why, ended)
            if stopped_at is None and not said.has_begun and record is not None:
                await self._find_place(run)
                nobody_since = (nobody_since or clock()) if await self._is_alone() else None
                if nobody_since is not None and clock() - nobody_since > _NOBODY_S:
                    await self.taken_back.end(record.owner, record.id)
                    return failed(nobody())
            if why is not None and stopped_at is not None and clock() - stopped_at > _STOPS_WITHIN_S:
                return failed(why)

    async def _end_of(
        self, run: Run, record: RunRecord | None, events: Subscription, said: Said | Ends
    ) -> RunResult | None:
        """How it has ended, as far as the store knows; None = it has not, or the store does not say."""
        if record is not None and record.ended_ms is not None:
            try:
                recorded = await self._recorded(run, record)
            except StoreError:
                return None
            return said.rest(recorded, await _batch(events, 0))
        if record is None and await self._is_over(run):
            return said.take(await _batch(events, 0)) or failed(RunAborted(f"{PARENT_ENDED}."))
        return None

    async def _stop(self, run: Run) -> None:
        if run.top == run.id or run.request.session_key is not None:
            await self.taken_back.end(run.request.origin.owner, run.id, is_asked=is_asked(run))
        else:
            # The store does not know it.
            self._bus.signal(run.id, "abort")

    async def _is_over(self, run: Run) -> bool:
        """Whether one of which the store need not know has ended with that for which it was started."""
        if run.top == run.id:
            return False
        with suppress(StoreError):
            top = await self._store.get_run(run.request.origin.owner, run.top)
            return top is None or top.ended_ms is not None
        return False

    async def _find_place(self, run: Run) -> None:
        """Those before it in its line end one after the other, or are answered with the one at work; so may
        it be itself."""
        if run.queued > 1 or (run.queued and run.request.queue == "steer"):
            with suppress(StoreError):
                place = await self._store.place(run.request.origin.owner, run.id)
                run.queued = 0 if place is None else max(1, min(run.queued, place))

    async def _is_heard(self, run: Run) -> bool:
        """Whether it is answered with the run that is at work in its session."""
        with suppress(StoreError):
            return await self._store.place(run.request.origin.owner, run.id) is None
        return False

    async def _is_alone(self) -> bool:
        """Whether there is no process that executes anything."""
        with suppress(StoreError):
            return all(replica.role == "front" for replica in await self._store.replicas())
        return False

    async def _record(self, run: Run) -> RunRecord | None:
        """None also while the store is away: it is asked again."""
        with suppress(StoreError):
            record = await self._store.get_run(run.request.origin.owner, run.id)
            if record is not None:
                run.attempt = max(run.attempt, record.attempts)
            return record
        return None

    async def _recorded(self, run: Run, record: RunRecord) -> RunResult:
        kept = await self._store.result(record.owner, record.id)
        if kept is not None:
            return _result.decode(kept)
        error = record.error
        if error is None and record.status != "completed":
            error = error_info(unsaid(run, record.status))
        if record.answered_by is not None:
            return RunResult(
                record.status, error=error, cost=0.0, taken_by=await self._name_of_answer(record)
            )
        return RunResult(record.status, usage=record.usage or RunResult("failed").usage, error=error)

    async def _name_of_answer(self, record: RunRecord) -> str:
        """What a client calls the run that has answered it. (None of the HTTP door does.)"""
        by = record.answered_by or ""
        answer = await self._store.get_run(record.owner, by)
        return by if answer is None or answer.name is None else answer.name


async def _meanwhile(
    look: Coroutine[Any, Any, RunRecord | None], events: Subscription, said: Said | Ends
) -> tuple[RunRecord | None, RunResult | None]:
    """What is looked up in the store, which may say nothing for long, while what is said is told on; or how
    the run has ended by then."""
    looking = asyncio.create_task(look, name="mirrored.look")
    looking.add_done_callback(lambda _: events.rouse())
    try:
        while not looking.done():
            try:
                ended = said.take(await events.batch())
            except EventsGone:
                await asyncio.wait([looking])
            else:
                if ended is not None:
                    return None, ended
        return looking.result(), None
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _batch(events: Subscription, seconds: float) -> Sequence[Event]:
    """What the bus brings within the time; nothing, after it, where it has lost the log."""
    try:
        return await events.batch(seconds)
    except EventsGone:
        await asyncio.sleep(seconds)
        return ()
