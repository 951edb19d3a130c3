"""The runs of this process: admission, start, look-up, abort, drain.

Owns every run's task, and the hub that tells of them. A refusal is immediate. A finished run that asked
to be retained stays findable for a while, in a bounded number; the others are forgotten at once.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

import structlog
from msgspec import Struct

from openclaw_gateway.errors import Overloaded, RunAborted, StoreError, ToolLoop
from openclaw_gateway.runs.admission import Admission
from openclaw_gateway.runs.hub import ChangeReason, Hub, SessionChange
from openclaw_gateway.runs.lease import Lease
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.run import (
    CLIENT_LEFT,
    HANDED_OVER,
    LEASE_ENDS,
    PARENT_ENDED,
    SHUTTING_DOWN,
    TAKEN_OVER,
    Run,
    top_stored,
)
from openclaw_gateway.runs.work import RunWork
from openclaw_gateway.sessions.bus import Bus, Signal
from openclaw_gateway.sessions.local.room import LocalRoom
from openclaw_gateway.sessions.room import Room
from openclaw_gateway.sessions.shared import Work
from openclaw_gateway.sessions.store import Recorded, RunRecord
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.wire.run import Note, RunRequest, RunResult

log = structlog.get_logger()

# What tools get of a shutdown: a model that is speaking comes to an end, work may not.
TOOLS_S = 1.0
RECORD_S = 15.0
_HAND_OVER_S = 2.0
# How soon it is seen that a run has become another process's, of which its task does not tell.
_LOOK_EVERY_S = 0.05
CANCEL_S = 5.0
RETAINED_RUNS = 1_000
# Why a run may be about to stop here that its clients wait for.
_STILL_WANTED = frozenset({None, LEASE_ENDS, SHUTTING_DOWN, TAKEN_OVER})
RETAINED_S = 600.0


class Executes(Protocol):
    async def execute(self, run: Run) -> None:
        """The body of a run's own task: to its end. Never raises but for cancellation."""

    def give_up(self, run: Run) -> None:
        """The end of a run whose task could not reach it; one that has ended stays as it is."""


class Others(Struct, frozen=True):
    """How runs are had executed by other processes, and the bus of this one alone, for what is told of them
    here, and of runs that no other process can find. `always`: this process executes none itself but what its
    runs start. `hand_over` gives up a run of this process, by its id, so that another goes on with it; False
    where that may not be."""

    by: Executes
    bus: Bus
    always: bool
    hand_over: Callable[[str], Awaitable[bool]]


class Terms(Struct, frozen=True):
    """What a configuration says about all runs: how they are executed, how many at once, and what is kept
    for as long as one of them lasts."""

    loop: Executes
    max_runs: int
    lease: Lease


