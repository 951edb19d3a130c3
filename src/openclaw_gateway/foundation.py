"""What outlives every configuration: store, bus, upstream connections, live runs, MCP servers, the embedded
model. Built once; a new configuration only tells it the numbers it now goes by.

Knows how to make each of them and in which order they close; what is done with them is in assembly.py.
"""

import asyncio
import contextlib
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct

from openclaw_gateway import engines
from openclaw_gateway.books import Books, open_books
from openclaw_gateway.config.forms import age_s, size_bytes
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.schema import Config
from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.cooldown import Cooldowns
from openclaw_gateway.models.embeddings.embedder import Embedder
from openclaw_gateway.models.fallback import FallbackCaller
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.held import HeldRounds
from openclaw_gateway.runs.lanes import Lanes, Pace
from openclaw_gateway.runs.questions import Questions
from openclaw_gateway.runs.upkeep import Upkeep
from openclaw_gateway.sessions.attempts import SharedAttempts
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.limits import SharedLimits
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.local.limits import LocalLimits
from openclaw_gateway.sessions.local.rounds import LocalRounds
from openclaw_gateway.sessions.retention import Retention
from openclaw_gateway.sessions.shared import SharedStore
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.mcp.pool import McpPool

log = structlog.get_logger()


class Stored(Store, Protocol):
    def go_by(self, *, max_queued: int) -> None:
        """How many runs may wait for a session, from now on."""


class Foundation(Struct, frozen=True):
    """`shared` is the store where other processes use it too, `limits` what they all count together. `held`
    are rounds that wait for results of clients' tools, `cooldowns` keys that failed lately."""

    store: "Stored"
    shared: SharedStore | None
    bus: Bus
    limits: SharedLimits
    attempts: SharedAttempts | None
    upstream: UpstreamClient
    lanes: Lanes
    cooldowns: Cooldowns
    caller: ModelCaller
    models: FallbackCaller
    embedder: Embedder
    held: HeldRounds
    commands: CommandSessions
    questions: Questions
    books: Books
    jobs: Performer
    mcp: McpPool
    embedded: "Embedded"
    upkeep: Upkeep

    def go_by(self, config: Config) -> None:
        limits = config.gateway.limits
        self.upkeep.go_by(_retention(config))
        self.store.go_by(max_queued=limits.max_queued_per_session)
        self.upstream.limits = limits


async def lay(loaded: LoadedConfig, local: LocalModel, undo: contextlib.AsyncExitStack) -> Foundation:
    """`undo` closes it again, in reverse order. Raises StoreError, StartupError."""
    config = loaded.config
    limits = config.gateway.limits
    store: Stored
    shared: SharedStore | None = None
    if config.store.url is None:
        store = SqliteStore(loaded.own_dir / "sessions.sqlite", max_queued=limits.max_queued_per_session)
    else:
        store = shared = engines.store(config.store.url, max_queued=limits.max_queued_per_session)
    await store.open()
    undo.push_async_callback(store.close)
    upkeep = Upkeep(store, _retention(config))
    upkeep.open()
    undo.push_async_callback(upkeep.close)
    bus, limited, held, attempts = await _bus(config.bus.url, shared)
    await bus.open()
    undo.push_async_callback(bus.close)
    embedded = Embedded(local)
    undo.push_async_callback(embedded.close)
    vectors = local.for_vectors()
    undo.push_async_callback(vectors.stop)
    mcp = McpPool()
    undo.push_async_callback(mcp.close)
    commands = CommandSessions()
    undo.push_async_callback(commands.close)
    questions = Questions()
    undo.callback(questions.close)
    books = await open_books(loaded, shared, bus, undo)
    jobs = Performer(loaded.environ)
    undo.callback(jobs.close)
    upstream = UpstreamClient(limits)
    undo.push_async_callback(upstream.close)
    lease_s = config.store.lease_seconds
    pace = Pace(lease_s=lease_s, renew_every_s=lease_s / 3)
    lanes = Lanes(store, bus, pace, shared=shared)
    lanes.open()
    undo.push_async_callback(lanes.close)
    cooldowns = Cooldowns()
    caller = ModelCaller(upstream, local.endpoint)
    models = FallbackCaller(caller, cooldowns)
    embedder = Embedder(upstream, cooldowns, vectors.endpoint)
    return Foundation(
        store,
        shared,
        bus,
        limited,
        attempts,
        upstream,
        lanes,
        cooldowns,
        caller,
        models,
        embedder,
        held,
        commands,
        questions,
        books,
        jobs,
        mcp,
        embedded,
        upkeep,
    )


async def _bus(
    url: str | None, shared: SharedStore | None
) -> tuple[Bus, SharedLimits, HeldRounds, SharedAttempts | None]:
    """With what is counted and kept where the bus is. Raises StoreError, StartupError, ConfigError."""
    if url is None:
        return LocalBus(), LocalLimits(), HeldRounds(LocalRounds()), None
    # Without a store that others have, too, there are no others.
    name = fresh_digits() if shared is None else await shared.name()
    bus = engines.bus(url, gateway=name)
    return bus, bus.limits, HeldRounds(bus.rounds), bus.attempts


def _retention(config: Config) -> Retention:
    written = config.session.maintenance
    kept = Retention(
        results_s=age_s(written.keep_results),
        ledger_s=age_s(written.keep_ledger),
        kept_s=age_s(written.keep_responses),
    )
    if written.mode == "warn":
        return kept
    return msgspec.structs.replace(
        kept,
        sessions_s=None if written.prune_after is None else age_s(written.prune_after),
        max_sessions=written.max_entries,
        max_bytes=None if written.max_disk_bytes is None else size_bytes(written.max_disk_bytes),
    )


class Embedded:
    """The embedded model, started in the background once a configuration uses it."""

    def __init__(self, local: LocalModel) -> None:
        self._local = local
        self._warming: asyncio.Task[None] | None = None

    def warm(self) -> None:
        """Somebody will ask for it."""
        if self._warming is None:
            self._warming = asyncio.create_task(_start(self._local), name="embedded.warm")

    def starting(self) -> str | None:
        """A word while it is on its way up for the first time."""
        return None if self._warming is None or self._warming.done() else "model"

    async def close(self) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await self._local.stop()


async def _start(local: LocalModel) -> None:
    try:
        await local.endpoint()
    except ProviderError as error:
        log.warning("local_model.not_started", error=error.message)
