"""The state machine over PostgreSQL: one process, and two whose calls take turns, are what the model says."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any, ClassVar, cast

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from openclaw_gateway.errors import Fenced
from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.store import Ending, Store
from tests.engines.postgres import Postgres
from tests.sessions.test_postgres_store import PATIENT_S
from tests.sessions.test_store_machine import MAX_QUEUED, StoreMachine

_FOR_GOOD_S = 1e6
_EMPTY = """
    DO $$ DECLARE tables text; BEGIN
        SELECT string_agg(quote_ident(tablename), ', ') INTO tables FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'schema_version';
        IF tables IS NOT NULL THEN EXECUTE 'TRUNCATE ' || tables; END IF;
    END $$
"""


@pytest.fixture(autouse=True, scope="module")
def _database(postgres_server: Postgres) -> Iterator[None]:
    OnPostgres.url = asyncio.run(postgres_server.new_database())
    yield
    OnPostgres.url = ""


async def _emptied(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_EMPTY)
    finally:
        await connection.close()


class OnPostgres(StoreMachine):
    url: ClassVar[str] = ""

    def __init__(self) -> None:
        asyncio.run(_emptied(self.url))
        super().__init__()

    def new_store(self) -> Store:
        return PostgresStore(self.url, max_queued=MAX_QUEUED, clock=self.clock, begin_s=PATIENT_S, size=2)


class Two:
    """Two living processes on one database; each call goes to the other one."""

    def __init__(self, *stores: PostgresStore) -> None:
        self._stores = stores
        self._turns = itertools.cycle(stores)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._turns), name)

    async def open(self) -> None:
        for store, name in zip(self._stores, "ab", strict=True):
            await store.open()
            await store.beat(Replica(name, "all", "1", "", 1), lease_s=_FOR_GOOD_S)

    async def close(self) -> None:
        for store in self._stores:
            await store.close()

    async def conclude(self, run_id: str, ending: Ending) -> None:
        """A run without a session is ended by the process that has begun it."""
        try:
            await next(self._turns).conclude(run_id, ending)
        except Fenced:
            await next(self._turns).conclude(run_id, ending)


class TwoOnPostgres(OnPostgres):
    def new_store(self) -> Store:
        stores = (cast(PostgresStore, super(TwoOnPostgres, self).new_store()) for _ in range(2))
        return cast(Store, Two(*stores))


SETTINGS = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
OnPostgres.TestCase.settings = SETTINGS
TwoOnPostgres.TestCase.settings = SETTINGS
TestStoreOnPostgres = OnPostgres.TestCase
TestTwoStoresOnPostgres = TwoOnPostgres.TestCase
