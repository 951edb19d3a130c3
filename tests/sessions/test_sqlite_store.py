"""SqliteStore: the contract over a file."""

from pathlib import Path

import pytest

from openclaw_gateway.sessions.sqlite_store import SqliteStore
from tests.sessions.key_contract import KeyContract
from tests.sessions.retention_contract import RetentionContract
from tests.sessions.store_contract import MAX_QUEUED, Clock, NewStore, StoreContract


class TestSqliteStore(StoreContract, KeyContract, RetentionContract):
    @pytest.fixture
    def new_store(self, tmp_path: Path) -> NewStore:
        def new_store(clock: Clock) -> SqliteStore:
            return SqliteStore(
                tmp_path / "gateway" / "sessions.sqlite",
                max_queued=MAX_QUEUED,
                clock=clock,
                lease_clock=clock,
            )

        return new_store
