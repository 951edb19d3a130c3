"""One session, one run at a time, in order of arrival.

A lane is the Store's queue of a session: entering it is `begin`, waiting is a doorbell with a slow look
as fall-back (a ring may be lost), leaving it is `finish` or `withdraw`, which name the run to ring
next. The claims that are held meanwhile are renewed by `leases`.
Whatever raises on the way, a lane that was entered is left: `unended` tries again what fails.
Knows nothing of models or of what a turn holds.
"""

import asyncio
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Protocol

import structlog
from msgspec import Struct

from openclaw_gateway.errors import Fenced, SessionBusy, StoreError
from openclaw_gateway.runs.arrival import Repeated, at_work, may_have_begun, new_run
from openclaw_gateway.runs.interrupting import ask_to_end, interrupt, made_room
from openclaw_gateway.runs.leases import Leases
from openclaw_gateway.runs.run import BY_REQUEST, HANDED_OVER, UNASKED, Run
from openclaw_gateway.runs.steering import may_end, may_take_up, taken_result
from openclaw_gateway.runs.unended import Unended
from openclaw_gateway.sessions.bus import Bus, Watch
from openclaw_gateway.sessions.same_message import known_by_content, same
from openclaw_gateway.sessions.shared import WORK_TOPIC, SharedStore
from openclaw_gateway.sessions.store import (
    Begun,
    Claim,
    Claimed,
    Duplicate,
    Ending,
    NewRun,
    Queued,
    Recorded,
    Released,
    Store,
)
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunResult

log = structlog.get_logger()

_REPEATS = 3


class Pace(Struct, frozen=True):
    """How long a claim lasts unrenewed, how often it is renewed, how often a waiting run looks again, and how
    soon a turn that could not be recorded is tried again."""

    lease_s: float = 15.0
    renew_every_s: float = 5.0
    look_again_s: float = 1.0
    repeat_s: float = 0.2


class WaitsElsewhere(Protocol):
    """Runs of other processes that wait for the session of one that is at work here."""

    def tell(self, run: Run) -> None:
        """This one waits here."""

    def is_told(self, lane: tuple[str, str]) -> bool:
        """Whether there may be any, by owner and session."""

    async def taken(self, run: Run, claim: Claim, here: Sequence[Run]) -> list[Run]:
        """Those whose messages the run at work takes up, wherever they wait, in order of arrival. `here` are
        those that wait in this process."""


