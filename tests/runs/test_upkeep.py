"""What is too old goes at the start and every while; a store that refuses is asked again."""

import asyncio

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.upkeep import Upkeep
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.testing.memory_store import MemoryStore


class Watched(MemoryStore):
    """Refuses the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Retention] = []
        self.often = asyncio.Event()

    async def prune(self, retention: Retention) -> Pruned:
        self.asked.append(retention)
        if len(self.asked) == 1:
            raise StoreError("not now")
        if len(self.asked) == 3:
            self.often.set()
        return await super().prune(retention)


async def test_upkeep_goes_on() -> None:
    store = Watched()
    await store.open()
    retention = Retention(max_sessions=3)
    upkeep = Upkeep(store, retention, every_s=0.001)
    upkeep.open()
    async with asyncio.timeout(5):
        await store.often.wait()
    await upkeep.close()
    assert set(store.asked) == {retention}
    await store.close()
