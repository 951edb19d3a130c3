"""Builds everything once, in order: config -> lock -> store -> registries -> Gateway.

The one file that knows every room below the doors; daemon.py gives what it builds a life. Nothing here
is on the request path.
"""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
import structlog

from openclaw_gateway.agents.book import PromptBook
from openclaw_gateway.agents.homes import homes_of, shared_homes
from openclaw_gateway.agents.roster import Roster, compile_roster
from openclaw_gateway.agents.zone import zone_of
from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.schema import Config
from openclaw_gateway.errors import ProviderError
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.gateway.service import Gateway, Rooms
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import Choice, choose_default
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
from openclaw_gateway.runs.planning import Workshop, make_plans, without_sandbox
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
    """`undo` closes what was opened, in reverse order. `environment_keys` False ignores keys found there."""

    gateway: Gateway
    model_choice: Choice

    def __init__(
        self,
        loaded: LoadedConfig,
        auth: ResolvedAuth,
        undo: contextlib.AsyncExitStack,
        *,
        environment_keys: bool,
    ) -> None:
        self._loaded = loaded
        self._config = loaded.config
        self._auth = auth
        self._undo = undo
        self._keys = loaded.environ if environment_keys else {}
        self._zone = zone_of(loaded.config.agents.defaults.user_timezone)
        self._roster = compile_roster(loaded.config.agents)
        self._local = LocalModel.from_environment(loaded.environ)

    async def build(self) -> Gateway:
        """Raises ConfigError, StoreError."""
        config, undo = self._config, self._undo
        store, bus = await self._memory()
        undo.push_async_callback(self._local.stop)
        catalog = Catalog(config, self._keys)
        self.model_choice = choose_default(
            config, self._keys, local_available=self._local.unavailable() is None
        )
        plans = await self._plans(catalog, store)
        live = self._runs(store, bus)
        rate_limit = config.gateway.auth.rate_limit
        authenticator = Authenticator(self._auth, FailureLimiter(rate_limit) if rate_limit else None)
        starting = self._warm() if any(_is_embedded(plan) for plan in plans.values()) else _nothing
        self.gateway = Gateway(Rooms(config, self._roster, plans, authenticator, store, bus, live, starting))
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

    async def _plans(self, catalog: Catalog, store: Store) -> dict[str, Plan]:
        """Every agent with its models, tools and prompt."""
        loaded = self._loaded
        servers = McpServers(self._config.mcp, loaded.environ)
        self._undo.push_async_callback(servers.close)
        if (notice := servers.notice()) is not None:
            log.warning("mcp.unavailable", detail=notice)
        homes = homes_of(loaded)
        for folder, agents in shared_homes(homes.values()):
            log.info("workspace.shared", path=str(folder), agents=agents)
        book = PromptBook(
            self._roster, homes, state_dir=loaded.state_dir, environ=loaded.environ, zone=self._zone
        )
        self._undo.push_async_callback(book.close)
        house = self._house(store)
        plans = make_plans(
            self._roster,
            Workshop(self._config, catalog, self.model_choice.ref, homes, book, house, servers.tools),
        )
        for agent_id, reason in (await without_sandbox(plans, loaded.environ)).items():
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
            agents=_Agents(self._roster),
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
        loop = RunLoop(lanes, Memory(store, _reset_policy(config), self._zone), rounds)
        live = LiveRuns(loop, bus, max_runs=defaults.max_concurrent or limits.max_runs)
        self._undo.push_async_callback(live.hub.close)
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
