"""A request that its client sends again by itself gets its first attempt's run, and nothing is done twice.

The official SDKs number their attempts and ask again when a connection is cut or an answer says 5xx, which
something between may say of a run that goes well. A request is known again by its owner, where it goes and
what it says. Its run is found while it goes on, its answer for a while after: here, in memory, for a repeat
comes within seconds and a request of an SDK is to cost no more than another. A run that left nothing behind
is not found: the repeat is a new run. How other processes find it, `retried_elsewhere` says.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import uuid4

from msgspec import Struct

from openclaw_gateway.gateway.idempotency import (
    accepted,
    is_ending,
    is_spent,
    with_events,
)
from openclaw_gateway.gateway.retried_elsewhere import AttemptsElsewhere, Key, digest
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.replayed import ReplayedRun
from openclaw_gateway.runs.run import Run, now_ms
from openclaw_gateway.sessions.attempts import SharedAttempts
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.store import RunRecord
from openclaw_gateway.wire.run import Attempt, RunRequest, RunResult

KEEP_S = 600.0
# The same of an answer for which a client was there when it came: only something between can have lost it,
# and then the next attempt comes soon. Later the same words are more likely a question that is asked anew,
# whose first attempt never came here.
KEEP_GIVEN_S = 90.0
MOST_KEPT = 10_000
MOST_CHARS = 32_000_000
# Whose a request is, where it goes, and what it says.
_Place = tuple[str, str, int, int]


class _Kept(Struct, frozen=True):
    """The answer of a run that has ended. `until` is monotonic, the other times are Unix milliseconds."""

    run_id: str
    created_ms: int
    ended_ms: int
    until: float
    size: int
    result: RunResult


class Retries:
    """The runs of this process that may be asked for again by another attempt; `elsewhere` are those of all,
    where there may be others."""

    def __init__(
        self,
        live: LiveRuns,
        bus: Bus,
        elsewhere: AttemptsElsewhere | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = live
        self._bus = bus
        self._elsewhere = elsewhere
        self._clock = clock
        self._going: dict[Key, list[Run]] = {}
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._chars = 0

    async def start(self, request: RunRequest, attempt: Attempt, plan: Plan) -> Run:
        """The run that answers the request; returns once it is accepted.

        Raises what LiveRuns.launch and the acceptance raise, StoreError. Of a caller that is cancelled
        meanwhile the run waits for the next attempt, unless somebody else waits for it.
        """
        key = _key(request, attempt)
        if attempt.again:
            while (run := self._newest(key)) is not None and is_ending(run):
                await run.wait()
            if run is not None:
                await accepted(run)
                return run
            kept = self._kept.get(key)
            if kept is not None and self._clock() < kept.until:
                retained = self._live.find(kept.run_id)
                if retained is not None:
                    return await with_events(retained, self._bus)
                return self._replayed(request, plan, kept)
            if self._elsewhere is not None:
                run = await self._elsewhere.run(request, key, plan, self._bus)
                if run is not None:
                    return run
        run = self._live.launch(request, plan)
        run.when_ended = self._ended
        if self._elsewhere is not None:
            self._elsewhere.began(key, run)
        self._going.setdefault(key, []).append(run)
        await accepted(run)
        return run

    def _newest(self, key: Key) -> Run | None:
        """One without a client, for that is who asks again; else the newest. None that was in vain."""
        runs = [run for run in self._going.get(key, ()) if not is_spent(run)]
        if not runs:
            return None
        return next((run for run in runs if not run.clients), runs[-1])

    def _ended(self, run: Run) -> None:
        request, result = run.request, run.result
        if request.attempt is None or result is None:
            return
        key = _key(request, request.attempt)
        going = self._going[key]
        going.remove(run)
        if not going:
            del self._going[key]
        if is_spent(run):
            return
        self._drop(key)
        size = len(result.text) + len(result.reasoning)
        for call in result.tool_calls:
            size += len(call.arguments)
        now = self._clock()
        keep_s = KEEP_S if run.was_left else KEEP_GIVEN_S
        self._kept[key] = _Kept(run.id, run.created_ms, now_ms(), now + keep_s, size, result)
        if self._elsewhere is not None:
            self._elsewhere.ended(key, run, keep_s)
        self._chars += size
        self._keep_within_bounds(now)

    def _keep_within_bounds(self, now: float) -> None:
        while self._kept:
            oldest, kept = next(iter(self._kept.items()))
            if len(self._kept) <= MOST_KEPT and self._chars <= MOST_CHARS and kept.until > now:
                return
            self._drop(oldest)

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._chars -= kept.size

    def _replayed(self, request: RunRequest, plan: Plan, kept: _Kept) -> Run:
        record = RunRecord(
            kept.run_id,
            request.origin.owner,
            request.session_key,
            request.agent_id,
            kept.result.status,
            kept.created_ms,
            kept.ended_ms,
        )
        return ReplayedRun(request, plan, self._bus, record, kept.result)


class AttemptNames:
    """New names for requests that make something: another attempt of a request gets the first one's.

    Kept for as long as an answer that a client was there for; where there may be other processes, also for
    them. Where two began to ask in the same words, nobody can say which of them asks again: then it is a new
    one, for rather a second one than another's.
    """

    def __init__(
        self, shared: SharedAttempts | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._clock = clock
        # "" = it is in doubt.
        self._given: OrderedDict[_Place, tuple[str, float]] = OrderedDict()

    async def name(self, owner: str, attempt: Attempt) -> str:
        place = (owner, attempt.path, attempt.length, attempt.hash)
        given = await self._before(place)
        name = given if given and attempt.again else uuid4().hex
        is_doubtful = given is not None and (not attempt.again or not given)
        self._give(place, "" if is_doubtful else name)
        return name

    async def _before(self, place: _Place) -> str | None:
        """What was given, here or elsewhere."""
        there = None if self._shared is None else await self._shared.begun(digest(("name", *place)))
        self._drop_old()
        given = self._given.get(place)
        if given is None or given[0] == there:
            return there
        return given[0] if there is None else ""

    def _give(self, place: _Place, name: str) -> None:
        self._given.pop(place, None)
        self._given[place] = (name, self._clock() + KEEP_GIVEN_S)
        if self._shared is not None:
            self._shared.began(digest(("name", *place)), name, KEEP_GIVEN_S)

    def _drop_old(self) -> None:
        while self._given:
            place, (_, until) = next(iter(self._given.items()))
            if len(self._given) <= MOST_KEPT and until > self._clock():
                return
            del self._given[place]


def _key(request: RunRequest, attempt: Attempt) -> Key:
    return (
        request.origin.owner,
        request.agent_id,
        request.session_key,
        request.task,
        request.model,
        attempt.path,
        attempt.length,
        attempt.hash,
    )
