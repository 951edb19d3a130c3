"""Builds everything once, in order: config -> lock -> store -> registries -> Gateway -> listener.

The one file that knows everybody. Nothing here is on the request path.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import structlog
from msgspec import Struct

from openclaw_gateway.agents.book import PromptBook
from openclaw_gateway.agents.homes import homes_of
from openclaw_gateway.agents.roster import Roster, compile_roster
from openclaw_gateway.config.auth import EXIT_CONFIG, ResolvedAuth, check_exposure, resolve_auth
from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.load import LoadedConfig, load_config
from openclaw_gateway.config.schema import AuthMode, Config
from openclaw_gateway.doors.listener import Listener
from openclaw_gateway.errors import ProviderError, StartupError
from openclaw_gateway.gateway.auth import Authenticator
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.gateway.service import Gateway, Rooms
from openclaw_gateway.instance import InstanceLock
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import Choice, choose_default
from openclaw_gateway.models.fallback import NO_RETRIES, FallbackCaller
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
from openclaw_gateway.sessions.local_bus import LocalBus
from openclaw_gateway.sessions.reset import ResetPolicy
from openclaw_gateway.sessions.sqlite_store import SqliteStore
from openclaw_gateway.tools.base import ToolHouse
from openclaw_gateway.tools.commands.sessions import CommandSessions
from openclaw_gateway.tools.mcp.servers import McpServers
from openclaw_gateway.wire.run import RunRequest

log = structlog.get_logger()


class Options(Struct, frozen=True):
    """Everything the command line may say. `environment_keys` False ignores provider keys found there."""

    environ: Mapping[str, str]
    home: Path
    cwd: Path
    config_path: Path | None = None
    port: int | None = None
    bind: str | None = None
    auth: AuthMode | None = None
    token: str | None = None
    password: str | None = None
    environment_keys: bool = True


class Daemon:
    """A built gateway. `close` undoes what `build` and `listen` did, in reverse order."""

    def __init__(self, loaded: LoadedConfig, options: Options, undo: contextlib.AsyncExitStack) -> None:
        self.loaded = loaded
        self.auth: ResolvedAuth
        self.gateway: Gateway
        self.model_choice: Choice
        self._options = options
        self._undo = undo
        self._listener: Listener | None = None

    @classmethod
    async def build(cls, options: Options) -> "Daemon":
        """Everything but the listener. Raises ConfigError, StartupError, StoreError."""
        loaded = load_config(
            environ=options.environ, home=options.home, cwd=options.cwd, config_path=options.config_path
        )
        async with contextlib.AsyncExitStack() as undo:
            daemon = cls(loaded, options, undo)
            daemon.auth = resolve_auth(
                loaded.config.gateway.auth,
                environ=loaded.environ,
                flag_mode=options.auth,
                flag_token=options.token,
                flag_password=options.password,
            )
            undo.enter_context(InstanceLock(loaded.own_dir))
            daemon.gateway = await daemon._furnish()
            daemon._undo = undo.pop_all()
        return daemon

    async def listen(self) -> tuple[str, ...]:
        """Bind and serve; the URLs. Raises ConfigError, StartupError."""
        config = self.loaded.config
        if config.gateway.mode == "remote":
            raise StartupError(
                'gateway.mode is "remote": this configuration is for a client of another machine\'s gateway. '
                'Set gateway.mode to "local" to run one here.',
                exit_code=EXIT_CONFIG,
            )
        if _asks_for_tls(self.loaded.document):
            raise StartupError(
                "gateway.tls.enabled is true, but this gateway does not serve TLS itself, and will not go "
                "without it in silence. Put a reverse proxy with TLS in front and remove gateway.tls.",
                exit_code=EXIT_CONFIG,
            )
        hosts = resolve_bind(config, flag=self._options.bind)
        port = resolve_port(config, environ=self.loaded.environ, flag=self._options.port)
        for host in hosts:
            check_exposure(host, self.auth)
        listener = Listener(self.gateway)
        self._undo.push_async_callback(listener.close)
        self._undo.push_async_callback(self.gateway.drain, 0)
        urls = await listener.open(hosts, port)
        self._listener = listener
        return urls

    async def serve(self) -> int:
        """Until SIGTERM or SIGINT, then drain; the exit code. A second signal ends the process at once."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, _on_signal, name, stop)
        await stop.wait()
        await self.drain()
        return 0

    async def drain(self) -> None:
        """Refuse new runs and let the running ones end; the rest are aborted after the configured time."""
        seconds = self.loaded.config.gateway.limits.drain_s
        log.info("gateway.draining", runs=self.gateway.live_runs(), seconds=seconds)
        if self._listener is not None:
            await self._listener.drain(seconds)
        else:
            await self.gateway.drain(seconds)

    async def close(self) -> None:
        await self._undo.aclose()

    async def _furnish(self) -> Gateway:
        loaded, config = self.loaded, self.loaded.config
        undo = self._undo
        limits = config.gateway.limits
        store = SqliteStore(loaded.own_dir / "sessions.sqlite", max_queued=limits.max_queued_per_session)
        await store.open()
        undo.push_async_callback(store.close)
        bus = LocalBus()
        await bus.open()
        undo.push_async_callback(bus.close)
        local = LocalModel.from_environment(loaded.environ)
        undo.push_async_callback(local.stop)
        upstream = UpstreamClient(limits)
        undo.push_async_callback(upstream.close)
        lanes = Lanes(store, bus)
        lanes.open()
        undo.push_async_callback(lanes.close)
        roster = compile_roster(config.agents)
        keys = loaded.environ if self._options.environment_keys else {}
        catalog = Catalog(config, keys)
        self.model_choice = choose_default(config, keys, local_available=local.unavailable() is None)
        zone = _zone(config.agents.defaults.user_timezone)
        servers = McpServers(config.mcp, loaded.environ)
        undo.push_async_callback(servers.close)
        if (notice := servers.notice()) is not None:
            log.warning("mcp.unavailable", detail=notice)
        workshop = self._workshop(catalog, roster, store, zone, servers)
        plans = await self._sandboxed(make_plans(roster, workshop))
        servers.start()
        caller = ModelCaller(upstream, local.endpoint, policy=NO_RETRIES)
        models = FallbackCaller(caller, keys=_further_keys(config))
        defaults = config.agents.defaults
        compactor = Compactor(store, models, defaults.compaction)
        rounds = Rounds(
            models,
            ContextKeeper(compactor, defaults.context_pruning, defaults.compaction),
            max_tool_rounds=config.tools.max_tool_rounds or MAX_ROUNDS,
        )
        loop = RunLoop(lanes, Memory(store, _reset_policy(config), zone), rounds)
        live = LiveRuns(loop, bus, max_runs=config.agents.defaults.max_concurrent or limits.max_runs)
        undo.push_async_callback(live.drain, 0)
        rate_limit = config.gateway.auth.rate_limit
        authenticator = Authenticator(self.auth, FailureLimiter(rate_limit) if rate_limit else None)
        starting = self._warm(local) if any(_is_embedded(plan) for plan in plans.values()) else _nothing
        return Gateway(Rooms(config, roster, catalog, plans, authenticator, store, bus, live, starting))

    async def _sandboxed(self, plans: dict[str, Plan]) -> dict[str, Plan]:
        """Agents whose sandbox is not to be had refuse to run; the others are not concerned."""
        for agent_id, reason in (await without_sandbox(plans, self.loaded.environ)).items():
            log.warning("agent.refused", agent=agent_id, detail=reason)
            plans[agent_id] = msgspec.structs.replace(plans[agent_id], refusal=reason)
        return plans

    def _workshop(
        self,
        catalog: Catalog,
        roster: Roster,
        store: SqliteStore,
        zone: tzinfo | None,
        servers: McpServers,
    ) -> Workshop:
        """What agents' tools and prompts are made from."""
        loaded = self.loaded
        homes = homes_of(loaded)
        book = PromptBook(roster, homes, state_dir=loaded.state_dir, environ=loaded.environ, zone=zone)
        self._undo.push_async_callback(book.close)
        commands = CommandSessions()
        self._undo.push_async_callback(commands.close)
        house = ToolHouse(
            state_dir=loaded.own_dir,
            environ=loaded.environ,
            sessions=Conversations(store, self._start_run),
            agents=_Agents(roster),
            commands=commands,
        )
        return Workshop(loaded.config, catalog, self.model_choice.ref, homes, book, house, servers.tools)

    async def _start_run(self, request: RunRequest) -> Run:
        """The way in for tools: the gateway they run in."""
        return await self.gateway.start(Principal(request.owner, OPERATOR.scopes), request)

    def _warm(self, local: LocalModel) -> Callable[[], str | None]:
        """Start the embedded model in the background, since somebody will ask for it."""
        task = asyncio.create_task(_start(local), name="daemon.warm")
        self._undo.push_async_callback(_cancel, task)
        return lambda: None if task.done() else "model"


@contextlib.asynccontextmanager
async def running(options: Options) -> AsyncIterator[tuple[Daemon, tuple[str, ...]]]:
    """A gateway that listens, for as long as the block lasts."""
    daemon = await Daemon.build(options)
    try:
        yield daemon, await daemon.listen()
    finally:
        await daemon.close()


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


def _asks_for_tls(document: Mapping[str, Any]) -> bool:
    gateway = document.get("gateway")
    tls = gateway.get("tls") if isinstance(gateway, dict) else None
    return isinstance(tls, dict) and tls.get("enabled") is True


def _further_keys(config: Config) -> dict[str, tuple[str, ...]]:
    return {name: entry.api_keys for name, entry in config.models.providers.items()}


def _reset_policy(config: Config) -> ResetPolicy | None:
    session, reset = config.session, config.session.reset
    idle = reset.idle_minutes if reset and reset.idle_minutes is not None else session.idle_minutes
    at_hour = reset.at_hour if reset and reset.mode == "daily" else None
    return ResetPolicy(at_hour, idle) if at_hour is not None or idle is not None else None


def _zone(name: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("config.unknown_timezone", zone=name)
        return None


def _on_signal(name: signal.Signals, stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(128 + name)
    stop.set()
