"""The runs of a process: what stays of one that has ended."""

import asyncio
from pathlib import Path

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.lease import Lease
from openclaw_gateway.runs.live import LiveRuns, Others, Terms
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.store import RunRecord
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.events import RunStarted, TextDelta
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Idempotency, Origin, RunRequest, RunResult
from tests.runs.house import SESSION, house


async def test_of_a_retained_run_the_result_is_kept_and_not_what_it_was_sent(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("m", says("fine"))
    async with house(tmp_path, models) as runs:
        run = await runs.start(
            UserMessage("x" * 1_000_000), instructions="y" * 1_000_000, idempotency=Idempotency("k", b"x")
        )
        await runs.result(run)
        await runs.live.idle()
        kept = runs.live.find(run.id)
        assert kept is run
        assert (kept.request.origin.owner, kept.request.session_key) == ("me", SESSION)
        assert kept.result is not None
        assert kept.result.text == "fine"
        assert (kept.request.messages, kept.request.instructions) == ((), "")


class Telling:
    """Executes by telling what another process says, each time something else."""

    def __init__(self, *texts: str) -> None:
        self._texts = iter(texts)

    async def execute(self, run: Run) -> None:
        run.accept()
        run.emit((RunStarted(run.id, "main", None, 0), TextDelta(next(self._texts))))
        run.end(RunResult("completed"))

    def give_up(self, run: Run) -> None: ...


@pytest.mark.parametrize("named", [None, Idempotency("k", b"x")])
async def test_who_follows_a_run_anew_hears_nothing_of_how_it_was_followed_before(
    named: Idempotency | None,
) -> None:
    bus, telling = LocalBus(), Telling("first", "second")
    terms = Terms(telling, 10, Lease(lambda: None))

    async def never(run_id: str) -> bool:
        return False

    live = LiveRuns(bus, terms, Others(telling, bus, always=False, hand_over=never))
    request = RunRequest(
        Origin("me", "http", "conversation"),
        "main",
        (UserMessage("hi"),),
        session_key=None,
        idempotency=named,
    )
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://x"), "m"),), PlainEquipment(agent))
    record = RunRecord("r", "me", None, "main", "running", 0)
    for text in ("first", "second"):
        run = live.follow(record, request, plan)
        assert run is not None
        log = run.events()
        async with asyncio.timeout(5):
            await live.idle()
        events = await log.batch(0)
        log.close()
        assert [event.text for event in events if isinstance(event, TextDelta)] == [text]
        live._retained.clear()
