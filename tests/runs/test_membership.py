"""A process that cannot beat stops in time what others may have begun anew, whatever keeps it from that."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.elsewhere import membership
from openclaw_gateway.runs.elsewhere.membership import Membership
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import TAKEN_OVER, Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.store import Claim, Claimed
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Origin, RunRequest

DEADLINE_S = 3.0


class FaultyStore:
    """It takes one beat, and then fails as nobody expects; None = it says nothing any more."""

    def __init__(self, fault: type[BaseException] | None) -> None:
        self._fault = fault
        self._has_beaten = False

    async def beat(self, _: Replica, *, lease_s: float) -> None:
        if self._has_beaten:
            if self._fault is None:
                await asyncio.Event().wait()
            else:
                raise self._fault
        self._has_beaten = True

    async def replicas(self) -> list[Replica]:
        return []

    async def leave(self) -> None: ...


class LateStore(FaultyStore):
    """Of another process's runs one can be taken up in a moment."""

    def __init__(self) -> None:
        super().__init__(None)
        self.looks = 0
        self.was_looked_at_again = asyncio.Event()

    async def has_work(self) -> bool:
        self.looks += 1
        if self.looks > 1:
            self.was_looked_at_again.set()
        return False

    async def work_in(self, *, within_s: float) -> float | None:
        return 0.02 if self.looks == 1 else None

    async def wishes(self) -> tuple[()]:
        return ()


class AtWork:
    def __init__(self, run: Run) -> None:
        self._run = run
        room = SimpleNamespace(among=lambda _: None, freed=None)
        self.admission = SimpleNamespace(room=room, beat=lambda _: None, for_work=lambda has_work: has_work())

    def running(self) -> list[Run]:
        return [self._run]


def a_run() -> Run:
    request = RunRequest(Origin("me", "http", "conversation"), "main", (UserMessage("x"),))
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://127.0.0.1:9"), "m"),), PlainEquipment(agent))
    return Run(request, plan, LocalBus(), id_="r1")


@pytest.mark.parametrize("fault", [RuntimeError, asyncio.CancelledError, None])
async def test_who_cannot_beat_because_of_a_fault_stops_what_others_may_have(
    fault: type[BaseException] | None,
) -> None:
    run = a_run()
    run.begun = Claimed(Claim("r1", "me", "", 1, 60.0))
    stopped = asyncio.Event()
    abort = run.abort

    def noted(reason: str) -> bool:
        stopped.set()
        return abort(reason)

    run.abort = noted  # type: ignore[method-assign]
    store: Any = FaultyStore(fault)
    live: Any = AtWork(run)
    replica: Any = type("Front", (), {"role": "front"})
    found = Membership(store, LocalBus(), live, replica, lambda _: run.plan, lease_s=0.06)
    await found.open()
    try:
        async with asyncio.timeout(DEADLINE_S):
            await stopped.wait()
        assert run.abort_reason == TAKEN_OVER
    finally:
        await found.close()


async def test_who_has_just_come_takes_up_what_falls_before_its_first_beat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(membership, "_LOOK_EVERY_S", 300.0)
    run, store = a_run(), LateStore()
    live: Any = AtWork(run)
    replica: Any = type("All", (), {"role": "all"})
    found: Any = store
    fresh = Membership(found, LocalBus(), live, replica, lambda _: run.plan, lease_s=900.0)
    await fresh.open()
    try:
        async with asyncio.timeout(DEADLINE_S):
            await store.was_looked_at_again.wait()
    finally:
        await fresh.close()
