"""Opens a blueprint, in order: store -> registries -> Gateway.

The one file that knows every room below the doors; daemon.py gives what it builds a life. Nothing here
is on the request path.
"""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
import structlog

from openclaw_gateway.agents.book import PromptBook
from openclaw_gateway.agents.homes import shared_homes
from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.config.schema import Config
from openclaw_gateway.errors import ProviderError
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.gateway.service import Gateway, Rooms
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.fallback import FallbackCaller
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.target import LOCAL
from openclaw_gateway.runs.compaction import Compactor
from openclaw_gateway.runs.context_keeper import ContextKeeper
from openclaw_gateway.runs.conversations import Conversations
from openclaw_gateway.runs.lanes import Lanes
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.loop import RunLoop
from openclaw_gateway.runs.loop_guard import MAX_ROUNDS
from openclaw_gateway.runs.memory import Memory
from openclaw_gateway.runs.plan import Plan
from openclaw_gateway.runs.planning import Workshop, make_plan, without_sandbox
from openclaw_gateway.runs.rounds import Rounds
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.local_bus import LocalBus
from openclaw_gateway.sessions.reset import ResetPolicy
from openclaw_gateway.sessions.sqlite_store import SqliteStore
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.tools.base import ToolHouse
from openclaw_gateway.tools.commands.sessions import CommandSessions
from openclaw_gateway.tools.mcp.servers import McpServers
from openclaw_gateway.wire.run import RunRequest

log = structlog.get_logger()


class Assembly:
    """Opens a blueprint. `undo` closes what was opened, in reverse order."""

    gateway: Gateway

    def __init__(self, plan: Blueprint, undo: contextlib.AsyncExitStack) -> None:
        self._plan = plan
        self._loaded = plan.loaded
        self._config = plan.loaded.config
        self._undo = undo
        self._local = LocalModel.from_environment(plan.loaded.environ)

    async def build(self) -> Gateway:
        """Raises StoreError."""
        config, undo = self._config, self._undo
        store, bus = await self._memory()
        undo.push_async_callback(self._local.stop)
        plans = await self._plans(store)
        live = self._runs(store, bus)
        rate_limit = config.gateway.auth.rate_limit
        authenticator = Authenticator(self._plan.auth, FailureLimiter(rate_limit) if rate_limit else None)
        starting = self._warm() if any(_is_embedded(plan) for plan in plans.values()) else _nothing
        self.gateway = Gateway(
            Rooms(config, self._plan.roster, plans, authenticator, store, bus, live, starting)
        )
        return self.gateway

    async def _memory(self) -> tuple[SqliteStore, LocalBus]:
        limits = self._config.gateway.limits
        path = self._loaded.own_dir / "sessions.sqlite"
        store = SqliteStore(path, max_queued=limits.max_queued_per_session)
        await store.open()
        self._undo.push_async_callback(store.close)
        bus = LocalBus()
        await bus.open()
        self._undo.push_async_callback(bus.close)
        return store, bus

    async def _plans(self, store: Store) -> dict[str, Plan]:
        """Every agent with its models, tools and prompt."""
        loaded, drawn = self._loaded, self._plan
        servers = McpServers(self._config.mcp, loaded.environ)
        self._undo.push_async_callback(servers.close)
        if (notice := servers.notice()) is not None:
            log.warning("mcp.unavailable", detail=notice)
        for folder, agents in shared_homes(drawn.prompts.values()):
            log.info("workspace.shared", path=str(folder), agents=agents)
        book = PromptBook(
            drawn.roster, drawn.prompts, state_dir=loaded.state_dir, environ=loaded.environ, zone=drawn.zone
        )
        self._undo.push_async_callback(book.close)
        shop = Workshop(book, self._house(store), servers.tools)
        plans = {agent.id: make_plan(agent, drawn.agents[agent.id], shop) for agent in drawn.roster}
        with_tools = {name: agent.tools for name, agent in drawn.agents.items() if agent.policies}
        for agent_id, reason in (await without_sandbox(with_tools, loaded.environ)).items():
            log.warning("agent.refused", agent=agent_id, detail=reason)
            plans[agent_id] = msgspec.structs.replace(plans[agent_id], refusal=reason)
        servers.start()
        return plans

    def _house(self, store: Store) -> ToolHouse:
        """What tools may ask for."""
        commands = CommandSessions()
        self._undo.push_async_callback(commands.close)
        return ToolHouse(
            state_dir=self._loaded.own_dir,
            environ=self._loaded.environ,
            sessions=Conversations(store, self._start_run),
            agents=_Agents(self._plan.roster),
            commands=commands,
        )

    def _runs(self, store: Store, bus: Bus) -> LiveRuns:
        config, limits = self._config, self._config.gateway.limits
        upstream = UpstreamClient(limits)
        self._undo.push_async_callback(upstream.close)
        lanes = Lanes(store, bus)
        lanes.open()
        self._undo.push_async_callback(lanes.close)
        models = FallbackCaller(ModelCaller(upstream, self._local.endpoint))
        defaults = config.agents.defaults
        rounds = Rounds(
            models,
            ContextKeeper(
                Compactor(store, models, defaults.compaction), defaults.context_pruning, defaults.compaction
            ),
            max_tool_rounds=config.tools.max_tool_rounds or MAX_ROUNDS,
        )
        loop = RunLoop(lanes, Memory(store, _reset_policy(config), self._plan.zone), rounds)
        live = LiveRuns(loop, bus, max_runs=defaults.max_concurrent or limits.max_runs)
        self._undo.push_async_callback(live.drain, 0)
        return live

    async def _start_run(self, request: RunRequest) -> Run:
        """The way in for tools: the gateway they run in."""
        return await self.gateway.start(Principal(request.origin.owner, OPERATOR.scopes), request)

    def _warm(self) -> Callable[[], str | None]:
        """Start the embedded model in the background, since somebody will ask for it."""
        task = asyncio.create_task(_start(self._local), name="assembly.warm")
        self._undo.push_async_callback(_cancel, task)
        return lambda: None if task.done() else "model"


async def _start(local: LocalModel) -> None:
    try:
        await local.endpoint()
    except ProviderError as error:
        log.warning("local_model.not_started", error=error.message)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _is_embedded(plan: Plan) -> bool:
    return plan.target.provider == LOCAL and not plan.target.endpoint.base_url


def _nothing() -> None:
    return None


class _Agents:
    """The roster, as tools may see it."""

    def __init__(self, roster: Roster) -> None:
        self._names = tuple((agent.id, agent.name) for agent in roster)

    def list_agents(self) -> tuple[tuple[str, str], ...]:
        return self._names


def _reset_policy(config: Config) -> ResetPolicy | None:
    session, reset = config.session, config.session.reset
    idle = reset.idle_minutes if reset and reset.idle_minutes is not None else session.idle_minutes
    at_hour = reset.at_hour if reset and reset.mode == "daily" else None
    return ResetPolicy(at_hour, idle) if at_hour is not None or idle is not None else None
