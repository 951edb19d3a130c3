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
    """It does not say whether it has renewed."""

    async def renew(self, claim: Claim, *, lease_s: float) -> None:
        await super().renew(claim, lease_s=lease_s)
        await asyncio.Event().wait()


async def test_no_renewal_waits_for_what_takes_long() -> None:
    """A look at the store, or an end that it has not taken yet, held up all claims of the process."""
    store: Any = SlowStore()

    async def never() -> None:
        await asyncio.Event().wait()

    leases = Leases(
        store, LocalBus(), never, lease_s=60, renew_every_s=0.01, look_again_s=None, is_shared=True
    )
    leases.hold(at_work(), Claimed(Claim("r1", "me", "s", 1, 60.0)))
    leases.open()
    async with asyncio.timeout(DEADLINE_S):
        assert [await store.renewed.get() for _ in range(3)] == ["r1"] * 3
        assert set(await leases.close()) == {"r1"}


async def test_a_run_is_stopped_when_its_claim_ends_whether_or_not_the_store_has_said_no() -> None:
    """Of a store that says nothing that was known only when the deadline of the question was over."""
    store: Any = SilentStore()

    async def nothing() -> None:
        pass

    leases = Leases(
        store, LocalBus(), nothing, lease_s=0.06, renew_every_s=0.02, look_again_s=None, is_shared=True
    )
    run = at_work()
    leases.hold(run, Claimed(Claim("r1", "me", "s", 1, 0.06)))
    leases.open()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(TimeoutError), run.interruptible():
            await asyncio.Event().wait()
    assert run.abort_reason == LEASE_ENDS
    assert store.renewed.qsize() == 1
    await leases.close()


def at_work() -> Run:
    request = RunRequest(Origin("me", "http", "conversation"), "main", (UserMessage("x"),), session_key="s")
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://127.0.0.1:9"), "m"),), PlainEquipment(agent))
    return Run(request, plan, LocalBus(), id_="r1")
