"""Who wants to hear of runs: of all, of an owner's, of one session's.

A listener is told when a run starts and when it has ended, and what else becomes of a session. Who also
wants a run's events shares a view of it: one reader of the run's log per kind of view, however many look at
it, and none while nobody does. A run costs a listener nothing that was not asked for, and nothing that a
listener does reaches a run. Knows no door and no wire shape.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

import structlog
from msgspec import Struct

from openclaw_gateway.runs.run import Run
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

# "create": its first run was accepted. The others are what somebody has done to it, by whichever door.
ChangeReason = Literal["create", "patch", "reset", "delete", "fork", "compact", "inject"]
# After these it is not the session that it was: whatever is kept of it, wherever, is over.
ENDING: Final = frozenset[ChangeReason](("reset", "delete"))


class SessionChange(Struct, frozen=True):
    """What became of a session, apart from its runs. `key` and `owner` say which it is."""

    owner: str
    key: str
    agent: str
    reason: ChangeReason


def _nothing(run: Run) -> None:
    pass


def _unmoved(change: SessionChange) -> None:
    pass


class Listener:
    """What to call when a run begins (it need not be accepted yet), and when it has its result, its turn is
    recorded and its log may be gone; and when a session has changed otherwise. Be quick, do not block: the
    run waits."""

    __slots__ = ("changed", "ended", "started")

    def __init__(
        self,
        started: Callable[[Run], None] = _nothing,
        ended: Callable[[Run], None] = _nothing,
        changed: Callable[[SessionChange], None] = _unmoved,
    ) -> None:
        self.started = started
        self.ended = ended
        self.changed = changed


class View(Protocol):
    """What one kind of listener makes of a run's events, once for all."""

    async def follow(self) -> None:
        """Read the log to its end; cancelled when nobody looks any more. The log is subscribed to when the
        view is made: later its beginning may be gone."""

    def close(self) -> None:
        """Called once, after `follow`, even if that never began."""


V = TypeVar("V", bound=View)


class _Shared(Generic[V]):
    __slots__ = ("looking", "task", "view")

    def __init__(self, view: V, task: "asyncio.Task[None]") -> None:
        self.view = view
        self.task = task
        self.looking = 0


class Hub:
    def __init__(self) -> None:
        self._all: list[Listener] = []
        # owner -> listeners; (owner, session) -> listeners
        self._owners: dict[str, list[Listener]] = {}
        self._sessions: dict[tuple[str, str], list[Listener]] = {}
        self._views: dict[tuple[str, Callable[[Run], Any]], _Shared[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(
        self, listener: Listener, *, owner: str | None = None, session: str | None = None
    ) -> Callable[[], None]:
        """Until the returned function is called. With an `owner` only of that one's runs, with a `session`
        (a key of that owner's) only of that session's."""
        if owner is None:
            self._all.append(listener)
            return lambda: _leave(self._all, listener)
        if session is None:
            return _enter(self._owners, owner, listener)
        return _enter(self._sessions, (owner, session), listener)

    def is_heard(self, owner: str, session: str | None) -> bool:
        """Whether somebody listens to this owner's runs, or to those of this session, not to all."""
        return owner in self._owners or (session is not None and (owner, session) in self._sessions)

    def owners(self) -> frozenset[str]:
        """To whose runs somebody listens."""
        return frozenset(self._owners) | {owner for owner, _ in self._sessions}

    def started(self, run: Run) -> None:
        for listener in self._interested(run):
            if listener.started is not _nothing:
                _tell(listener.started, run, run=run.id)

    def ended(self, run: Run) -> None:
        for listener in self._interested(run):
            if listener.ended is not _nothing:
                _tell(listener.ended, run, run=run.id)

    def changed(self, change: SessionChange) -> None:
        """Only its owner's listeners hear of it."""
        for listener in self._of(change.owner, change.key):
            if listener.changed is not _unmoved:
                _tell(listener.changed, change, session=change.key)

    def view(self, run: Run, make: Callable[[Run], V]) -> V:
        """The view that all who ask with the same `make` share, reading since the first of them came; each
        one `release`s it."""
        shared = self._views.get((run.id, make))
        if shared is None:
            view: V = make(run)
            task = asyncio.create_task(self._follow(run, make, view), name=f"hub.view:{run.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: view.close())
            shared = self._views[run.id, make] = _Shared(view, task)
        shared.looking += 1
        found: V = shared.view
        return found

    def release(self, run: Run, make: Callable[[Run], V], view: V) -> None:
        """One less looks at it; after the last the log is not read any more. A view that has failed may have
        been followed by another one, which others look at."""
        shared = self._views.get((run.id, make))
        if shared is not None and shared.view is view:
            shared.looking -= 1
            if not shared.looking:
                del self._views[run.id, make]
                shared.task.cancel()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._views.clear()

    def _interested(self, run: Run) -> list[Listener]:
        if not self._owners and not self._sessions:
            return list(self._all)
        return self._of(run.request.origin.owner, run.request.session_key)

    def _of(self, owner: str, session: str | None) -> list[Listener]:
        """Each once, though it may listen to an owner and to sessions of his."""
        found = [*self._all, *self._owners.get(owner, ())]
        if session is not None:
            found += self._sessions.get((owner, session), ())
        return list(dict.fromkeys(found))

    async def _follow(self, run: Run, make: Callable[[Run], V], view: V) -> None:
        try:
            await view.follow()
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            log.exception("hub.view_failed", run=run.id)
        shared = self._views.get((run.id, make))
        if shared is not None and shared.view is view:
            del self._views[run.id, make]


K = TypeVar("K")


def _enter(listeners: dict[K, list[Listener]], key: K, listener: Listener) -> Callable[[], None]:
    listeners.setdefault(key, []).append(listener)

    def leave() -> None:
        present = listeners.get(key, [])
        _leave(present, listener)
        if not present:
            listeners.pop(key, None)

    return leave


def _leave(listeners: list[Listener], listener: Listener) -> None:
    if listener in listeners:
        listeners.remove(listener)


T = TypeVar("T")


def _tell(told: Callable[[T], None], news: T, **of: str) -> None:
    try:
        told(news)
    # The edge to whoever listens: their faults are no run's.
    except (Exception, asyncio.CancelledError):
        log.exception("hub.listener_failed", **of)
