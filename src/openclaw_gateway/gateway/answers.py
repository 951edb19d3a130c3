"""Answers that a client comes back to: kept ones, those in the background, those it was cut off from.

One room of the gateway, for every door: each is its owner's, and what another has is not found. What is kept,
and how, is decided in `runs/kept`, `background` and `idempotency`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Raw

from openclaw_gateway.errors import EventsGone, Overloaded, RunBegunAnew, StoreError
from openclaw_gateway.gateway.background import Background, Noted
from openclaw_gateway.gateway.idempotency import Follow, NamedRuns, has_beginning, may_go_on, with_events
from openclaw_gateway.gateway.principal import READ, WRITE, Principal
from openclaw_gateway.runs.kept import Before, KeptAnswer, KeptAnswers, KeptHead, KeptPage
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.replayed import ReplayedRun
from openclaw_gateway.runs.run import UNDELIVERED, Run
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.run import KeptKind
from openclaw_gateway.work.deeds import Deeds


class Answers:
    """`plans` gives those of the present configuration; `follow` finds runs that other processes execute,
    `told` gives what they said, `abort` ends a run of the caller's."""

    def __init__(
        self,
        live: LiveRuns,
        store: Store,
        bus: Bus,
        named: NamedRuns,
        plans: Callable[[], Mapping[str, Plan]],
        *,
        follow: Follow,
        told: Callable[[str], Awaitable[Sequence[Event] | None]],
        abort: Callable[[Principal, str], Awaitable[bool]],
        deeds: Deeds,
    ) -> None:
        self._follow = follow
        self._told = told
        self._live = live
        self._bus = bus
        self._named = named
        self._plans = plans
        self._abort = abort
        self._deeds = deeds
        self._store = store
        self._kept = KeptAnswers(store)
        self._background = Background(live, store)

    async def kept(self, principal: Principal, run_id: str, kind: KeptKind = "response") -> KeptAnswer | None:
        """One that was to be kept. Raises StoreError."""
        principal.require(READ)
        return await self._kept.get(principal.owner, run_id, kind)

    async def page(
        self,
        principal: Principal,
        kind: KeptKind,
        labels: tuple[str, ...],
        *,
        after: str | None,
        limit: int,
        newest_first: bool,
    ) -> KeptPage | None:
        """Of what is kept those with all these labels, behind that of the run `after`; None where that is not
        kept. Raises StoreError."""
        principal.require(READ)
        return await self._kept.page(
            principal.owner, kind, labels, after=after, limit=limit, newest_first=newest_first
        )

    async def change(
        self, principal: Principal, run_id: str, kind: KeptKind, about: Raw, labels: tuple[str, ...]
    ) -> bool:
        """What the door remembers of a kept one, and what it is listed by; False when it is not kept. Raises
        StoreError."""
        principal.require(WRITE)
        return await self._kept.change(principal.owner, run_id, kind, about, labels)

    async def heads(self, principal: Principal, run_ids: Iterable[str]) -> dict[str, KeptHead]:
        """Of kept ones what their clients were given, by their runs. Raises StoreError."""
        principal.require(READ)
        return await self._kept.heads(principal.owner, run_ids)

    async def conversation(
        self, principal: Principal, run_id: str, agent: str, user: str | None
    ) -> Before | None:
        """What was said up to and with a kept one, as this agent may see it when it answers this user; None
        where not all of it is kept.

        Raises StoreError.
        """
        principal.require(READ)
        return await self._kept.conversation(principal.owner, run_id, agent, user)

    async def forget(self, principal: Principal, run_id: str, kind: KeptKind = "response") -> bool:
        """False when it is not kept. Raises StoreError."""
        principal.require(WRITE)
        return await self._kept.forget(principal.owner, run_id, kind)

    async def note_background(self, principal: Principal, run: Run, about: Raw) -> None:
        """From now on this caller may ask what has become of a run that nobody waits for, also when he is let
        go meanwhile: the run goes on, and a repeat of his request finds it. Raises StoreError, Overloaded,
        after which the run ends."""
        principal.require(WRITE)
        try:
            await self._deeds.done(self._noted(run, about), "background.note")
        except Overloaded:
            run.abort(UNDELIVERED)
            raise

    async def _noted(self, run: Run, about: Raw) -> None:
        try:
            await self._background.note(run, about)
        except StoreError:
            run.abort(UNDELIVERED)
            raise

    async def background(self, principal: Principal, run_id: str) -> Noted | None:
        """What has become of such a run. Raises StoreError."""
        principal.require(READ)
        return await self._background.noted(principal.owner, run_id)

    async def forget_background(self, principal: Principal, run_id: str) -> bool:
        """End such a run; False when there is none. Raises StoreError."""
        principal.require(WRITE)
        if not await self._background.forget(principal.owner, run_id):
            return False
        await self._abort(principal, run_id)
        return True

    async def followed(self, principal: Principal, run_id: str, *, has_part: bool) -> Run | None:
        """A run that goes on without its client: with its events, where they are still here; else one that
        tells its answer, if that is kept. None when there is nothing to tell. The client `has_part` of it
        already.

        Raises StoreError, EventsGone while it goes on and its beginning is not kept any more, or where it is
        not known in the pieces of the part, and RunBegunAnew where the part may be one of another execution.
        """
        run = await self._found(principal, run_id)
        if run is not None and has_part and await self._was_begun_anew(run):
            raise RunBegunAnew()
        if run is not None and has_part and run.is_retold:
            raise _in_other_pieces()
        return run

    def unsure(self, run: Run) -> Callable[[], Awaitable[None]] | None:
        """For who has a part of a run of which nothing has been heard here yet: what is to be asked once the
        first word is there, and before it is told. It raises RunBegunAnew where that may be another
        execution's, and EventsGone where it is not in the pieces in which it was said. None = it is the
        part's."""
        return partial(self._require_the_first, run) if run.is_mirrored and not run.emitted else None

    async def _require_the_first(self, run: Run) -> None:
        attempts = 2
        with suppress(StoreError):
            record = await self._store.get_run(run.request.origin.owner, run.id)
            attempts = 1 if record is None else record.attempts
        if max(attempts, run.attempt) > 1:
            raise RunBegunAnew()
        if run.is_retold:
            raise _in_other_pieces()

    async def _was_begun_anew(self, run: Run) -> bool:
        """As far as that is known: of what others execute only the store can say so of what was not heard
        here."""
        if run.is_mirrored or isinstance(run, ReplayedRun):
            with suppress(StoreError):
                record = await self._store.get_run(run.request.origin.owner, run.id)
                if record is not None and record.attempts > 1:
                    return True
        return run.attempt > 1

    async def _found(self, principal: Principal, run_id: str) -> Run | None:
        principal.require(READ)
        run = self._live.find(run_id)
        if run is None:
            run = await self._elsewhere(principal.owner, run_id)
        elif run.request.origin.owner != principal.owner:
            return None
        elif may_go_on(run):
            run = await self._instead(run)
        if run is None or isinstance(run, ReplayedRun):
            return run
        if run.request.origin.owner != principal.owner or run.request.detached is None:
            return None
        told = await with_events(run, self._bus)
        if told.result is None and not await has_beginning(told):
            raise EventsGone(
                "This answer is longer than what is kept of one that goes on (200,000 events, 64 MB). Once "
                "it has ended ask for all of it, from the beginning: without `after` or Last-Event-ID."
            )
        return told

    async def _elsewhere(self, owner: str, run_id: str) -> Run | None:
        """As another process executes it, or as the store has it."""
        run = await self._follow(owner, run_id)
        return run or await self._named.told_again(owner, run_id, self._plans(), self._told)

    async def _instead(self, run: Run) -> Run:
        """Of one whose end here may be none, or not its own, as it goes on or has ended; the run itself where
        it has ended so, or where nothing better is known."""
        with suppress(StoreError):
            other = await self._elsewhere(run.request.origin.owner, run.id)
            if other is not None and not (isinstance(other, ReplayedRun) and _end_alike(other, run)):
                return other
        return run


def _in_other_pieces() -> EventsGone:
    return EventsGone(
        "The events of this answer were not all heard here, only the answer: ask for all of it, from the "
        "beginning."
    )


def _end_alike(one: Run, other: Run) -> bool:
    ends = [None if run.result is None else (run.result.status, run.result.error) for run in (one, other)]
    return ends[0] == ends[1]
