"""A plugin of pytest: servers that belong to the session, made when the first test asks for one.

A test that asks for one which this machine has not is skipped with the reason.
"""

from collections.abc import Iterator

import pytest

from tests.engines.postgres import NotInstalled, Postgres, started


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    try:
        server = started()
    except NotInstalled as error:
        pytest.skip(str(error))
    yield server
    server.end()


@pytest.fixture
async def postgres_url(postgres_server: Postgres) -> str:
    """Of an empty database."""
    return await postgres_server.new_database()


@pytest.fixture
async def store_url(postgres_server: Postgres) -> str:
    """Of one that has the tables of a store, and nothing in them."""
    return await postgres_server.new_store()
