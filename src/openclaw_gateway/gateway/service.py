"""The gateway: the one object that every door calls. Typed, no transport.

Holds what assembly.py built and adds no rule of its own beyond putting the rooms in order: authenticate,
route, start, find, abort. Everything a door may do is a method here, or of a room that it holds.
"""

from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.config.schema import (
    AGENTS_SWITCH,
    MESSAGES_SWITCH,
    RESPONSES_SWITCH,
    Config,
    Limits,
)
from openclaw_gateway.errors import AgentUnavailable, ShuttingDown
from openclaw_gateway.gateway.answers import Answers
from openclaw_gateway.gateway.approvals import Approvals
from openclaw_gateway.gateway.brought.attachments import Attachments, Hold
from openclaw_gateway.gateway.brought.sent import Terms
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.embedding import Embeddings, Vectors, Wanted
from openclaw_gateway.gateway.generation import Generation, Standing
from openclaw_gateway.gateway.health import Health, Readiness
from openclaw_gateway.gateway.held.errands import SessionErrands
from openclaw_gateway.gateway.held.forks import SessionForks
from openclaw_gateway.gateway.held.said_at import SaidImages
from openclaw_gateway.gateway.held.search import SessionSearch
from openclaw_gateway.gateway.held.sessions import HeldSessions
from openclaw_gateway.gateway.idempotency import NamedRuns
from openclaw_gateway.gateway.operator.model_trials import ModelTrials
from openclaw_gateway.gateway.operator.rooms import OperatorRooms
from openclaw_gateway.gateway.pairing import Pairing
from openclaw_gateway.gateway.peers import Peers
from openclaw_gateway.gateway.presence import Presence
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE, Principal
from openclaw_gateway.gateway.requests import origin_of
from openclaw_gateway.gateway.retried_elsewhere import AttemptsElsewhere
from openclaw_gateway.gateway.retries import AttemptNames, Retries
from openclaw_gateway.gateway.routing import Ask, Route, route, unknown_agent
from openclaw_gateway.gateway.signatures import Signatures
from openclaw_gateway.gateway.spending import Spending
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.elsewhere.ending import Elsewhere, Ending
from openclaw_gateway.runs.first_tokens import first_tokens
from openclaw_gateway.runs.hub import Listener, V
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.plans.known_models import KnownModel
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.questions import Questions
from openclaw_gateway.runs.run import BY_REQUEST, Run, now_ms
from openclaw_gateway.sessions.attempts import SharedAttempts
from openclaw_gateway.sessions.bus import Bus, BusHealth
from openclaw_gateway.sessions.keys import main_key
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.store import SessionRecord, Store
from openclaw_gateway.tools.base import Tool
from openclaw_gateway.tools.exec.approvals import KeptApprovals
from openclaw_gateway.tools.policy.matching import normal_name
from openclaw_gateway.tools.policy.over_http import closed_over_http
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import Door, Note, RunRequest
from openclaw_gateway.work.deeds import Deeds


class Rooms(Struct, frozen=True):
    """What assembly.py hands in. `approvals` are the rules of what commands may run; `starting` names what is
    still on its way up, if anything; `grep_engine` what the tool `grep` looks with."""

    generation: Generation
    store: Store
    bus: Bus
    attempts: SharedAttempts | None
    live: LiveRuns
    deeds: Deeds
    questions: Questions
    devices: Devices
    approvals: KeptApprovals
    embeddings: Embeddings
    attachments: Attachments
    model_trials: ModelTrials
    starting: Callable[[], str | None]
    grep_engine: Callable[[], Awaitable[str]]