class Lanes:
    """With `shared`, which is the same store, others may execute what this process has begun, once it has
    gone."""

    def __init__(
        self, store: Store, bus: Bus, pace: Pace | None = None, *, shared: SharedStore | None = None
    ) -> None:
        self._pace = pace or Pace()
        self._shared = shared
        self._elsewhere: WaitsElsewhere | None = None
        self._store = store
        self._bus = bus
        self._unended = Unended(store, self._ring)
        self._leases = Leases(
            store,
            bus,
            self._unended.catch_up,
            lease_s=self._pace.lease_s,
            renew_every_s=self._pace.renew_every_s,
            look_again_s=None if shared is None else self._pace.look_again_s,
            is_shared=shared is not None,
        )
        self._waiting: dict[tuple[str, str], list[Run]] = {}
        self._waiting_here: set[str] = set()

    def open(self) -> None:
        self._leases.open()

    def go_beyond(self, elsewhere: WaitsElsewhere) -> None:
        """From now on messages reach runs of other processes, and runs here hear those of others."""
        self._elsewhere = elsewhere

    async def close(self) -> None:
        """Of the runs that could not be ended none stays open in the store, if it can be written."""
        self._unended.keep(await self._leases.close())
        await self._unended.catch_up()

    async def enter(self, run: Run, session: str) -> Claimed | None:
        """Durably enqueue the run, wait for its turn, return the claim; None where the run at work has taken
        up its message (`taken_up` says what then).

        Raises SessionBusy (also where its client would not wait), StoreError, Repeated;
        TimeoutError at the run's deadline or abort, after the run was taken out of the queue.
        """
        if isinstance(run.begun, Claimed):
            self._share(run)
            run.accept()
            return self._leases.hold(run, run.begun, run.begun_at)
        asked_at = self._leases.clock()
        try:
            begun = await self._begun(run, session)
        except SessionBusy:
            if not await self._has_made_room(run, session):
                raise
            asked_at = self._leases.clock()
            begun = await self._begun(run, session)
        match begun:
            case Duplicate(run=earlier):
                raise Repeated(earlier)
            case Queued(position=position):
                return await self._queued(run, session, position)
            case Claimed():
                run.accept()
                if begun.previous_ms is None and run.when_made is not None:
                    run.when_made(run)
                return self._leases.hold(run, begun, asked_at)
            case Recorded():
                raise StoreError("The session store lost the session of a run: see the gateway's log.")

    async def _begun(self, run: Run, session: str) -> Begun:
        try:
            return await self._store.begin(self._new(run, session), lease_s=self._pace.lease_s)
        except BaseException as error:
            if may_have_begun(error):
                await self._unended.withdraw(run.id, "failed")
            raise

    def _new(self, run: Run, session: str | None) -> NewRun:
        return new_run(run, session, shared=self._share(run))

    def _share(self, run: Run) -> bool:
        """Whether another process may execute it once this one has gone: what a run has started ends with
        it."""
        if self._shared is None or run.parent is not None:
            return False
        run.when_acts = partial(self._shared.acts, run.id)
        return True

    async def _has_made_room(self, run: Run, session: str) -> bool:
        """In a line that is full, for one that does not want to stand in it. Raises TimeoutError."""
        if run.request.queue != "interrupt":
            return False
        lane = (run.request.origin.owner, session)
        has_room = self._shared is not None and await made_room(self._shared, self._bus, run)
        ended = self._interrupt(run, lane, self._waiting.get(lane, []))
        with run.interruptible():
            for other in ended:
                await other.wait()
        return has_room or bool(ended)

    def _interrupt(self, run: Run, lane: tuple[str, str], waiting: Sequence[Run]) -> list[Run]:
        """Ask those to end that this one may end. The last first: none that is to end has its turn because
        another has ended."""
        asked = [
            other
            for other in (*reversed(waiting), *self._holding(lane))
            if may_end(run.request.origin, other.request.origin)
        ]
        for other in asked:
            other.abort(BY_REQUEST)
        return asked

    async def _queued(self, run: Run, session: str, position: int) -> Claimed | None:
        wish = run.request.queue
        if wish == "reject":
            await self._unended.withdraw(run.id, "aborted")
            raise at_work()
        run.accept()
        lane = (run.request.origin.owner, session)
        waiting = self._waiting.setdefault(lane, [])
        for other in (*reversed(waiting), *self._holding(lane)):
            if other.was_left and may_end(run.request.origin, other.request.origin) and _knows(run, other):
                other.moved_on()
        if wish == "interrupt":
            self._interrupt(run, lane, waiting)
        waiting.append(run)
        self._waiting_here.add(run.id)
        run.queued = await self._place(run, lane, position)
        if self._elsewhere is not None:
            self._elsewhere.tell(run)
        try:
            return await self._wait_turn(run)
        finally:
            run.queued = 0
            waiting.remove(run)
            self._waiting_here.discard(run.id)
            for place, other in enumerate(waiting, 1):
                other.queued = min(other.queued, place)
            if not waiting:
                self._waiting.pop(lane, None)

    async def _place(self, run: Run, lane: tuple[str, str], position: int) -> int:
        """Those that were taken up wait no more, though the store says so until the run at work ends. It
        knows which of other processes were."""
        if position > 1 and self._shared is not None:
            with suppress(StoreError):
                position = await self._shared.place(lane[0], run.id) or 1
        taken = [other for holder in self._holding(lane) for other, _ in holder.taken]
        return max(1, position - sum(other.begun is None for other in taken))

    async def heard(self, run: Run) -> Sequence[Message]:
        """What those have said who wait for the run at work, here or elsewhere, and would steer it. From now
        on they end as it does."""
        session = run.request.session_key
        if session is None:
            return ()
        lane = (run.request.origin.owner, session)
        waiting = self._waiting.get(lane, ())
        claim = self._leases.claim(run.id)
        if self._elsewhere is not None and claim is not None and self._elsewhere.is_told(lane):
            taken = await self._elsewhere.taken(run, claim, waiting)
        else:
            taken = [other for other in waiting if may_take_up(run, other)]
        for other in taken:
            other.taken_by = run
            run.taken += tuple((other, message) for message in other.request.messages)
            self._ring(other.id)
        return [message for other in taken for message in other.request.messages]

    async def taken_up(self, run: Run) -> RunResult:
        """What becomes of a run whose message another has taken up: it ends with that one. Who stops it stops
        the answer."""
        by = run.taken_by
        if by is None:
            raise RuntimeError("only a run that was taken up ends with another")
        try:
            with run.interruptible():
                result = await by.wait()
        except TimeoutError:
            # Its own limit was for an answer of its own.
            if run.abort_reason is not None:
                by.abort(run.abort_reason)
            result = await by.wait()
        run.keeps_answer = by.keeps_answer
        # Where the other's end is not on disk; else it has ended there already.
        await self._unended.withdraw(run.id, result.status)
        return taken_result(by, result)

    def _holding(self, lane: tuple[str, str]) -> list[Run]:
        return [run for run in self._leases if (run.request.origin.owner, run.request.session_key) == lane]

    async def record(self, run: Run) -> None:
        """Have a run on disk that has no session, because its client may ask for it again.

        Raises StoreError, Repeated.
        """
        if run.begun is not None:
            self._share(run)
        else:
            begun = await self._store.begin(self._new(run, None), lease_s=self._pace.lease_s)
            if isinstance(begun, Duplicate):
                raise Repeated(begun.run)
        run.accept()

    async def conclude(self, run: Run, ending: Ending) -> bool:
        """The other end of `record`; whether the store has it. What it does not take now, it is told again at
        each heartbeat. Raises Fenced where another process has had the run since."""
        return await self._unended.conclude(run.id, run.token, ending)

    async def leave(self, run: Run, claim: Claim, ending: Ending) -> None:
        """Commit the turn and pass the lane on. Raises StoreError when it could not be recorded."""
        try:
            released = await self._finished(claim, ending)
        except StoreError as error:
            self._leases.let_go(run.id)
            if not isinstance(error, Fenced):
                self._unended.keep({run.id: claim})
            raise
        self._leases.let_go(run.id)
        self._ring(released.next_run)
        for other, _ in run.taken:
            if other.begun is not None:
                self._ring(other.id)

    async def let_go(self, run: Run) -> None:
        """Leave without a turn if the run still holds its lane, because something raised on the way."""
        claim = self._leases.let_go(run.id)
        if claim is not None:
            await self._unended.finish(run.id, claim)

    async def _finished(self, claim: Claim, ending: Ending) -> Released:
        """What is said is lost if this fails, so a store that falters is asked again; the claim is still
        renewed meanwhile, and a repeat gets the first answer."""
        for _ in range(_REPEATS):
            try:
                return await self._store.finish(claim, ending)
            except Fenced:
                raise
            except StoreError as error:
                log.warning("turn.not_recorded_yet", run=claim.run_id, error=error.message)
            await asyncio.sleep(self._pace.repeat_s)
        return await self._store.finish(claim, ending)

    async def _wait_turn(self, run: Run) -> Claimed | None:
        try:
            with closing(self._bus.watch(_turn_topic(run.id))) as watch:
                if self._shared is not None:
                    await interrupt(self._shared, self._bus, run)
                while True:
                    await self._wait_ring(run, watch)
                    if run.taken_by is not None:
                        return None
                    asked_at = self._leases.clock()
                    claimed = await self._store.claim(run.id, lease_s=self._pace.lease_s)
                    if claimed is not None:
                        # Who took it up meanwhile has lost the session, and records nothing.
                        run.taken_by = None
                        return self._leases.hold(run, claimed, asked_at)
        except BaseException as error:
            if run.taken_by is not None:
                if isinstance(error, (TimeoutError, StoreError)):
                    return None
            elif run.abort_reason != HANDED_OVER:
                refused = await self._unended.withdraw(run.id, "aborted" if run.abort_reason else "failed")
                if refused is not None and await self._has_it_ended(run):
                    raise refused from None
            raise

    async def _has_it_ended(self, run: Run) -> bool:
        """Whether another process, which has it now, or answers it with another, was asked to end it because
        somebody wishes so. Then it ends as it does there."""
        if self._shared is None or run.abort_reason in UNASKED or run.abort_reason is None:
            return False
        with suppress(StoreError):
            return await ask_to_end(self._shared, self._bus, run.request.origin.owner, run.id)
        return False

    async def _wait_ring(self, run: Run, watch: Watch) -> None:
        """Raises TimeoutError. The limit of one that is answered with another was for an answer of its
        own."""
        try:
            with run.interruptible():
                await watch.ring(self._pace.look_again_s)
        except TimeoutError:
            if run.abort_reason is not None or not await self._is_heard(run):
                raise
            run.deadline = None

    async def _is_heard(self, run: Run) -> bool:
        """Whether another process has it answered with the run at work there."""
        with suppress(StoreError):
            if self._shared is not None:
                return await self._shared.place(run.request.origin.owner, run.id) is None
        return False

    def _ring(self, waiting: str | None) -> None:
        if waiting is None:
            return
        try:
            self._bus.ring(_turn_topic(waiting))
            if self._shared is not None and waiting not in self._waiting_here:
                self._bus.ring(WORK_TOPIC)
        except (
            Exception,
            asyncio.CancelledError,
        ):  # the edge to the bus: a ring may be lost, who waits looks by itself
            log.exception("lane.not_rung", run=waiting)


def _knows(run: Run, left: Run) -> bool:
    """Whether what `run` is asked holds the question that the other one's client has left: who stops an
    answer asks so, for it anew or for something behind it. Whose connection was cut asks nothing else."""
    question = left.request.messages[-1:]
    sent = known_by_content(run.request.messages, question)
    return any(same(asked, message) for asked in question for message in sent)


def _turn_topic(run_id: str) -> str:
    return f"turn:{run_id}"
