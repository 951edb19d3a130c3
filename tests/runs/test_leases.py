"""Claims are renewed in time, whatever else the store is asked meanwhile."""

import asyncio
from typing import Any

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.leases import Leases
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import Run
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


async def test_no_renewal_waits_for_what_takes_long() -> None:
    """A look at the store, or an end that it has not taken yet, held up all claims of the process."""
    store: Any = SlowStore()

    async def never() -> None:
        await asyncio.Event().wait()

    leases = Leases(store, LocalBus(), never, lease_s=60, renew_every_s=0.01, look_again_s=None)
    request = RunRequest(Origin("me", "http", "conversation"), "main", (UserMessage("x"),), session_key="s")
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://127.0.0.1:9"), "m"),), PlainEquipment(agent))
    leases.hold(Run(request, plan, LocalBus(), id_="r1"), Claimed(Claim("r1", "me", "s", 1, 60.0)))
    leases.open()
    async with asyncio.timeout(DEADLINE_S):
        assert [await store.renewed.get() for _ in range(3)] == ["r1"] * 3
        assert set(await leases.close()) == {"r1"}