class LiveRuns:
    """`others` None: there is no other process. `room` has the places of those that are executed.
    `when_left` is told of a run that was taken up here when its clients have left where it was given away."""

    when_left: Callable[[Run], None] | None = None

    def __init__(
        self, bus: Bus, terms: Terms, others: Others | None = None, room: Room | None = None
    ) -> None:
        self.admission = Admission(terms.max_runs, LocalRoom() if room is None else room)
        self._bus = bus
        self._others = others
        self._terms = terms
        self.hub = Hub()
        self._running: dict[str, tuple[Run, asyncio.Task[None]]] = {}
        self._retained: OrderedDict[str, tuple[Run, float]] = OrderedDict()
        self._deafen = bus.heed(self._signalled)

    def __len__(self) -> int:
        return len(self._running)

    async def start(self, request: RunRequest, plan: Plan) -> Run:
        """Start a run; returns once it is accepted (with a session: on disk).

        Raises SessionBusy, StoreError and what `launch` raises. A caller that is cancelled meanwhile aborts
        the run.
        """
        run = self.launch(request, plan)
        try:
            await run.accepted
        except asyncio.CancelledError:
            run.abort(CLIENT_LEFT)
            raise
        return run

    def launch(self, request: RunRequest, plan: Plan) -> Run:
        """The same without waiting: the run is there, its `accepted` says the rest, and be it that other
        processes have all places.

        Raises Overloaded; of a run that a run starts also ToolLoop, and RunAborted when that one has ended.
        """
        admission = self.admission
        admission.be_open()
        parent = self._parent(request)
        away = self._others
        if away is not None and away.always and parent is None:
            admission.give()
            run = Run(request, plan, away.bus)
            run.is_mirrored = True
            return self._under_way(run, away.by, admission.given)
        room = admission.room if admission.take() else None
        try:
            run = Run(request, plan, self._bus_of(request, parent), parent)
        except BaseException:
            if room is not None:
                room.give_back(unused=True)
            raise
        if parent is not None:
            parent.children.append(run)
        if request.session_key is not None:
            run.when_made = self._made_session
        return self._under_way(run, self._terms.loop, room)

    def _bus_of(self, request: RunRequest, parent: Run | None) -> Bus:
        """Where its events go: what no other process can find is told here alone."""
        if self._others is None or request.is_stored or top_stored(parent) is not None:
            return self._bus
        return self._others.bus

    def take_up(self, work: Work, wanted: RunWork, plan: Plan) -> Run:
        """Execute what another process has begun, or given away; the caller has a place for it. Who has
        followed it here follows it on."""
        run = Run(wanted.request, plan, self._bus, id_=work.run_id)
        follows = self._put_aside(run.id)
        run.asked, run.created_ms = wanted.asked, wanted.created_ms or run.created_ms
        run.begun = Recorded() if work.claimed is None else work.claimed
        run.begun_at, run.attempt = work.asked_at, work.attempt
        # Also of one without a session: what whoever had it before has said is not its beginning.
        run.hold(work.token)
        run.waits_elsewhere, run.when_left = True, self.when_left
        # Who hears of runs here has heard of one that was followed.
        self._under_way(run, self._terms.loop, self.admission.room, is_news=not follows)
        if work.claimed is not None and not work.claimed.last_seq and work.attempt == 1:
            self._made_session(run)
        return run

    def follow(self, record: RunRecord, request: RunRequest, plan: Plan) -> Run | None:
        """A run that another process executes, as one to be heard and waited for here; None where there is no
        other process. Raises Overloaded, also where as many are followed already as may be at work."""
        away = self._others
        if away is None:
            return None
        known = self.find(record.id)
        # What ended here without an answer goes on elsewhere: its client may ask for that one.
        if known is not None and (known.result is None or known.keeps_answer):
            return known
        self.admission.be_open()
        self.admission.follow()
        run = Run(request, plan, away.bus, id_=record.id)
        run.created_ms, run.attempt = record.created_ms, record.attempts
        run.is_mirrored = run.is_followed = True
        run.is_heard = partial(self.hub.is_heard, request.origin.owner, request.session_key)
        # What was told here of the same run before, by one that followed it to another end, is not its log.
        token = time.monotonic_ns()
        run.hold(token)
        away.bus.emit(run.id, token, 0, ())
        self._put_aside(run.id)
        return self._under_way(run, away.by, self.admission.followed)

    def _put_aside(self, run_id: str) -> bool:
        """Whether another one of this name was there."""
        other = self._running.pop(run_id, None)
        if other is not None:
            self._running[_beside(run_id)] = other
        return other is not None

    def _under_way(self, run: Run, by: Executes, room: Room | None, *, is_news: bool = True) -> Run:
        """In a place of this room; None: other processes are asked for one first."""
        terms = self._terms
        if room is None:
            body = self._once_placed(run, by)
        else:
            run.begin_in(room)
            body = by.execute(run)
        task = asyncio.create_task(body, name=run.id)
        self._running[run.id] = (run, task)
        terms.lease.enter()
        task.add_done_callback(partial(self._ended, run, terms, by))
        if is_news and room is not None:
            self.hub.started(run)
        return run

    async def _once_placed(self, run: Run, by: Executes) -> None:
        try:
            await self.admission.wait()
        except Overloaded as error:
            run.refuse(error)
            run.end(RunResult("failed", error=error_info(error)))
            return
        run.begin_in(self.admission.room)
        self.hub.started(run)
        await by.execute(run)

    def find(self, run_id: str) -> Run | None:
        """The live or retained run with this id."""
        live = self._running.get(run_id)
        if live is not None:
            return live[0]
        kept = self._retained.get(run_id)
        return kept[0] if kept is not None else None

    def executed(self, run_id: str) -> Run | None:
        """The live run with this id, where it is executed here."""
        run, _ = self._running.get(run_id, (None, None))
        return None if run is None or run.is_mirrored else run

    def mirrored(self, run_id: str) -> Run | None:
        """What stands here for the live run with this id that another process executes, or did."""
        for name in (_beside(run_id), run_id):
            run, _ = self._running.get(name, (None, None))
            if run is not None and run.is_mirrored:
                return run
        return None

    def running(self) -> list[Run]:
        return [run for run, _ in self._running.values()]

    def go_by(self, terms: Terms) -> None:
        """For the runs that start from now on; the others keep what they began with."""
        self._terms = terms
        self.admission.most = terms.max_runs

    def refuse(self) -> None:
        """From now on `start` raises Overloaded."""
        self.admission.draining = True

    async def drain(self, seconds: float) -> None:
        """Wait for the runs, for those that are at tools not as long; after `seconds` have others go on with
        the rest, where that may be, or abort them, and wait for them to be recorded."""
        self.refuse()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle_within(TOOLS_S)
                for run in self.running():
                    run.hurry()
                await self.idle()
        await asyncio.gather(*map(self._give_up, self.running()))
        try:
            async with asyncio.timeout(RECORD_S):
                await self.idle()
        except TimeoutError:
            log.warning("runs.not_ended", runs=len(self._running))
            await self._cancel()
        self._deafen()

    async def _give_up(self, run: Run) -> None:
        others = self._others
        # Another has what is mirrored already, once it was accepted.
        is_handed = run.is_mirrored and run.accepted.done() and run.may_go_elsewhere
        # One that is over is not given up: its answer would be made once more. Nor is one that nobody wants.
        is_own = not run.is_mirrored and not run.is_ending and run.abort_reason in _STILL_WANTED
        if others is not None and is_own and run.may_go_elsewhere:
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_HAND_OVER_S):
                    is_handed = await others.hand_over(run.id)
        run.abort(HANDED_OVER if is_handed else SHUTTING_DOWN)

    async def idle(self) -> None:
        """Wait until no run is live."""
        while self._running:
            await asyncio.wait([task for _, task in self._running.values()])

    async def gone(self, run: Run) -> None:
        """Wait until a run is recorded, and takes no place among the others any more; or is another
        process's."""
        was_mirrored = run.is_mirrored
        for name in (run.id, _beside(run.id)):
            live = self._running.get(name)
            while live and live[0] is run and not live[1].done() and run.is_mirrored is was_mirrored:
                await asyncio.wait([live[1]], timeout=_LOOK_EVERY_S)

    async def _idle_within(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.idle()

    async def _cancel(self) -> None:
        """For what takes no notice of an abort. It is recorded as it is, or by the lanes when they close."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_S)

    def _signalled(self, run_id: str, signal: Signal) -> None:
        """Somebody, perhaps in another process, asks something of a run that is perhaps here. Of one that is
        followed it is told how it ends: who executes it is asked, too."""
        live = self._running.get(run_id)
        if live is not None and not live[0].is_followed:
            live[0].heed(signal)

    def _parent(self, request: RunRequest) -> Run | None:
        """The run that starts this one. Nobody waits for an answer that can only come after his own."""
        if request.origin.parent is None:
            return None
        running = self._running.get(request.origin.parent)
        if running is None:
            raise RunAborted("The run that would have started this one has ended.")
        parent = running[0]
        above: Run | None = parent
        while above is not None:
            if above.request.session_key == request.session_key and request.session_key is not None:
                raise ToolLoop(
                    "That conversation waits for this one: answer here instead of asking there.",
                    code="session_waits",
                )
            above = above.parent
        return parent

    def _made_session(self, run: Run) -> None:
        request = run.request
        if request.session_key is not None:
            self.hub.changed(
                SessionChange(request.origin.owner, request.session_key, request.agent_id, "create")
            )

    def _did_errand(self, run: Run) -> None:
        """Whoever asked for it may have left: it is told of here, for all processes."""
        request, result = run.request, run.result
        if run.is_mirrored or request.errand is None or request.session_key is None or result is None:
            return
        if result.error is None and result.text:
            reason: ChangeReason = "inject" if isinstance(request.errand, Note) else "compact"
            self.hub.changed(
                SessionChange(request.origin.owner, request.session_key, request.agent_id, reason)
            )

    def _ended(self, run: Run, terms: Terms, by: Executes, task: asyncio.Task[None]) -> None:
        for name in (run.id, _beside(run.id)):
            live = self._running.get(name)
            if live is not None and live[0] is run:
                del self._running[name]
        if run.place is not None:
            run.place.give_back()
        terms.lease.leave()
        by.give_up(run)
        if run.place is not None:
            self.hub.ended(run)
            self._did_errand(run)
        for child in run.children:
            child.abort(PARENT_ENDED)
        if run.parent is not None:
            run.parent.children.remove(run)
        self._keep(run)
        if run.when_ended is not None:
            run.when_ended(run)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("run.crashed", run=run.id, exc_info=error)

    def _keep(self, run: Run) -> None:
        if run.refused or run.request.idempotency is None:
            run.forget_log()
            return
        run.forget_words()
        # In the place of one that stood here for it before: they are in order of their ends.
        self._retained.pop(run.id, None)
        self._retained[run.id] = (run, time.monotonic())
        while self._retained:
            oldest, (kept, ended_at) = next(iter(self._retained.items()))
            if len(self._retained) <= RETAINED_RUNS and time.monotonic() - ended_at < RETAINED_S:
                break
            del self._retained[oldest]
            kept.forget_log()


def _beside(run_id: str) -> str:
    """Under which name one stands that follows a run which this process has come to execute, or that is about
    to have gone."""
    return f"{run_id} followed"
