"""The runs floor with tools of a test's own: on a real store, in front of a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Raw

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.config.schema.context import Compaction, ContextPruning
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.fallback import FallbackCaller
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.context.compaction import Compactor
from openclaw_gateway.runs.context.keeper import ContextKeeper
from openclaw_gateway.runs.kept import KeptAnswers
from openclaw_gateway.runs.lanes import Lanes, Pace
from openclaw_gateway.runs.lease import Lease
from openclaw_gateway.runs.live import LiveRuns, Terms
from openclaw_gateway.runs.loop import RunLoop
from openclaw_gateway.runs.memory import Memory
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.plans.toolbox import Toolbox
from openclaw_gateway.runs.readers import Reader
from openclaw_gateway.runs.rounds import Rounds
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.shown import ShownHere
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.reset import ResetPolicy
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.tools.base import Tool, ToolContext, ToolResult
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import Origin, RunRequest, RunResult, ToolSpec

SESSION = "agent:main:x"
QUICK = Pace(lease_s=0.3, renew_every_s=0.1, look_again_s=0.05, repeat_s=0.01)
ANYTHING = Raw(b'{"type":"object"}')
Act = Callable[[Mapping[str, Any], ToolContext], Awaitable[ToolResult]]


class OneTool:
    """A tool that does what the test says."""

    def __init__(self, name: str, act: Act, *, read_only: bool = False) -> None:
        self.spec = ToolSpec(name, "", ANYTHING)
        self.summary = ""
        self.read_only = read_only
        self._act = act

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        return await self._act(arguments, context)


@asynccontextmanager
async def reading(run: Run) -> AsyncIterator[Reader]:
    """A client that takes everything the run says, at once, while the block lasts."""
    reader = run.reader()

    async def take() -> None:
        place = 0
        with suppress(LookupError):
            while events := await reader.log.batch():
                place += len(events)
                reader.advance(place)

    task = asyncio.create_task(take())
    try:
        yield reader
    finally:
        reader.close()
        await task


class _Outfit(PlainEquipment):
    def __init__(self, agent: Agent, tools: Sequence[Tool]) -> None:
        super().__init__(agent)
        self._toolbox = Toolbox(tools)

    def toolbox(self, origin: Origin, session_key: str | None) -> Toolbox:
        return self._toolbox


class House:
    """`store` is the one the runs use: perhaps with faults of its own."""

    def __init__(self, store: Store, live: LiveRuns, plan: Plan) -> None:
        self.store = store
        self.live = live
        self._plan = plan

    async def start(
        self, *messages: Message, session: str | None = SESSION, owner: str = "me", **fields: Any
    ) -> Run:
        origin = Origin(owner, "http", "conversation")
        request = RunRequest(origin, "main", messages, session_key=session, **fields)
        return await self.live.start(request, self._plan)

    async def say(self, *messages: Message, **fields: Any) -> RunResult:
        return await self.result(await self.start(*messages, **fields))

    async def result(self, run: Run) -> RunResult:
        async with asyncio.timeout(5):
            return await run.wait()

    async def transcript(self, session: str = SESSION, *, owner: str = "me") -> list[Message]:
        return [entry.message for entry in await self.store.transcript(owner, session)]


@asynccontextmanager
async def house(
    path: Path,
    models: ModelServer,
    *tools: Tool,
    reset: ResetPolicy | None = None,
    faults: Callable[[SqliteStore], Store] = lambda store: store,
    bus: Bus | None = None,
) -> AsyncIterator[House]:
    on_disk = SqliteStore(path / "sessions.sqlite")
    store = faults(on_disk)
    bus = bus or LocalBus()
    upstream = UpstreamClient(Limits())
    lanes = Lanes(store, bus, QUICK)
    caller = FallbackCaller(ModelCaller(upstream))
    compaction = Compaction()
    keeper = ContextKeeper(Compactor(store, caller, compaction), ContextPruning(), compaction)
    loop = RunLoop(
        lanes, Memory(store, reset), Rounds(caller, keeper, store), KeptAnswers(store), ShownHere()
    )
    live = LiveRuns(bus, Terms(loop, 100, Lease(lambda: None)))
    agent = Agent("main", "Main", "p")
    target = ModelTarget(Endpoint("mock", models.base_url), "m")
    await on_disk.open()
    lanes.open()
    try:
        yield House(store, live, Plan(agent, (target,), _Outfit(agent, tools)))
    finally:
        await live.drain(0)
        await lanes.close()
        await upstream.close()
        await on_disk.close()
