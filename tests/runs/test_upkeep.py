"""What is too old goes at the start and every while; a store that refuses is asked again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.upkeep import Upkeep
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.testing.memory_store import MemoryStore


class Watched(MemoryStore):
    """Refuses the first time, and fails otherwise the second and the third."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: asyncio.Queue[Retention] = asyncio.Queue()
        self.faults: list[BaseException] = [
            asyncio.CancelledError(),
            RuntimeError("a fault"),
            StoreError("not now"),
        ]

    async def prune(self, retention: Retention) -> Pruned:
        self.asked.put_nowait(retention)
        if self.faults:
            raise self.faults.pop()
        return await super().prune(retention)


@pytest.fixture
async def store() -> AsyncIterator[Watched]:
    store = Watched()
    await store.open()
    async with asyncio.timeout(5):
        yield store
    await store.close()


async def test_upkeep_goes_on(store: Watched) -> None:
    retention = Retention(max_sessions=3)
    upkeep = Upkeep(store, retention, every_s=0.001)
    upkeep.open()
    assert [await store.asked.get() for _ in range(5)] == [retention] * 5
    await upkeep.close()


async def test_another_retention_is_carried_out_at_once(store: Watched) -> None:
    upkeep = Upkeep(store, Retention())
    upkeep.open()
    assert await store.asked.get() == Retention()
    for number in (3, 2):
        upkeep.go_by(Retention(max_sessions=number))
        assert await store.asked.get() == Retention(max_sessions=number)
    await upkeep.close()
