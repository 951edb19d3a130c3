"""What happens, sent to one client: events of the runs it follows, changes of sessions, questions that it may
answer, who else is connected, ticks, the end.

A client follows the runs it asked for, and those of the sessions it subscribed to. Nothing is queued for it:
every run it follows has a place in the view that all share, and one writer takes from each in turn what is
new there, at the pace of the socket. A client that reads slowly is therefore told more at once, in fewer
events. What it has not been told is counted; beyond the bound of the greeting (`maxBufferedBytes`) it is a
slow consumer, and closed. Every event has the next number of this connection.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from openclaw_gateway.doors.ws.protocol import event
from openclaw_gateway.doors.ws.runview import Progress
from openclaw_gateway.doors.ws.socket import Socket
from openclaw_gateway.doors.ws.stateview import health_event, present, state_version
from openclaw_gateway.doors.ws.tasks import Tasks
from openclaw_gateway.doors.ws.telling import Telling
from openclaw_gateway.errors import Overloaded
from openclaw_gateway.gateway.pairing import News as PairingNews
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.arrival import Repeated
from openclaw_gateway.runs.hub import Listener, SessionChange
from openclaw_gateway.runs.questions import News
from openclaw_gateway.runs.run import Run, now_ms
from openclaw_gateway.wire.approvals import ApprovalRequested
from openclaw_gateway.wire.devices import PairingRequest
from openclaw_gateway.wire.frames import StateVersion

MAX_SUBSCRIPTIONS = 1_000
# What a change takes that waits to be told, beside its session's key.
_CHANGE_BYTES = 500


class _Followed:
    """One run for one client. `counted` is how much of the view's size is in the client's debt or told."""

    __slots__ = ("counted", "due", "place", "run", "telling", "told")

    def __init__(self, run: Run, telling: Telling, place: Progress) -> None:
        self.run = run
        self.telling = telling
        self.place = place
        self.counted = 0
        self.due = False
        self.told = asyncio.Event()


class Feed:
    def __init__(self, socket: Socket, gateway: Gateway, principal: Principal, *, protocol: int) -> None:
        self._socket = socket
        self._gateway = gateway
        self._principal = principal
        self._protocol = protocol
        self._seq = 0
        self._tasks = Tasks()
        self._listener = Listener(self._started)
        self._all_listener = Listener(self._any_started, self._any_ended, self._session_changed)
        # session -> how to leave it; None is all of the caller's
        self._subscriptions: dict[str | None, Callable[[], None]] = {}
        self._followed: dict[str, tuple[_Followed, Callable[[], None]]] = {}
        # Lists, not deques: thousands of clients have none of either, and an empty deque is 750 bytes.
        self._due: list[_Followed] = []
        # (session, which kind of change) -> the newest of that kind; their size is in the client's debt
        self._changes: dict[tuple[str, str], dict[str, Any]] = {}
        # What the operator is asked, and what became of it. Their size is in the client's debt.
        self._questions: list[tuple[str, bytes]] = []
        self._leave_questions: Callable[[], None] | None = None
        self._leave_pairing: Callable[[], None] | None = None
        self._news = asyncio.Event()
        self._none_left: asyncio.Event | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._held: dict[str, Run | None] = {}
        # How to hear no more of presence and health, and which of them is to be told.
        self._unwatch: tuple[Callable[[], None], ...] = ()
        self._state: tuple[str, ...] = ()

    def open(self) -> None:
        """From now on events are sent, and the client counts as somebody to ask, if it may answer."""
        self._leave_questions = self._gateway.approvals.attend(self._principal, self._asked)
        self._leave_pairing = self._gateway.pairing.hear(self._principal, self._pairing_told)
        self._tasks.run(self._write(), "ws.feed")

    async def emit(self, name: str, payload: object, version: StateVersion | UnsetType = UNSET) -> None:
        """Raises ConnectionError when the client is gone."""
        self._seq += 1
        await self._socket.send(event(name, payload, self._seq, version))

    def watch(self) -> None:
        """Tell when the caller's connections or the gateway's health change: the newest, once."""
        if self._unwatch:
            return
        gateway, principal = self._gateway, self._principal
        self._unwatch = (
            gateway.presence.watch(principal, lambda: self._state_changed("presence")),
            gateway.health_news.watch(principal, lambda: self._state_changed("health")),
        )

    def _state_changed(self, which: str) -> None:
        if which not in self._state:
            self._state = (*self._state, which)
            self._news.set()

    async def _tell_state(self) -> None:
        which, self._state = self._state[0], self._state[1:]
        gateway, principal = self._gateway, self._principal
        payload: object = (
            {"presence": present(gateway, principal)} if which == "presence" else health_event(gateway)
        )
        await self.emit(which, payload, state_version(gateway, principal))

    def subscribe(self, session: str | None = None) -> None:
        """Follow the runs of a session, those too that are live now; without one, all of the caller's, and
        hear which sessions change. Raises Overloaded."""
        if session in self._subscriptions:
            return
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise Overloaded(
                f"This connection has {MAX_SUBSCRIPTIONS} subscriptions already. Unsubscribe from some, or "
                "use sessions.subscribe, which is for all sessions."
            )
        gateway, principal = self._gateway, self._principal
        listener = self._all_listener if session is None else self._listener
        self._subscriptions[session] = gateway.listen(principal, listener, session=session)
        for run in gateway.running(principal, session):
            self._started(run)

    def unsubscribe(self, session: str | None = None) -> None:
        """What is being followed is told to its end."""
        leave = self._subscriptions.pop(session, None)
        if leave is not None:
            leave()

    @contextlib.contextmanager
    def events_after(self, key: str) -> Iterator[None]:
        """Events of the run with this id or idempotency key wait until the block is left."""
        self._held.setdefault(key, None)
        try:
            yield
        finally:
            run = self._held.pop(key, None)
            if run is not None:
                self.follow(run)

    def follow(self, run: Run) -> None:
        """Send the events of a live run from its beginning, unless they are being sent already."""
        if run.result is None:
            self._follow(run, Progress(is_older=self._protocol < 4))

    def resume(self, run: Run, behind: int) -> None:
        """Send the events of a run, which may have ended and is kept, behind the one with that number, unless
        they are being sent already."""
        self._follow(run, Progress(is_older=self._protocol < 4, behind=behind, replaces=True))

    def follows(self, run: Run) -> bool:
        return run.id in self._followed

    def _follow(self, run: Run, place: Progress) -> None:
        if run.id in self._followed:
            return
        telling = self._gateway.view(run, Telling)
        followed = _Followed(run, telling, place)

        def news() -> None:
            self._note(followed)

        telling.hear(news)
        self._followed[run.id] = (followed, news)
        if telling.view.size:
            self._note(followed)

    async def delivered(self, run: Run) -> None:
        """Until the events of an ended run have left."""
        known = self._followed.get(run.id)
        if known is not None:
            await known[0].told.wait()

    def tick(self, every_s: float) -> None:
        """A sign of life, from now on; a client that is being sent to needs none."""
        self._tick = asyncio.get_running_loop().call_later(every_s, self._ticked, every_s)

    def _ticked(self, every_s: float) -> None:
        self.tick(every_s)
        if not self._socket.busy:
            self._tasks.run(self.emit("tick", {"ts": now_ms()}), "ws.tick")

    async def wait(self, seconds: float) -> None:
        """Until every run this client follows has ended and been told, at most that long."""
        if not self._followed:
            return
        self._none_left = asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._none_left.wait()

    async def close(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        if self._leave_questions is not None:
            self._leave_questions()
            self._leave_questions = None
        if self._leave_pairing is not None:
            self._leave_pairing()
            self._leave_pairing = None
        for leave in self._unwatch:
            leave()
        self._unwatch = ()
        for session in list(self._subscriptions):
            self.unsubscribe(session)
        await self._tasks.close()
        for run_id in list(self._followed):
            self._leave(run_id)
        # They hold it in a circle, which is looked for seldom.
        del self._listener, self._all_listener

    def _started(self, run: Run) -> None:
        for key in (run.id, run.shown_id):
            if key in self._held:
                self._held[key] = run
                return
        self.follow(run)
        run.accepted.add_done_callback(partial(self._turned_out, run))

    def _turned_out(self, run: Run, accepted: "asyncio.Future[None]") -> None:
        """A repeat of a run that another process has is none: nothing of it is told."""
        is_repeat = not accepted.cancelled() and isinstance(accepted.exception(), Repeated)
        if is_repeat and run.id in self._followed:
            self._leave(run.id)

    def _any_started(self, run: Run) -> None:
        # One that is refused changes nothing; of these is a repeat of a run that another process has.
        run.accepted.add_done_callback(partial(self._any_accepted, run))
        self._started(run)

    def _any_accepted(self, run: Run, _: "asyncio.Future[None]") -> None:
        if None in self._subscriptions and not run.refused:
            self._run_changed(run, "start")

    def _any_ended(self, run: Run) -> None:
        if not run.refused:
            self._run_changed(run, "end")

    def _run_changed(self, run: Run, phase: str) -> None:
        session = run.request.session_key
        if session is not None:
            self._change(session, "run", run.request.agent_id, {"phase": phase, "runId": run.shown_id})

    def _session_changed(self, change: SessionChange) -> None:
        self._change(change.key, change.reason, change.agent, {"reason": change.reason})

    def _change(self, session: str, kind: str, agent: str, told: dict[str, Any]) -> None:
        """The newest of a kind stands for those before it, and is told last."""
        if self._changes.pop((session, kind), None) is None:
            self._socket.owe(_CHANGE_BYTES + len(session))
        self._changes[session, kind] = {"sessionKey": session, "agentId": agent, **told, "ts": now_ms()}
        self._news.set()

    def _asked(self, news: News) -> None:
        name = "requested" if isinstance(news, ApprovalRequested) else "resolved"
        self._put(f"exec.approval.{name}", msgspec.json.encode(news))

    def _pairing_told(self, news: PairingNews) -> None:
        name = "requested" if isinstance(news, PairingRequest) else "resolved"
        self._put(f"device.pair.{name}", msgspec.json.encode(news))

    def _put(self, name: str, payload: bytes) -> None:
        self._socket.owe(len(payload))
        self._questions.append((name, payload))
        self._news.set()

    def _note(self, followed: _Followed) -> None:
        """There is news of a run. Too much of it, and the client is told no more."""
        size = followed.telling.view.size
        self._socket.owe(size - followed.counted)
        followed.counted = size
        if not followed.due:
            followed.due = True
            self._due.append(followed)
            self._news.set()

    async def _write(self) -> None:
        """The one writer: one event of each run in turn, so that a long answer holds up no other."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._changes or self._due or self._questions or self._state:
                if self._questions:
                    await self._tell_question(*self._questions.pop(0))
                if self._state:
                    await self._tell_state()
                if self._changes:
                    await self._tell_change(next(iter(self._changes)))
                if self._due:
                    await self._tell(self._due.pop(0))

    async def _tell_change(self, which: tuple[str, str]) -> None:
        payload = self._changes.pop(which)
        try:
            await self.emit("sessions.changed", payload)
        finally:
            self._socket.owe(-(_CHANGE_BYTES + len(which[0])))

    async def _tell_question(self, name: str, payload: bytes) -> None:
        try:
            await self.emit(name, Raw(payload))
        finally:
            self._socket.owe(-len(payload))

    async def _tell(self, followed: _Followed) -> None:
        place, view = followed.place, followed.telling.view
        before = place.told
        told = view.next(place)
        if told is None:
            # What it has from before.
            self._socket.owe(before - place.told)
            followed.due = False
            followed.telling.shown()
            if view.ended:
                self._leave(followed.run.id)
            return
        self._due.append(followed)
        name, payload = told
        try:
            await self.emit(name, Raw(payload))
        finally:
            self._socket.owe(before - place.told)

    def _leave(self, run_id: str) -> None:
        followed, news = self._followed.pop(run_id)
        followed.telling.leave(news)
        self._gateway.release(followed.run, Telling, followed.telling)
        followed.told.set()
        if self._none_left is not None and not self._followed:
            self._none_left.set()
