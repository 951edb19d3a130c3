"""Opens blueprints: the first one into a gateway, each later one into its next generation.

Knows every room below the doors; daemon.py gives what is built here a life. Nothing here is on the request
path.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from functools import partial
from socket import gethostname

import msgspec
import structlog

import openclaw_gateway
from openclaw_gateway.agents.homes import shared_homes
from openclaw_gateway.agents.prompt_cache import PromptCache
from openclaw_gateway.agents.skill_rules import skill_rules
from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.config.brands import typed
from openclaw_gateway.config.schema import CHAT_SWITCH, Config
from openclaw_gateway.foundation import Foundation, lay
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.brought.attachments import Attachments
from openclaw_gateway.gateway.embedding import Embeddings
from openclaw_gateway.gateway.generation import Generation
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.gateway.operator.model_trials import ModelTrials
from openclaw_gateway.gateway.peers import Peers
from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.gateway.service import Gateway, Rooms
from openclaw_gateway.gateway.vouching import Vouching
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.target import LOCAL, ModelTarget
from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.context.compaction import Compactor
from openclaw_gateway.runs.context.keeper import ContextKeeper
from openclaw_gateway.runs.conversations import Conversations
from openclaw_gateway.runs.elsewhere.asked import AskedElsewhere
from openclaw_gateway.runs.elsewhere.followers import Followers
from openclaw_gateway.runs.elsewhere.following import Following
from openclaw_gateway.runs.elsewhere.membership import Membership
from openclaw_gateway.runs.elsewhere.mirrored import Mirrors
from openclaw_gateway.runs.elsewhere.neighbours import Neighbours
from openclaw_gateway.runs.elsewhere.news import ConversationOver, NewsChannel
from openclaw_gateway.runs.elsewhere.shown import ShownAnywhere
from openclaw_gateway.runs.elsewhere.waiting import WaitingElsewhere
from openclaw_gateway.runs.hub import ENDING, Listener, SessionChange
from openclaw_gateway.runs.kept import KeptAnswers
from openclaw_gateway.runs.lease import Lease
from openclaw_gateway.runs.ledger import Ledger
from openclaw_gateway.runs.live import LiveRuns, Others, Terms
from openclaw_gateway.runs.loop import RunLoop
from openclaw_gateway.runs.loop_guard import MAX_ROUNDS
from openclaw_gateway.runs.memory import Memory
from openclaw_gateway.runs.plans.plan import Plan, Refusal
from openclaw_gateway.runs.plans.planning import PlanInputs, make_plan, refused_plan, without_sandbox
from openclaw_gateway.runs.rounds import Rounds
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.shown import ShownHere
from openclaw_gateway.runs.sub_agents import SubAgents
from openclaw_gateway.sessions.limits import SharedLimits
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.reset import ResetPolicy
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.store import Claim
from openclaw_gateway.tools.base import ToolServices, conversation
from openclaw_gateway.tools.mcp.servers import McpServers
from openclaw_gateway.tools.web.fetching import Fetcher
from openclaw_gateway.wire.run import RunRequest
from openclaw_gateway.work.deeds import Deeds

log = structlog.get_logger()


class Assembly:
    """`undo` closes what was opened, in reverse order."""

    gateway: Gateway

    def __init__(self, undo: contextlib.AsyncExitStack) -> None:
        self._undo = undo
        self._foundation: Foundation
        self._plan: Blueprint
        self._prompts: PromptCache
        self._book_lease: Lease
        self._membership: Membership | None = None
        self._mirrors: Mirrors | None = None
        self._channel: NewsChannel | None = None
        self._shown: ShownAnywhere | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def build(self, plan: Blueprint) -> Gateway:
        """Raises StoreError."""
        loaded = plan.loaded
        local = LocalModel.from_environment(loaded.environ)
        self._foundation = await lay(loaded, local, self._undo)
        self._undo.push_async_callback(self._closed)
        if self._foundation.shared is not None:
            self._channel = NewsChannel(self._foundation.bus)
            waiting = WaitingElsewhere(self._foundation.shared, self._foundation.bus, self._channel)
            self._undo.push_async_callback(waiting.close)
            self._foundation.lanes.go_beyond(waiting)
            self._mirrors = Mirrors(self._foundation.shared, self._foundation.bus, waiting.tell)
            self._undo.push_async_callback(self._mirrors.taken_back.close)
            self._shown = ShownAnywhere(self._channel)
        generation = await self._open(plan, None)
        # Who is alone counts alone, whatever bus there is.
        room = None if self._foundation.shared is None else self._foundation.limits.runs
        live = LiveRuns(self._foundation.bus, generation.terms, self._others(plan), room)
        self._undo.push_async_callback(live.hub.close)
        live.hub.listen(Listener(ended=self._run_over, changed=self._session_changed))
        ledger = Ledger(self._foundation.store)
        ledger.open(live.hub)
        self._undo.push_async_callback(ledger.close)
        deeds = Deeds()
        self._undo.push_async_callback(deeds.close)
        self._undo.push_async_callback(self._leave_others)
        self._undo.push_async_callback(live.drain, 0)
        rooms = self._foundation
        self.gateway = Gateway(
            Rooms(
                generation,
                rooms.store,
                rooms.bus,
                rooms.attempts if rooms.shared else None,
                live,
                deeds,
                rooms.questions,
                rooms.books.devices,
                rooms.books.approvals,
                Embeddings(rooms.embedder, ledger),
                Attachments(Fetcher(), rooms.jobs),
                ModelTrials(rooms.caller),
                rooms.embedded.starting,
                rooms.jobs.ripgrep.engine,
            )
        )
        self._undo.callback(self._left)
        await self._join(plan, live)
        return self.gateway

    def _others(self, plan: Blueprint) -> Others | None:
        rooms = self._foundation
        mirrors = self._mirrors
        if rooms.shared is None or mirrors is None:
            return None
        return Others(mirrors, LocalBus(), plan.cluster.role == "front", rooms.shared.hand_over)

    async def _join(self, plan: Blueprint, live: LiveRuns) -> None:
        """Become one of several, where the store is shared."""
        rooms, gateway, channel = self._foundation, self.gateway, self._channel
        if rooms.shared is None or channel is None or self._shown is None:
            return
        followers = Followers(channel, live.hub, live.find)
        live.when_left = followers.count
        self._undo.callback(followers.close)
        self._shown.open(followers, live.mirrored)
        self._undo.push_async_callback(self._shown.close)
        following = Following(rooms.shared, rooms.bus, live, gateway.plan_of)
        neighbours = Neighbours(channel, live.hub, following)
        neighbours.open()
        self._undo.push_async_callback(neighbours.close)
        channel.heed(ConversationOver, lambda news: self._over(news.conversation))
        elsewhere = AskedElsewhere(rooms.shared, channel, rooms.questions)
        elsewhere.open()
        self._undo.push_async_callback(elsewhere.close)
        # The first to close: those above do not hear what comes while they do.
        self._undo.callback(channel.close)
        gateway.peers = Peers(rooms.shared, following, neighbours)
        self._membership = Membership(
            rooms.shared,
            rooms.bus,
            live,
            partial(_replica, fresh_digits(), plan, gateway, live),
            gateway.plan_of,
            lease_s=plan.cluster.lease_s,
        )
        await self._membership.open()

    async def _leave_others(self) -> None:
        if self._membership is not None:
            await self._membership.close()

    async def adopt(self, plan: Blueprint) -> None:
        """Make it the gateway's configuration, without disturbing what goes on."""
        before = self._plan
        generation = await self._open(plan, self.gateway.generation)
        # A start tells it on its terminal.
        for left_out in plan.left_out:
            log.warning("config.left_out", detail=str(left_out))
        self._foundation.go_by(generation.config)
        known = before.catalog.endpoints.credentials()
        for provider, credentials in plan.catalog.endpoints.credentials().items():
            if known.get(provider) != credentials:
                self._foundation.cooldowns.forget(provider)
        self.gateway.adopt(generation)

    async def _open(self, plan: Blueprint, before: Generation | None) -> Generation:
        config = plan.loaded.config
        servers = McpServers(config.mcp, plan.loaded.environ, self._foundation.mcp)
        if (notice := servers.notice()) is not None:
            log.warning("mcp.unavailable", detail=notice)
        refusals = await _without_sandbox(plan)
        # From here on nothing waits: what is opened is in the lease before anything can go wrong.
        prompts_lease = self._open_prompts(plan, before)
        servers.start()
        lease = Lease(lambda: self._release(servers, prompts_lease))
        self._plan = plan
        if any(_is_embedded(settled.targets[0]) for settled in plan.agents.values()):
            self._foundation.embedded.warm()
        inputs = self._inputs(plan, servers)
        limits, defaults = config.gateway.limits, config.agents.defaults
        return Generation(
            number=1 if before is None else before.number + 1,
            config=config,
            shown=plan.shown,
            limits=limits,
            roster=plan.roster,
            plans=_plans(plan, inputs, refusals),
            guard=plan.guard,
            proxies=plan.proxies,
            authenticator=_authenticator(plan, before, self._foundation.limits),
            chat_switch=None if config.gateway.http.endpoints.chat_completions.enabled else CHAT_SWITCH,
            terms=Terms(self._loop(plan), defaults.max_concurrent or limits.max_runs, lease),
            servers=servers.states,
            embeddings=plan.embeddings,
            choices=plan.choices,
            models=plan.known_models,
            inputs=inputs,
            homes=plan.prompts,
            own_dir=plan.loaded.own_dir,
            needed=(
                plan.loaded.own_dir,
                plan.loaded.state_dir,
                plan.loaded.path.parent,
                plan.loaded.home,
            ),
            program=typed(plan.loaded.environ),
        )

    def _inputs(self, plan: Blueprint, servers: McpServers) -> PlanInputs:
        services = ToolServices(
            state_dir=plan.loaded.own_dir,
            environ=plan.loaded.environ,
            approvals=self._foundation.books.approvals,
            sessions=Conversations(self._foundation.store, self._start_run),
            agents=_Agents(plan),
            jobs=self._foundation.jobs,
            skills=skill_rules(plan.loaded).folders,
            skill_environment=self._prompts.skill_environment,
            commands=self._foundation.commands,
            sub_agents=SubAgents(self._start_run),
            questions=self._foundation.questions,
        )
        return PlanInputs(self._prompts, services, servers.tools)

    def _open_prompts(self, plan: Blueprint, before: Generation | None) -> Lease:
        """The prompts, with the lease on them: those of before where nothing they depend on has changed."""
        if before is not None and _prompts(plan) == _prompts(self._plan):
            self._book_lease.enter()
            return self._book_lease
        loaded = plan.loaded
        prompts = PromptCache(
            plan.roster, plan.prompts, skills=skill_rules(loaded), environ=loaded.environ, zone=plan.zone
        )
        self._prompts, self._book_lease = prompts, Lease(lambda: self._close_later(prompts.close()))
        return self._book_lease

    def _loop(self, plan: Blueprint) -> RunLoop:
        rooms, config = self._foundation, plan.loaded.config
        defaults = config.agents.defaults
        rounds = Rounds(
            rooms.models,
            ContextKeeper(
                Compactor(rooms.store, rooms.models, defaults.compaction),
                defaults.context_pruning,
                defaults.compaction,
            ),
            rooms.store,
            max_tool_rounds=config.tools.max_tool_rounds or MAX_ROUNDS,
        )
        memory = Memory(
            rooms.store, _reset_policy(config), plan.zone, rooms.held, over=self._conversation_over
        )
        goes_on = None if self._mirrors is None else self._mirrors.goes_on
        shown = self._shown or ShownHere()
        return RunLoop(rooms.lanes, memory, rounds, KeptAnswers(rooms.store), shown, goes_on=goes_on)

    def _conversation_over(self, claim: Claim) -> None:
        name = conversation(claim.owner, claim.session, claim.run_id)
        self._over(name)
        if self._channel is not None:
            self._channel.tell(ConversationOver(name))

    def _run_over(self, run: Run) -> None:
        """A request without a session is a conversation of its own."""
        if run.request.session_key is None:
            self._over(conversation(run.request.origin.owner, None, run.id))

    def _session_changed(self, change: SessionChange) -> None:
        """Whoever begins it anew or deletes it, by whichever process, ends what it was until then."""
        if change.reason in ENDING:
            self._over(conversation(change.owner, change.key, ""))

    def _over(self, name: str) -> None:
        self._foundation.commands.end(name)
        self._foundation.questions.earlier.forget(name)

    def _release(self, servers: McpServers, prompts_lease: Lease) -> None:
        """The last run of a generation that is no longer the newest has ended."""
        prompts_lease.leave()
        self._close_later(servers.close())

    def _close_later(self, closing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(closing, name="assembly.release")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _left(self) -> None:
        """The gateway itself uses its newest generation no more."""
        self.gateway.generation.terms.lease.leave()

    async def _closed(self) -> None:
        while self._closing:
            await asyncio.gather(*self._closing)

    async def _start_run(self, request: RunRequest) -> Run:
        """The way in for tools: the gateway they run in."""
        return await self.gateway.start(Principal(request.origin.owner, OPERATOR.scopes), request)


def _replica(id_: str, plan: Blueprint, gateway: Gateway, live: LiveRuns) -> Replica:
    return Replica(
        id_,
        plan.cluster.role,
        openclaw_gateway.__version__,
        f"{gethostname()}:{gateway.url.rpartition(':')[2].strip('/')}",
        gateway.started_ms,
        sum(not run.is_mirrored for run in live.running()),
        live.admission.most,
    )


async def _without_sandbox(plan: Blueprint) -> dict[str, str]:
    with_tools = {name: agent.tools for name, agent in plan.agents.items() if agent.policies}
    return await without_sandbox(with_tools, plan.loaded.environ)


def _plans(plan: Blueprint, inputs: PlanInputs, refusals: dict[str, str]) -> dict[str, Plan]:
    """Every agent with its models, tools and prompt."""
    for folder, agents in shared_homes(plan.prompts.values()):
        log.info("workspace.shared", path=str(folder), agents=agents)
    plans = {
        agent.id: refused_plan(agent, plan.refusals[agent.id])
        if agent.id in plan.refusals
        else make_plan(agent, plan.agents[agent.id], inputs)
        for agent in plan.roster
    }
    for agent_id, reason in refusals.items():
        log.warning("agent.refused", agent=agent_id, detail=reason)
        refusal = Refusal(reason, sandbox=True)
        plans[agent_id] = msgspec.structs.replace(plans[agent_id], refusal=refusal)
    return plans


def _authenticator(plan: Blueprint, before: Generation | None, limits: SharedLimits) -> Authenticator:
    """With the failures counted so far."""
    auth = plan.loaded.config.gateway.auth
    counted = before.authenticator.limiter if before else None
    limiter = FailureLimiter(auth.rate_limit, counted, limits)
    vouching = None
    if plan.auth.mode == "trusted-proxy" and auth.trusted_proxy is not None:
        vouching = Vouching(auth.trusted_proxy, plan.proxies)
    return Authenticator(plan.auth, limiter, vouching)


def _prompts(plan: Blueprint) -> tuple[object, ...]:
    """All that the prompts of the agents are made from."""
    openings = {agent.id: agent.prompt for agent in plan.roster}
    return openings, plan.prompts, skill_rules(plan.loaded), plan.loaded.environ, plan.zone


def _is_embedded(target: ModelTarget) -> bool:
    return target.provider == LOCAL and not target.endpoint.base_url


class _Agents:
    """The agents, as tools may see them."""

    def __init__(self, plan: Blueprint) -> None:
        self._names = tuple((agent.id, agent.name) for agent in plan.roster)
        self._settled = plan.agents

    def list_agents(self) -> tuple[tuple[str, str], ...]:
        return self._names

    def models_of(self, agent_id: str) -> tuple[str, ...]:
        settled = self._settled.get(agent_id)
        return () if settled is None else tuple(target.ref for target in settled.targets)


def _reset_policy(config: Config) -> ResetPolicy | None:
    session, reset = config.session, config.session.reset
    if reset and reset.mode == "none":
        return None
    idle = reset.idle_minutes if reset and reset.idle_minutes is not None else session.idle_minutes
    at_hour = reset.at_hour if reset and reset.mode == "daily" else None
    return ResetPolicy(at_hour, idle) if at_hour is not None or idle is not None else None
