"""A run: its event log, its deadline, its end. The handle every door holds.

Doors read the log, wait, or ask for an abort; only runs/loop.py moves a run forward. Who waits for a
run may leave at any time: of its readers a run knows what they have, and goes on without them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.logs.asked import ASKED
from openclaw_gateway.models.dialects import unsupported
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.readers import Reader, Readers
from openclaw_gateway.runs.run_tree import RunTree
from openclaw_gateway.sessions.bus import Bus, Signal, Subscription
from openclaw_gateway.sessions.room import Room
from openclaw_gateway.sessions.store import Claimed, Recorded
from openclaw_gateway.wire.events import Event, RunEnded
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunRequest, RunResult, Sampling, outlined
from openclaw_gateway.work.cancelling import Interruptible

BY_REQUEST = "aborted by request"
CLIENT_LEFT = "the client left"
SHUTTING_DOWN = "the gateway is shutting down"
PARENT_ENDED = "the run that started it has ended"
UNDELIVERED = "its answer could not be delivered"
TAKEN_OVER = "another process has taken over the session"
HANDED_OVER = "another process goes on with it"
LEASE_ENDS = "its session could not be kept"
# Reasons of an abort that nobody has asked for.
UNASKED = frozenset({CLIENT_LEFT, SHUTTING_DOWN, UNDELIVERED, TAKEN_OVER, HANDED_OVER, LEASE_ENDS})
_ELSEWHERE = frozenset({TAKEN_OVER, HANDED_OVER})
# How long a client that asks again by itself is waited for: the official SDKs do so after half a second and
# another one.
RETURN_S = 3.0


_NO_SAMPLING = Sampling()


class Run:
    """One execution. `accepted` is done once the run is durably enqueued, or refused; where it leaves nothing
    on disk, once it has a place.

    `id` is the gateway's own, and the chat completion's too, with an underscore as both older systems write
    it. `children` are the runs that its tools have started; they end with it. `emitted` is how many events
    its log has had. `clients` wait for it; `keeps_answer` once a repeat of its request gets its result.
    `asked` is the client's request that led to it, for the log.
    `begun` is what the store has said of it where another process had begun it, when it was asked at
    `begun_at`, by the loop's clock; `attempt` counts from 1 how often its execution was begun, as far as that
    is known here. One that is `mirrored` is executed by another process and recorded there; one that is
    `followed` was so when it was asked for here.
    Of one that `is_lost` the end is not known here: it could not be recorded, or another has it now. One that
    `is_ending` is over, and its end is on its way to the store: nothing of it is left to be stopped. One that
    `is_known_elsewhere` may be asked for again at another process by another attempt of its client. How one
    that was taken over had `ended_here` is what it has cost here. Of one that `is_retold` some of the text
    was told here in other pieces than those in which it was said.
    `started_by` is what clients call the run whose tool has started it, `top` the id of the one for which all
    of that was started: its own where nothing has started it.
    `place` is where it has taken its place among those that go on at once, None = it has none yet.
    While one `waits_elsewhere` its clients may be at the process that gave it away, which says when they have
    left: `when_left` is told of it then.
    `when_acts` is waited for before it does what a second execution would do twice.
    `when_ended` is told of it when its task is over, `when_made` when it has made its session,
    `when_attended` when a client comes or goes. `is_heard` says whether somebody hears it here who is no
    client of it; None = that does not matter. `queued`: how many runs of its session are before it, with the
    one at work; 0 = it does not wait. `taken` are those whose messages it has taken up, each with its
    message, `taken_by` the one that has taken up its own: they end as that one does.
    """

    # Of few runs; the others need not be told so each time one is made.
    waits_elsewhere = False
    is_ending = False
    is_retold = False
    begun_at = 0.0
    attempt = 1
    when_left: "Callable[[Run], None] | None" = None

    def __init__(
        self,
        request: RunRequest,
        plan: Plan,
        bus: Bus,
        parent: "Run | None" = None,
        *,
        id_: str | None = None,
    ) -> None:
        """`parent` is the run whose tool starts this one, `id_` that of one that there is already. Raises
        ToolLoop when it may not."""
        loop = asyncio.get_running_loop()
        self.id = id_ or _fresh_id()
        self.request = request
        self.asked = ASKED.get()
        self.plan = plan
        self.parent = parent
        self.started_by = None if parent is None else parent.shown_id
        self.top: str = self.id if parent is None else parent.top
        self.children: list[Run] = []
        self.clients = 0
        self.keeps_answer = False
        self.queued = 0
        self.taken: tuple[tuple[Run, Message], ...] = ()
        self.taken_by: Run | None = None
        self.begun: Claimed | Recorded | None = None
        self.is_mirrored = False
        self.is_followed = False
        self.is_lost = False
        self.is_known_elsewhere = False
        self.ended_here: RunResult | None = None
        self.place: Room | None = None
        self.when_acts: Callable[[], Awaitable[None]] | None = None
        self.when_ended: Callable[[Run], None] | None = None
        self.when_made: Callable[[Run], None] | None = None
        self.when_attended: Callable[[Run], None] | None = None
        self.is_heard: Callable[[], bool] | None = None
        self._return: asyncio.TimerHandle | None = None
        self.created_ms = now_ms()
        self._created = time.monotonic()
        self._ended_at: float | None = None
        self.result: RunResult | None = None
        self.abort_reason: str | None = None
        self.readers = Readers()
        self.accepted: asyncio.Future[None] = loop.create_future()
        self.deadline = _deadline(loop.time(), request, plan.agent)
        if parent is None:
            self.tree = RunTree(self.deadline)
        else:
            self.tree = parent.tree
            self.tree.admit(request.origin.depth)
            self.deadline = _earlier(self.deadline, self.tree.deadline)
        self._loop = loop
        self._bus = bus
        self._waiters: set[asyncio.Future[None]] = set()
        self._stretch: Interruptible | None = None
        self._token = 0
        self._at_tools = False
        self._hurried = False
        self.emitted = 0

    def begin_in(self, place: Room) -> None:
        """It has a place there."""
        self.place = place
        if not self.request.is_stored:
            self.accept()

    def accept(self) -> None:
        """The run is durably enqueued: whoever started it may go on."""
        if not self.accepted.done():
            self.accepted.set_result(None)

    def refuse(self, error: GatewayError) -> None:
        """The run was not even enqueued."""
        if not self.accepted.done():
            self.accepted.set_exception(error)

    @property
    def shown_id(self) -> str:
        """What a client of the control protocol calls it: as it was promised, by the key that started it."""
        named = self.request.idempotency
        return self.id if named is None or self.request.origin.door == "http" else named.key

    def join(self) -> None:
        """A client waits for it, until it says `leave`."""
        self.clients += 1
        if self.when_attended is not None:
            self.when_attended(self)
        if self._return is not None:
            self._return.cancel()
            self._return = None

    def leave(self, reason: str | None, *, returns: bool = False) -> None:
        """A client waits no more. A run of the HTTP door ends with the last one, unless there is no `reason`,
        and so does a tool that a client has called; the others go on. One that perhaps `returns` is waited
        for."""
        self.clients -= 1
        if self.when_attended is not None:
            self.when_attended(self)
        goes_on = self.request.origin.door != "http" and self.request.invocation is None
        if self.clients or reason is None or goes_on or self.waits_elsewhere:
            return
        if self.is_heard is not None and self.is_heard():
            return
        if returns and self.may_be_asked_again and self.result is None:
            self._return = self._loop.call_later(RETURN_S, self.abort, reason)
        else:
            self.abort(reason)

    def moved_on(self) -> None:
        """Its client asks otherwise: nobody comes back for it, and it is not waited for."""
        if self._return is not None and self.result is None:
            self.abort(CLIENT_LEFT)

    @property
    def was_left(self) -> bool:
        """Whether its last client has left before the end, and has not come back."""
        return self._return is not None

    @property
    def may_be_asked_again(self) -> bool:
        """Whether a repeat of its request would find it."""
        return self.request.attempt is not None or self.request.idempotency is not None

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Names of the request's fields that have no effect with the agent's model."""
        request = self.request
        client = request.client_tools
        if request.sampling == _NO_SAMPLING and not client.tools:
            return ()
        asked = ModelRequest("", (), request.sampling, client.tools, client.choice, client.parallel)
        return unsupported(self.plan.target, asked)

    @property
    def set_aside(self) -> tuple[str, ...]:
        """Names of the agent's tools that are not offered beside those of the request."""
        request = self.request
        if not request.client_tools.names:
            return ()
        return self.plan.equipment.toolbox(request.origin, request.session_key).set_aside(
            request.client_tools
        )

    @property
    def refused(self) -> bool:
        """Whether the run was never accepted."""
        accepted = self.accepted
        return accepted.done() and not accepted.cancelled() and accepted.exception() is not None

    def emit(self, events: Sequence[Event]) -> None:
        """Append to the log."""
        if not events:
            return
        # Counted first: if the bus raises, nobody knows whether it has them, and a later event must not pass
        # for one of these.
        at, self.emitted = self.emitted, self.emitted + len(events)
        if not self._bus.emit(self.id, self._token, at, events):
            self.abort(TAKEN_OVER)

    def hold(self, token: int) -> None:
        """From now on events carry the claim's token, so that an older holder's are refused."""
        self._token = token

    @property
    def token(self) -> int:
        """Of what is executed here; 0 = it was begun here, and has no claim."""
        return self._token

    def went_elsewhere(self, ended_here: RunResult) -> None:
        """Another process executes it now, which it was taken over by: what ended it here does not end it."""
        self.ended_here = ended_here
        self.is_mirrored, self.is_lost = True, False
        self.abort_reason = None
        self.queued = 0
        if self.emitted:
            self.attempt += 1
        self._bus.went_elsewhere(self.id, self._token)

    def begin_anew(self) -> None:
        """What was emitted so far counts no more: its log begins again."""
        self._token += 1
        self.emitted = 0

    def events(self, after: int = 0) -> Subscription:
        """The log from index `after`, for whoever shows it to no client; close it when done."""
        return self._bus.subscribe(self.id, after, here=not self.is_mirrored)

    def reader(self, after: int = 0, *, holds: bool = False) -> Reader:
        """The log from index `after` for a client: what reaches it counts as said. One that `holds` slows
        the run when it is far behind. Close it when the client has gone."""
        return self.readers.attach(self.events(after), after, holds=holds)

    async def wait(self) -> RunResult:
        """The result, once there is one. Cancelling the waiter does not touch the run."""
        if self.result is None or self._ended_at is None:
            waiter = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
        return cast(RunResult, self.result)

    def interruptible(self) -> Interruptible:
        """What is awaited inside ends with TimeoutError at an abort or at the run's deadline. Never more than
        one is open."""
        self._stretch = Interruptible(self._loop, self.deadline)
        if self.abort_reason is not None:
            self._stretch.end_soon()
        return self._stretch

    def forget_log(self) -> None:
        """Nobody comes for its events any more but who reads them now."""
        self._bus.forget(self.id)

    def forget_words(self) -> None:
        """An ended run that is kept is kept for its result: what it was sent may be many megabytes."""
        self.request = outlined(self.request)

    def abort(self, reason: str) -> bool:
        """Ask the run to stop; False when it has ended. The first reason stands."""
        if self.result is not None:
            return False
        if self.abort_reason is None:
            self.abort_reason = reason
            if self._stretch is not None:
                self._stretch.end_soon()
        return True

    def heed(self, wish: Signal) -> None:
        """Somebody asks for its end, or has left where it was given away: others may have come for it, and it
        ends with the last of them. One that is executed elsewhere ends as it does there."""
        if wish == "abort":
            self.abort(BY_REQUEST)
        elif not self.is_mirrored:
            self.waits_elsewhere = False
            if self.when_left is not None:
                self.when_left(self)
            # The wish is said at each renewal; who has come here and left again may still come back.
            if not self.clients and not self.was_left:
                self.abort(CLIENT_LEFT)

    @contextmanager
    def at_tools(self) -> Iterator[None]:
        """While tools work for it."""
        self._at_tools = True
        if self._hurried:
            self.abort(SHUTTING_DOWN)
        try:
            yield
        finally:
            self._at_tools = False

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process has it now, or its end is not known here."""
        return self.is_lost or self.abort_reason in _ELSEWHERE

    @property
    def may_go_elsewhere(self) -> bool:
        """Whether nobody waits for it here: no client hears anything when another process goes on with it."""
        return self.begun is not None or self.request.detached is not None or not self.clients

    async def acts(self) -> None:
        """It is about to do what a second execution would do twice, and so is whatever has started it. Raises
        StoreError, after which it must not."""
        run: Run | None = self
        while run is not None:
            if run.when_acts is not None:
                await run.when_acts()
                run.when_acts = None
            run = run.parent

    def hurry(self) -> None:
        """The gateway shuts down: what the model is saying may still be said, but tools have had their time,
        for nobody knows how long they and the rounds after them would take."""
        self._hurried = True
        if self._at_tools:
            self.abort(SHUTTING_DOWN)

    def elapsed_ms(self) -> int:
        """Milliseconds since it was made, or until it ended; no matter what is done to the wall clock."""
        until = time.monotonic() if self._ended_at is None else self._ended_at
        return int((until - self._created) * 1000)

    def last_word(self) -> tuple[RunEnded, ...]:
        """How it ended, for whoever reads a log that does not say so, because the run was lost to another
        process or that part of the log is gone; empty while it goes on."""
        return () if self.result is None else (RunEnded(self.result, now_ms()),)

    async def last_words(self, log: Subscription) -> Sequence[Event]:
        """The same for the reader of a log that was silent; first what was said in the moment in which the
        time to wait was up. Raises EventsGone."""
        return () if self.result is None else await log.batch(0) or self.last_word()

    def end(self, result: RunResult) -> None:
        """Close the log with the result. The first end stands."""
        if self.result is not None:
            return
        ended = (RunEnded(result, now_ms()),)
        self.result = result
        if self.abort_reason == HANDED_OVER and result.error is not None and not self.is_mirrored:
            # Who reads it elsewhere hears its end from who goes on with it.
            self._bus.keep_here(self.id)
        if self.begun is not None and self.is_elsewhere:
            # Who has given it away hears its end from who records it.
            self._close(result)
            return
        try:
            self._bus.emit(self.id, self._token, self.emitted, ended)
        except BaseException:  # noqa: BLE001 - the readers' only way to hear of the end
            self._bus.emit(self.id, self._token, self.emitted, ended)
        finally:
            self._close(result)

    def _close(self, result: RunResult) -> None:
        self.result = result
        self._ended_at = time.monotonic()
        if self._return is not None:
            self._return.cancel()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.accept()


def top_stored(run: Run | None) -> str | None:
    """The id of the topmost of the runs for which it was started, and of itself, that the store knows; None
    where it knows none: then no other process finds it."""
    found: str | None = None
    while run is not None:
        if run.begun is not None or run.request.is_stored:
            found = run.id
        run = run.parent
    return found


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def _fresh_id() -> str:
    """A random UUID of version 4 behind the prefix, without the objects that `uuid` makes for one."""
    digits = fresh_digits()
    return f"chatcmpl_{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _deadline(now: float, request: RunRequest, agent: Agent) -> float | None:
    limit = request.timeout_s or agent.timeout_s
    return now + limit if limit else None


def _earlier(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else min(one, other)
