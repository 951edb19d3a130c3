"""MemoryStore of the test kit: the contract without a disk."""

import pytest

from openclaw_gateway.testing.memory_data import MemoryData
from openclaw_gateway.testing.memory_store import MemoryStore
from tests.sessions.key_contract import KeyContract
from tests.sessions.retention_contract import RetentionContract
from tests.sessions.spending_contract import SpendingContract
from tests.sessions.store_contract import MAX_QUEUED, Clock, NewStore, StoreContract


class TestMemoryStore(StoreContract, KeyContract, RetentionContract, SpendingContract):
    @pytest.fixture
    def new_store(self) -> NewStore:
        data = MemoryData()

        def new_store(clock: Clock) -> MemoryStore:
            return MemoryStore(data, max_queued=MAX_QUEUED, clock=clock)

        return new_store
