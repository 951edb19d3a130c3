"""What `agent --local` hears of its run beside what the log of it tells."""

import asyncio

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.cli import in_process
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.store import Recorded
from openclaw_gateway.wire.events import RunEnded
from openclaw_gateway.wire.run import Origin, RunRequest, RunResult


async def test_a_run_that_was_lost_to_another_process_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "_LOOK_EVERY_S", 0.01)
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://127.0.0.1:1"), "m"),), PlainEquipment(agent))
    request = RunRequest(Origin("me", "terminal", "conversation"), "main", (), session_key="agent:main:x")
    run = Run(request, plan, LocalBus())
    run.begun, run.is_mirrored = Recorded(), True
    run.end(RunResult("interrupted"))
    async with asyncio.timeout(10):
        (end,) = [part async for part in in_process._follow(run)]
    assert isinstance(end, RunEnded)
    assert end.result == run.result
