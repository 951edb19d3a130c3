"""The n-th store call fails, for every n: whatever happens, every run ends and the session stays usable."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.config.schema.context import Compaction, ContextPruning
from openclaw_gateway.errors import GatewayError, StoreError
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
from openclaw_gateway.runs.rounds import Rounds
from openclaw_gateway.runs.shown import ShownHere
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Idempotency, Origin, RunRequest, RunResult
from tests.sessions.sqlite_file import runs

SESSION = "agent:main:x"
ME = Origin("me", "http", "conversation")
RUNS = 6
QUICK = Pace(lease_s=0.2, renew_every_s=0.05, look_again_s=0.02, repeat_s=0.01)


class FaultyStore:
    """A store of which one call fails, before or after it was carried out."""

    def __init__(self, store: SqliteStore, nth: int, *, after: bool) -> None:
        self._store = store
        self._left = nth
        self._after = after
        self.fired = False

    def heal(self) -> None:
        self._left = 0

    def __getattr__(self, name: str) -> Any:
        call: Callable[..., Awaitable[Any]] = getattr(self._store, name)
        if name not in {"begin", "claim", "finish", "withdraw", "renew"}:
            return call

        async def perhaps(*args: Any, **more: Any) -> Any:
            self._left -= 1
            fails = self._left == 0
            self.fired |= fails
            if fails and not self._after:
                raise StoreError("the disk is away")
            result = await call(*args, **more)
            if fails:
                raise StoreError("the disk is away")
            return result

        return perhaps


def rounds(store: Store, upstream: UpstreamClient) -> Rounds:
    models = FallbackCaller(ModelCaller(upstream))
    compaction = Compaction()
    keeper = ContextKeeper(Compactor(store, models, compaction), ContextPruning(), compaction)
    return Rounds(models, keeper, store)


@asynccontextmanager
async def house(store: Store, models: ModelServer) -> AsyncIterator[Callable[[str], Awaitable[RunResult]]]:
    """The runs floor on `store`; yields a function that says something in the session."""
    bus = LocalBus()
    upstream = UpstreamClient(Limits())
    lanes = Lanes(store, bus, QUICK)
    live = LiveRuns(
        bus,
        Terms(
            RunLoop(lanes, Memory(store, None), rounds(store, upstream), KeptAnswers(store), ShownHere()),
            100,
            Lease(lambda: None),
        ),
    )
    agent = Agent("main", "Main", "p")
    target = ModelTarget(Endpoint("mock", models.base_url), "mock-echo")
    plan = Plan(agent, (target,), PlainEquipment(agent))

    async def say(text: str) -> RunResult:
        request = RunRequest(ME, "main", (UserMessage(text),), session_key=SESSION)
        run = await live.start(request, plan)
        async with asyncio.timeout(10):
            return await run.wait()

    lanes.open()
    try:
        yield say
    finally:
        await live.drain(0)
        await lanes.close()
        await upstream.close()


@pytest.mark.promise("error.store_unavailable")
@pytest.mark.parametrize("after", [False, True])
async def test_one_store_call_fails(models: ModelServer, tmp_path: Path, after: bool) -> None:
    nth = 0
    fired = True
    while fired:
        nth += 1
        path = tmp_path / f"{after}-{nth}.sqlite"
        store = SqliteStore(path)
        await store.open()
        faulty = FaultyStore(store, nth, after=after)
        async with house(faulty, models) as say:
            results = await asyncio.gather(*(say(f"m{n}") for n in range(RUNS)), return_exceptions=True)
            fired = faulty.fired
            for result in results:
                assert isinstance(result, RunResult | GatewayError)
            faulty.heal()
            assert (await say("last")).status == "completed"
        entries = await store.transcript("me", SESSION)
        said = [entry.message.content for entry in entries]
        assert said[::2] == said[1::2]
        assert len(set(said[::2])) == len(said[::2])
        completed = [r.text for r in results if isinstance(r, RunResult) and r.status == "completed"]
        assert set(completed) <= set(said)
        assert "queued" not in runs(path).values()
        await store.close()
    assert nth > 2 * RUNS


async def test_a_refused_run_is_not_kept_for_its_id(models: ModelServer, tmp_path: Path) -> None:
    """A caller that was told "busy, try again" may try again under the same id."""
    store = SqliteStore(tmp_path / "s.sqlite")
    await store.open()
    bus = LocalBus()
    faulty = FaultyStore(store, 1, after=False)
    upstream = UpstreamClient(Limits())
    lanes = Lanes(faulty, bus, QUICK)
    live = LiveRuns(
        bus,
        Terms(
            RunLoop(lanes, Memory(faulty, None), rounds(store, upstream), KeptAnswers(faulty), ShownHere()),
            9,
            Lease(lambda: None),
        ),
    )
    agent = Agent("main", "Main", "p")
    target = ModelTarget(Endpoint("mock", models.base_url), "mock-echo")
    plan = Plan(agent, (target,), PlainEquipment(agent))
    named = Idempotency("same-id", b"x")
    request = RunRequest(ME, "main", (UserMessage("hi"),), session_key=SESSION, idempotency=named)
    with pytest.raises(StoreError):
        await live.start(request, plan)
    await live.idle()
    run = await live.start(request, plan)
    assert (await run.wait()).status == "completed"
    await upstream.close()
    await store.close()