class Gateway:
    """`peers` is what is known of other processes of this gateway, where there may be any; `url` is where
    this one listens, "" = nowhere yet."""

    peers: Peers | None = None
    url: str = ""

    def __init__(self, rooms: Rooms) -> None:
        self.generation = rooms.generation
        self.standing = Standing()
        self.started_ms = now_ms()
        self._store = rooms.store
        self._bus = rooms.bus
        self._elsewhere = Elsewhere(rooms.store, rooms.bus)
        self._live = rooms.live
        self._questions = rooms.questions
        self.approvals = Approvals(rooms.questions)
        self.devices = rooms.devices
        self.pairing = Pairing(rooms.devices)
        self._embeddings = rooms.embeddings
        self.attachments = rooms.attachments
        self.grep_engine = rooms.grep_engine
        self._named = NamedRuns(rooms.live, rooms.store, rooms.bus, self._follow)
        self.attempt_names = AttemptNames(rooms.attempts)
        self._retries = Retries(rooms.live, rooms.bus, self._attempts_elsewhere(rooms))
        self.answers = Answers(
            rooms.live,
            rooms.store,
            rooms.bus,
            self._named,
            lambda: self.generation.plans,
            follow=self._follow,
            told=self._told,
            abort=self.abort,
            deeds=rooms.deeds,
        )
        self.held = HeldSessions(
            rooms.live,
            rooms.store,
            self.abort_session,
            lambda key: any(key == main_key(agent.id) for agent in self.roster),
            rooms.deeds,
            ending=self.ending,
        )
        self.said_images = SaidImages(rooms.store)
        self.session_forks = SessionForks(rooms.store, rooms.live.hub, rooms.deeds)
        self.session_errands = SessionErrands(self.start, self.held)
        self.session_search = SessionSearch(rooms.store)
        self.presence = Presence()
        self.signatures = Signatures()
        self._health = Health(rooms.store, rooms.live, rooms.starting)
        self.health_news = self._health.news
        self.spending = Spending(rooms.store)
        self.operator = OperatorRooms(
            lambda: self.generation, self._at_work, rooms.model_trials, rooms.approvals, rooms.deeds
        )

    def adopt(self, generation: Generation) -> None:
        """From now on this is the configuration. Runs that go on keep the one they began with."""
        before, self.generation = self.generation, generation
        before.authenticator.replaced_by(generation.authenticator)
        self._live.go_by(generation.terms)
        before.terms.lease.leave()

    @property
    def config(self) -> Config:
        return self.generation.config

    @property
    def limits(self) -> Limits:
        return self.generation.limits

    @property
    def roster(self) -> Roster:
        return self.generation.roster

    @property
    def auth_mode(self) -> str:
        return self.generation.authenticator.mode

    @property
    def chat_switch(self) -> str | None:
        """The key of the configuration that switches chat completions on; None when they are."""
        return self.generation.chat_switch

    @property
    def responses_switch(self) -> str | None:
        """The same for the Responses API."""
        return None if self.config.gateway.http.endpoints.responses.enabled else RESPONSES_SWITCH

    @property
    def messages_switch(self) -> str | None:
        """The same for Anthropic's Messages API."""
        return None if self.config.gateway.http.endpoints.messages.enabled else MESSAGES_SWITCH

    @property
    def agents_switch(self) -> str | None:
        """The same for OpenAI's Agents API."""
        return None if self.config.gateway.http.endpoints.agents.enabled else AGENTS_SWITCH

    @property
    def is_tolerant(self) -> bool:
        """Whether chat completions may be asked for in the words of the Responses API."""
        return self.config.gateway.http.endpoints.chat_completions.tolerant

    @property
    def keeps_house(self) -> bool:
        """Whether what front ends ask for themselves is kept from the agents."""
        return self.config.gateway.http.endpoints.chat_completions.housekeeping

    def authenticate(self, credential: str | None, caller: Caller) -> Principal:
        """Raises Unauthorized, RateLimited."""
        return self.generation.authenticator.authenticate(credential, caller)

    def route(self, ask: Ask) -> Route:
        """Raises InvalidRequest, NotFound."""
        generation = self.generation
        chat = generation.config.gateway.http.endpoints.chat_completions
        found = route(ask, generation.roster, chat.unknown_model)
        if ask.backend and ask.backend.strip():
            plan = generation.plans[found.agent_id]
            found = replace(found, backend=generation.choices.chosen(plan, ask.backend))
        return found

    def known_models(self, principal: Principal) -> tuple[KnownModel, ...]:
        """Those behind the agents, and what else is configured."""
        principal.require(READ)
        return self.generation.models.all()

    def target(self, agent_id: str) -> ModelTarget | None:
        """The first model of an agent; None of one that has none that can be asked."""
        targets = self.generation.plans[agent_id].targets
        return targets[0] if targets else None

    def target_name(self, agent_id: str) -> str:
        """`provider/model` of an agent; "" of one that has none that can be asked."""
        target = self.target(agent_id)
        return target.ref if target else ""

    async def start(self, principal: Principal, request: RunRequest) -> Run:
        """Start a run, or get the one that a request of the same name started, or an earlier attempt of this
        one; returns once it is accepted: on disk, where it has a session or a name.

        Raises Forbidden, AgentUnavailable, Overloaded, SessionBusy, StoreError, InvalidRequest
        (IdempotencyMismatch).
        """
        principal.require(WRITE)
        plan = self._plan_for(principal, request)
        if request.attempt is not None:
            return await self._retries.start(request, request.attempt, plan)
        if request.idempotency is not None:
            return await self._named.start(request, request.idempotency, plan)
        return await self._live.start(request, plan)

    def _plan_for(self, principal: Principal, request: RunRequest) -> Plan:
        """Raises AgentUnavailable, Forbidden, InvalidRequest."""
        if request.model and request.origin.parent is None:
            principal.require(ADMIN)
        return self.plan_of(request)

    def plan_of(self, request: RunRequest) -> Plan:
        """What a request is executed with, whoever asks. Raises AgentUnavailable, InvalidRequest."""
        plan = self.generation.plans.get(request.agent_id)
        if plan is None:
            # It was there when the request was routed.
            raise unknown_agent(request.agent_id, self.roster)
        if request.task is not None:
            plan = plan.for_task()
        if plan.refusal is not None and not isinstance(request.errand, Note):
            if plan.refusal.sandbox:
                raise AgentUnavailable(plan.refusal.reason, code="sandbox_unavailable")
            raise AgentUnavailable(plan.refusal.reason)
        if request.model:
            plan = self._with_model(plan, request)
        return plan

    async def take_in(
        self, principal: Principal, route: Route, messages: tuple[Message, ...], terms: Terms, hold: Hold
    ) -> tuple[Message, ...]:
        """The messages of a request with all that they bring besides text, for the models that it goes to:
        fetched, and known by its content. `hold` is told what that takes.

        Raises Forbidden, InvalidRequest, Overloaded.
        """
        principal.require(WRITE)
        plan = self.generation.plans.get(route.agent_id)
        if plan is not None and route.backend and plan.refusal is None:
            plan = self._chosen(plan, route.backend)
        return await self.attachments.take_in(messages, plan.targets if plan else (), terms, hold)

    def _with_model(self, plan: Plan, request: RunRequest) -> Plan:
        """What a client chooses is asked alone; a sub-agent has the others behind it.

        Raises InvalidRequest.
        """
        if request.origin.parent is not None:
            return plan.led_by(request.model)
        return self._chosen(plan, request.model)

    def _chosen(self, plan: Plan, ref: str) -> Plan:
        return self.generation.choices.plan(plan, ref, self.generation.inputs)

    def tool(self, principal: Principal, door: Door, route: Route, name: str) -> Tool | None:
        """The agent's tool of this name, for a client that would call it itself. None where the agent has
        none, and where such a client may not, by whichever door. Raises Forbidden."""
        principal.require(WRITE)
        plan = self.generation.plans.get(route.agent_id)
        if plan is None or closed_over_http(name, self.config.gateway.tools):
            return None
        asks = origin_of(principal, door, route, invoking=True)
        return plan.equipment.toolbox(asks, route.session_key).get(normal_name(name))

    async def estimate(self, principal: Principal, request: RunRequest) -> int:
        """About how many tokens a run of this request would begin with. No run is started; what a run would
        refuse is refused.

        Raises AgentUnavailable, Forbidden, InvalidRequest.
        """
        principal.require(READ)
        return await first_tokens(self._plan_for(principal, request), request)

    async def embed(self, principal: Principal, wanted: Wanted) -> Vectors:
        """What an agent's embedding model makes of texts. No run: no session, no lane, no prompt.

        Raises Forbidden, InvalidRequest, NotFound, EmbeddingsUnavailable, Overloaded, ProviderError.
        """
        principal.require(WRITE)
        if self._live.admission.draining:
            raise ShuttingDown
        generation = self.generation
        chat = generation.config.gateway.http.endpoints.chat_completions
        return await self._embeddings.embed(
            principal, wanted, generation.roster, generation.embeddings, chat.unknown_model
        )

    def find(self, principal: Principal, name: str) -> Run | None:
        """A live or retained run of this caller, by its idempotency key or its id."""
        principal.require(READ)
        return self._find(principal, name)

    async def ending(self, principal: Principal, name: str) -> Ending | None:
        """How a run of this caller's ended that is not live here; one that another process executes is waited
        for. None when no such run is known. Raises StoreError."""
        principal.require(READ)
        return await self._elsewhere.ending(name, principal.owner)

    async def abort(self, principal: Principal, name: str, reason: str = BY_REQUEST) -> bool:
        """Abort one run, by its idempotency key or id, whichever process executes it; False when it is not
        open (or not the caller's).

        Raises StoreError.
        """
        principal.require(WRITE)
        run = self._find(principal, name)
        # What has ended here without an answer may go on elsewhere.
        if run is not None and (run.abort(reason) or run.keeps_answer):
            return run.result is None
        if await self._elsewhere.abort(name, principal.owner):
            return True
        return self.peers is not None and self.peers.neighbours.stop(principal.owner, name)

    async def abort_session(self, principal: Principal, session_key: str) -> tuple[str, ...]:
        """Abort every open run of a session, whichever process executes it; the ids of those that were.

        Raises StoreError.
        """
        principal.require(WRITE)
        here = [run for run in self.running(principal, session_key) if run.abort(BY_REQUEST)]
        there = await self._elsewhere.abort_session(
            session_key, principal.owner, but={run.id for run in here}
        )
        return (*(run.shown_id for run in here), *there)

    async def abort_before(self, principal: Principal, run: Run) -> None:
        """Abort the open runs of a run's session that came before it, whichever process executes them: none,
        once it has ended.

        Raises StoreError.
        """
        ids = await self._store.open_runs(principal.owner, run.request.session_key or "")
        earlier = ids[: ids.index(run.id)] if run.id in ids else ()
        # The last first: none that is to end has its turn because another has ended.
        for run_id in reversed(earlier):
            await self.abort(principal, run_id)

    def listen(
        self, principal: Principal, listener: Listener, *, session: str | None = None
    ) -> Callable[[], None]:
        """Tell `listener` of the caller's runs here, or of those in one session, until the returned function
        is called."""
        principal.require(READ)
        leave = self._live.hub.listen(listener, owner=principal.owner, session=session)
        if self.peers is not None:
            self.peers.neighbours.joined(principal.owner, session)
        return leave

    def running(self, principal: Principal, session: str | None = None) -> tuple[Run, ...]:
        """The caller's live runs here, or those in one session, in order of their start. One that was
        followed here before it was executed here is one."""
        principal.require(READ)
        found = {
            run.id: run
            for run in self._live.running()
            if run.request.origin.owner == principal.owner and session in (None, run.request.session_key)
        }
        return tuple(found.values())

    def view(self, run: Run, make: Callable[[Run], V]) -> V:
        """The view of a run's events that all share who ask with the same `make`; to be released."""
        return self._live.hub.view(run, make)

    def release(self, run: Run, make: Callable[[Run], V], view: V) -> None:
        self._live.hub.release(run, make, view)

    async def sessions(
        self, principal: Principal, *, agent: str | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[tuple[SessionRecord, ...], int]:
        """(the caller's sessions, newest first; how many there are in all)."""
        principal.require(READ)
        owner = principal.owner
        records = await self._store.list_sessions(owner, agent=agent, limit=limit, offset=offset)
        return records, await self._store.count_sessions(owner, agent=agent)

    def uptime_ms(self) -> int:
        return self._health.uptime_ms()

    def live_runs(self) -> int:
        return len(self._live)

    def most_runs(self) -> tuple[int, int]:
        """(how many runs may be executed at once, how many of them this process may take): the same number,
        unless it has to count alone."""
        return self._live.admission.most, self._live.admission.share

    def _at_work(self, agent_id: str) -> int:
        return sum(run.request.agent_id == agent_id for run in self._live.running())

    async def idle(self) -> None:
        """Wait until no run is live."""
        await self._live.idle()

    async def readiness(self) -> Readiness:
        """Whether a request would be served now."""
        return await self._health.readiness()

    async def replicas(self) -> tuple[Replica, ...]:
        """The processes of this gateway, where there may be several. Raises StoreError."""
        return () if self.peers is None else await self.peers.store.replicas()

    def bus_health(self) -> BusHealth:
        return self._bus.health()

    def suspend(self, *, suspended: bool) -> None:
        """Take no new runs while the state directory is not this process's own."""
        self._live.admission.suspended = suspended
        self._health.notice()

    def leave(self) -> None:
        """Before a drain, where there are others: `readiness` says no, and requests are still taken."""
        self._live.admission.leaving = True
        self._health.notice()

    def refuse_runs(self) -> None:
        """First step of a drain: new runs get 503 while the doors still answer, and open questions are no."""
        self._live.refuse()
        self._health.notice()
        self._questions.close()
        self.held.close()

    async def drain(self, seconds: float) -> None:
        """Let the runs end for `seconds`, then abort the rest; every turn is recorded on return."""
        self._questions.close()
        self.held.close()
        await self._live.drain(seconds)

    def _attempts_elsewhere(self, rooms: Rooms) -> AttemptsElsewhere | None:
        if rooms.attempts is None:
            return None
        return AttemptsElsewhere(rooms.attempts, rooms.store, self._follow)

    async def _follow(self, owner: str, run_id: str) -> Run | None:
        """A run that another process executes; None where it is not known, or there is no other process."""
        return None if self.peers is None else await self.peers.following.run(owner, run_id)

    async def _told(self, run_id: str) -> tuple[Event, ...] | None:
        """What a run said that other processes may have executed."""
        return None if self.peers is None else await self.peers.following.told(run_id)

    def _find(self, principal: Principal, name: str) -> Run | None:
        run = self._named.find(principal.owner, name) or self._live.find(name)
        return run if run is not None and run.request.origin.owner == principal.owner else None
