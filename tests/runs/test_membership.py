"""A process that cannot beat stops in time what others may have begun anew, whatever keeps it from that."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.errors import StoreError
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.elsewhere import membership
from openclaw_gateway.runs.elsewhere.membership import Membership
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import LEASE_ENDS, TAKEN_OVER, Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.store import Claim, Claimed
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Origin, RunRequest
from tests.runs.pauses import answered_while_paused

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

    async def lost(self, executed: Mapping[str, int]) -> frozenset[str]:
        return frozenset()

    async def replicas(self) -> list[Replica]:
        return []

    async def leave(self) -> None: ...


class LateStore(FaultyStore):
    """What it says to the second beat comes while this process is paused."""

    def __init__(self) -> None:
        super().__init__(None)
        self.beats = 0
        self.has_beaten_thrice = asyncio.Event()

    async def beat(self, _: Replica, *, lease_s: float) -> None:
        self.beats += 1
        if self.beats == 2:
            await answered_while_paused(2 * lease_s)
        if self.beats == 3:
            self.has_beaten_thrice.set()


class TakenUpStore(LateStore):
    """Meanwhile another process has taken up what it was at."""

    async def lost(self, executed: Mapping[str, int]) -> frozenset[str]:
        return frozenset(executed) if self.beats > 1 else frozenset()


class FallingStore(FaultyStore):
    """Of what another process was at something can be taken up in a moment."""

    def __init__(self) -> None:
        super().__init__(None)
        self.looks = 0
        self.was_looked_at_again = asyncio.Event()

    async def has_work(self) -> bool:
        self.looks += 1
        if self.looks > 1:
            self.was_looked_at_again.set()
        return False

    async def work_in(self, *, within_s: float, since_s: float) -> float | None:
        return 0.02 if self.looks == 1 else None

    async def wishes(self) -> tuple[()]:
        return ()


class LockedStore(FallingStore):
    """What can be taken up is locked at the first look."""

    async def has_work(self) -> bool:
        return self.looks < 2

    async def take_up(self, *, lease_s: float) -> None:
        self.looks += 1
        if self.looks == 2:
            self.was_looked_at_again.set()

    async def work_in(self, *, within_s: float, since_s: float) -> float | None:
        return None


class AwayStore(FallingStore):
    """It goes away while something waits."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = asyncio.Event()

    async def has_work(self) -> bool:
        self.looks += 1
        if self.looks > 2:
            self.is_away.set()
            raise StoreError("It is away.")
        return True

    async def take_up(self, *, lease_s: float) -> None: ...

    async def work_in(self, *, within_s: float, since_s: float) -> float | None:
        return None


class AtWork:
    def __init__(self, run: Run) -> None:
        self._run = run
        room = SimpleNamespace(among=lambda _: None, freed=None, give_back=lambda unused: None)
        self.admission = SimpleNamespace(room=room, beat=lambda _: None, for_work=lambda has_work: has_work())

    def running(self) -> list[Run]:
        return [self._run]


@pytest.mark.parametrize("fault", [RuntimeError, asyncio.CancelledError, None])
async def test_who_cannot_beat_because_of_a_fault_stops_what_others_may_have(
    fault: type[BaseException] | None,
) -> None:
    run = at_work()
    stopped = asyncio.Event()
    abort = run.abort

    def noted(reason: str) -> bool:
        stopped.set()
        return abort(reason)

    run.abort = noted  # type: ignore[method-assign]
    member = member_of(FaultyStore(fault), run, lease_s=0.06)
    await member.open()
    try:
        async with asyncio.timeout(DEADLINE_S):
            await stopped.wait()
        assert run.abort_reason == LEASE_ENDS, "nobody knows whether another has it"
    finally:
        await member.close()


@pytest.mark.parametrize(("store_of", "reason"), [(LateStore, None), (TakenUpStore, TAKEN_OVER)])
async def test_who_has_beaten_and_was_paused_then_stops_what_it_has_lost_and_nothing_else(
    store_of: type[LateStore], reason: str | None
) -> None:
    """The end of the lease was seen before what had come meanwhile was read."""
    run, store = at_work(), store_of()
    member = member_of(store, run, lease_s=0.2)
    await member.open()
    try:
        async with asyncio.timeout(DEADLINE_S):
            await store.has_beaten_thrice.wait()
        assert run.abort_reason == reason
    finally:
        await member.close()


class EndingStore(LateStore):
    """The run ends while it is asked what was lost."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    async def lost(self, executed: Mapping[str, int]) -> frozenset[str]:
        self._run.is_ending = self.beats > 1
        return frozenset(executed)


async def test_what_has_come_to_its_end_is_not_stopped() -> None:
    """Whose that is, the store says of its end. One that was recorded was told as that of another."""
    run = at_work()
    run.is_ending = True
    store = EndingStore(run)
    member = member_of(store, run, lease_s=0.2)
    await member.open()
    run.is_ending = False
    try:
        async with asyncio.timeout(DEADLINE_S):
            await store.has_beaten_thrice.wait()
        assert run.is_ending
        assert run.abort_reason is None
    finally:
        await member.close()


@pytest.mark.parametrize("store_of", [FallingStore, LockedStore])
async def test_who_has_just_come_takes_up_what_falls_before_its_first_beat(
    monkeypatch: pytest.MonkeyPatch, store_of: type[FallingStore]
) -> None:
    monkeypatch.setattr(membership, "_LOOK_EVERY_S", 300.0)
    store = store_of()
    member = member_of(store, at_work(), lease_s=900.0, role="all")
    await member.open()
    try:
        async with asyncio.timeout(DEADLINE_S):
            await store.was_looked_at_again.wait()
    finally:
        await member.close()


async def test_a_store_that_goes_away_while_something_waits_is_not_asked_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was asked every 20 ms for as long as it was away, and each time that was said in the log."""
    monkeypatch.setattr(membership, "_LOOK_EVERY_S", 300.0)
    store = AwayStore()
    member = member_of(store, at_work(), lease_s=900.0, role="all")
    await member.open()
    try:
        async with asyncio.timeout(DEADLINE_S):
            await store.is_away.wait()
        await asyncio.sleep(0.2)
        assert store.looks == 3
    finally:
        await member.close()


def at_work() -> Run:
    request = RunRequest(Origin("me", "http", "conversation"), "main", (UserMessage("x"),))
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://127.0.0.1:9"), "m"),), PlainEquipment(agent))
    run = Run(request, plan, LocalBus(), id_="r1")
    run.begun = Claimed(Claim("r1", "me", "", 1, 60.0))
    return run


def member_of(store: Any, run: Run, *, lease_s: float, role: str = "front") -> Membership:
    live: Any = AtWork(run)
    replica: Any = SimpleNamespace(role=role)
    return Membership(store, LocalBus(), live, lambda: replica, lambda _: run.plan, lease_s=lease_s)
