"""Processes that start together on an empty database: one of them makes the tables, and all of them work."""

import asyncio

from openclaw_gateway.sessions.postgres.store import PostgresStore
from tests.engines.postgres import Postgres


async def test_of_those_that_open_an_empty_database_at_once_one_makes_its_tables(
    postgres_server: Postgres,
) -> None:
    for _ in range(3):
        url = await postgres_server.new_database()
        stores = [PostgresStore(url) for _ in range(6)]
        try:
            await asyncio.gather(*(store.open() for store in stores))
            health = [await store.health() for store in stores]
        finally:
            for store in stores:
                await store.close()
        assert {each.ok for each in health} == {True}
        assert len({each.schema_version for each in health}) == 1
