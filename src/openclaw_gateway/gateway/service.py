"""The gateway: the one object that every door calls. Typed, no transport.

Holds what assembly.py built and adds no rule of its own beyond putting the rooms in order: authenticate,
route, start, find, abort. Everything a door may do is a method here.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.config.schema import CHAT_SWITCH, Config
from openclaw_gateway.errors import AgentUnavailable, InvalidRequest
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.principal import READ, WRITE, Principal
from openclaw_gateway.gateway.routing import Ask, Route, route
from openclaw_gateway.runs.elsewhere import Elsewhere, Ending
from openclaw_gateway.runs.hub import Listener, V, View
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.plan import Plan
from openclaw_gateway.runs.run import BY_REQUEST, Run, now_ms
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.store import SessionRecord, Store
from openclaw_gateway.wire.run import RunRequest


class Readiness(Struct, frozen=True):
    """`failing` names what keeps the gateway from taking requests."""

    failing: tuple[str, ...]
    uptime_ms: int

    @property
    def ready(self) -> bool:
        return not self.failing


class Rooms(Struct, frozen=True):
    """What assembly.py hands in. `starting` names what is still on its way up, if anything."""

    config: Config
    roster: Roster
    plans: Mapping[str, Plan]
    authenticator: Authenticator
    store: Store
    bus: Bus
    live: LiveRuns
    starting: Callable[[], str | None]


class Gateway:
    def __init__(self, rooms: Rooms) -> None:
        self.config = rooms.config
        self.limits = rooms.config.gateway.limits
        self.roster = rooms.roster
        self.started_ms = now_ms()
        self._plans = rooms.plans
        self._authenticator = rooms.authenticator
        self._store = rooms.store
        self._elsewhere = Elsewhere(rooms.store, rooms.bus)
        self._live = rooms.live
        self._starting = rooms.starting

    @property
    def auth_mode(self) -> str:
        return self._authenticator.mode

    @property
    def chat_switch(self) -> str | None:
        """The key of the configuration that switches chat completions on; None when they are."""
        return None if self.config.gateway.http.endpoints.chat_completions.enabled else CHAT_SWITCH

    def authenticate(self, credential: str | None, peer: str) -> Principal:
        """Raises Unauthorized, RateLimited."""
        return self._authenticator.authenticate(credential, peer)

    def route(self, ask: Ask) -> Route:
        """Raises InvalidRequest."""
        return route(ask, self.roster, self.config.gateway.http.endpoints.chat_completions.unknown_model)

    def target_name(self, agent_id: str) -> str:
        """`provider/model` of an agent."""
        return self._plans[agent_id].target.ref

    async def start(self, principal: Principal, request: RunRequest) -> Run:
        """Start a run; returns once it is accepted. A run id that is live or retained returns that run.

        Raises Forbidden, Overloaded, SessionBusy, StoreError, InvalidRequest.
        """
        principal.require(WRITE)
        plan = self._plans[request.agent_id]
        if plan.refusal is not None:
            raise AgentUnavailable(plan.refusal, code="sandbox_unavailable")
        run = await self._live.start(request, plan)
        _same_owner(run, principal)
        return run

    def find(self, principal: Principal, run_id: str) -> Run | None:
        """A live or retained run of this caller."""
        principal.require(READ)
        run = self._live.find(run_id)
        return run if run is not None and run.request.origin.owner == principal.owner else None

    async def ending(self, principal: Principal, run_id: str) -> Ending | None:
        """How a run of this caller's ended that is not live here; one that another process executes is waited
        for. None when no such run is known. Raises StoreError."""
        principal.require(READ)
        return await self._elsewhere.ending(run_id, principal.owner)

    async def abort(self, principal: Principal, run_id: str, reason: str = BY_REQUEST) -> bool:
        """Abort one run, whichever process executes it; False when it is not open (or not the caller's).

        Raises StoreError.
        """
        principal.require(WRITE)
        run = self._live.find(run_id)
        if run is not None:
            return run.request.origin.owner == principal.owner and run.abort(reason)
        return await self._elsewhere.abort(run_id, principal.owner)

    async def abort_session(self, principal: Principal, session_key: str) -> tuple[str, ...]:
        """Abort every open run of a session, whichever process executes it; the ids of those that were.

        Raises StoreError.
        """
        principal.require(WRITE)
        live = self.running(principal, session_key)
        here = [run.id for run in live if run.abort(BY_REQUEST)]
        there = await self._elsewhere.abort_session(
            session_key, principal.owner, but={run.id for run in live}
        )
        return (*here, *there)

    def listen(
        self, principal: Principal, listener: Listener, *, session: str | None = None
    ) -> Callable[[], None]:
        """Tell `listener` of the caller's runs here, or of those in one session, until the returned function
        is called."""
        principal.require(READ)
        return self._live.hub.listen(listener, owner=principal.owner, session=session)

    def running(self, principal: Principal, session: str | None = None) -> tuple[Run, ...]:
        """The caller's live runs here, or those in one session, in order of their start."""
        principal.require(READ)
        return tuple(
            run
            for run in self._live.running()
            if run.request.origin.owner == principal.owner and session in (None, run.request.session_key)
        )

    def view(self, run: Run, make: Callable[[Run], V]) -> V:
        """The view of a run's events that all share who ask with the same `make`; to be released."""
        return self._live.hub.view(run, make)

    def release(self, run: Run, make: Callable[[Run], View]) -> None:
        self._live.hub.release(run, make)

    async def sessions(
        self, principal: Principal, *, agent: str | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[tuple[SessionRecord, ...], int]:
        """(the caller's sessions, newest first; how many there are in all)."""
        principal.require(READ)
        records = await self._store.list_sessions(
            owner=principal.owner, agent=agent, limit=limit, offset=offset
        )
        return records, await self._store.count_sessions(owner=principal.owner, agent=agent)

    def live_runs(self) -> int:
        return len(self._live)

    async def idle(self) -> None:
        """Wait until no run is live."""
        await self._live.idle()

    async def readiness(self) -> Readiness:
        """Whether a request would be served now."""
        failing = []
        if self._live.draining:
            failing.append("draining")
        if not (await self._store.health()).ok:
            failing.append("store")
        starting = self._starting()
        if starting is not None:
            failing.append(starting)
        return Readiness(tuple(failing), now_ms() - self.started_ms)

    def refuse_runs(self) -> None:
        """First step of a drain: new runs get 503 while the doors still answer."""
        self._live.refuse()

    async def drain(self, seconds: float) -> None:
        """Let the runs end for `seconds`, then abort the rest; every turn is recorded on return."""
        await self._live.drain(seconds)


def _same_owner(run: Run, principal: Principal) -> None:
    if run.request.origin.owner != principal.owner:
        raise InvalidRequest(
            "This run id is taken. Use a new idempotency key.", code="duplicate_run", param="idempotencyKey"
        )
