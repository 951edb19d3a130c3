"""PostgresStore: the contract over a PostgreSQL."""

import pytest

from openclaw_gateway.sessions.postgres.store import PostgresStore
from tests.sessions.key_contract import KeyContract
from tests.sessions.retention_contract import RetentionContract
from tests.sessions.shared_contract import NewShared, SharedContract
from tests.sessions.spending_contract import SpendingContract
from tests.sessions.store_contract import MAX_QUEUED, Clock, NewStore, StoreContract

# The machine may be busy: how long a run may take to be recorded is told of elsewhere.
PATIENT_S = 20.0


class TestPostgresStore(StoreContract, KeyContract, RetentionContract, SpendingContract):
    @pytest.fixture
    def new_store(self, store_url: str) -> NewStore:
        def new_store(clock: Clock) -> PostgresStore:
            return PostgresStore(store_url, max_queued=MAX_QUEUED, clock=clock, begin_s=PATIENT_S)

        return new_store


class TestSharedPostgresStore(SharedContract):
    @pytest.fixture
    def new_shared(self, store_url: str) -> NewShared:
        def new_shared(clock: Clock) -> PostgresStore:
            return PostgresStore(store_url, clock=clock, begin_s=PATIENT_S)

        return new_shared


class TestUnpreparedPostgresStore(RetentionContract):
    """As behind a PgBouncer that knows no prepared statements: each act is one transaction."""

    @pytest.fixture
    def new_store(self, store_url: str) -> NewStore:
        def new_store(clock: Clock) -> PostgresStore:
            store = PostgresStore(store_url, max_queued=MAX_QUEUED, clock=clock, begin_s=PATIENT_S)
            store._pool._is_prepared = False
            return store

        return new_store
