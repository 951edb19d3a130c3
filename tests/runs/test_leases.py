"""Claims are renewed in time, whatever else the store is asked meanwhile."""

import asyncio
from typing import Any

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.leases import Leases
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import LEASE_ENDS, Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.store import Claim, Claimed, StoreHealth
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Origin, RunRequest
from tests.runs.pauses import answered_while_paused

DEADLINE_S = 30.0


class SlowStore:
    """It never says how it is, and renews at once."""

    def __init__(self) -> None:
        self.renewed: asyncio.Queue[str] = asyncio.Queue()

    async def health(self) -> StoreHealth:
        await asyncio.Event().wait()
        return StoreHealth(ok=False)

    async def renew(self, claim: Claim, *, lease_s: float) -> None:
        self.renewed.put_nowait(claim.run_id)


class SilentStore(SlowStore):
    """It does not say whether it has renewed, or fails as nobody expects."""

    def __init__(self, fault: type[BaseException] | None) -> None:
        super().__init__()
        self._fault = fault

    async def renew(self, claim: Claim, *, lease_s: float) -> None:
        await super().renew(claim, lease_s=lease_s)
        if self._fault is not None:
            raise self._fault
        await asyncio.Event().wait()


class LateStore(SlowStore):
    """What it says the first time comes while this process is paused."""

    async def renew(self, claim: Claim, *, lease_s: float) -> None:
        if not self.renewed.qsize() and not self.has_answered:
            self.has_answered = True
            await answered_while_paused(2 * lease_s)
        await super().renew(claim, lease_s=lease_s)

    has_answered = False


async def test_no_renewal_waits_for_what_takes_long() -> None:
    """A look at the store, or an end that it has not taken yet, held up all claims of the process."""
    store: Any = SlowStore()

    async def never() -> None:
        await asyncio.Event().wait()

    leases = Leases(
        store, LocalBus(), never, lease_s=60, renew_every_s=0.01, look_again_s=None, is_shared=True
    )
    leases.hold(at_work(), Claimed(Claim("r1", "me", "s", 1, 60.0)), leases.clock())
    leases.open()
    async with asyncio.timeout(DEADLINE_S):
        assert [await store.renewed.get() for _ in range(3)] == ["r1"] * 3
        assert set(await leases.close()) == {"r1"}


async def nothing() -> None:
    pass


@pytest.mark.parametrize("asked_ago_s", [0, 900])
@pytest.mark.parametrize("fault", [None, RuntimeError, asyncio.CancelledError])
async def test_a_run_is_stopped_when_its_claim_ends_whether_or_not_the_store_has_said_no(
    fault: type[BaseException] | None, asked_ago_s: int
) -> None:
    """Of a store that says nothing that was known only when the deadline of the question was over, and never
    of one that fails in another way than stores do. A claim counts from when it was asked for."""
    store: Any = SilentStore(fault)

    lease_s = asked_ago_s + 0.06
    leases = Leases(
        store, LocalBus(), nothing, lease_s=lease_s, renew_every_s=0.02, look_again_s=None, is_shared=True
    )
    run = at_work()
    leases.hold(run, Claimed(Claim("r1", "me", "s", 1, lease_s)), leases.clock() - asked_ago_s)
    leases.open()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(TimeoutError), run.interruptible():
            await asyncio.Event().wait()
    assert run.abort_reason == LEASE_ENDS
    assert fault or store.renewed.qsize() == 1
    await leases.close()


async def test_a_claim_that_does_not_last_until_the_next_beat_is_renewed_at_once() -> None:
    """Its answer came late; nothing stopped who had it between its end and the next beat."""
    store: Any = SilentStore(None)
    leases = Leases(
        store, LocalBus(), nothing, lease_s=900.1, renew_every_s=300, look_again_s=None, is_shared=True
    )
    run = at_work()
    leases.hold(run, Claimed(Claim("r1", "me", "s", 1, 900.1)), leases.clock() - 900)
    leases.open()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(TimeoutError), run.interruptible():
            await asyncio.Event().wait()
    assert run.abort_reason == LEASE_ENDS
    assert store.renewed.qsize() == 1
    await leases.close()


async def test_a_claim_whose_renewal_came_while_this_process_was_paused_is_held() -> None:
    """The end of the claim was seen before what had come meanwhile was read."""
    store: Any = LateStore()
    leases = Leases(
        store, LocalBus(), nothing, lease_s=0.2, renew_every_s=0.05, look_again_s=None, is_shared=True
    )
    run = at_work()
    leases.hold(run, Claimed(Claim("r1", "me", "s", 1, 0.2)), leases.clock())
    leases.open()
    async with asyncio.timeout(DEADLINE_S):
        assert [await store.renewed.get() for _ in range(2)] == ["r1"] * 2
    assert run.abort_reason is None
    await leases.close()


def at_work() -> Run:
    request = RunRequest(Origin("me", "http", "conversation"), "main", (UserMessage("x"),), session_key="s")
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://127.0.0.1:9"), "m"),), PlainEquipment(agent))
    return Run(request, plan, LocalBus(), id_="r1")
