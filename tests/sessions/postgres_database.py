"""A fresh database of this test's own, with the tables of the store, and connections to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from asyncpg import Connection

from openclaw_gateway.sessions.postgres.migration import migrate
from openclaw_gateway.sessions.postgres.texts import use_texts
from tests.engines.postgres import NotInstalled, Postgres, postgres

Connect = Callable[[], Awaitable[Connection]]


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """It is there before a test is looked at for what it leaves behind, and ends after the last."""
    try:
        there = postgres()
    except NotInstalled as error:
        pytest.skip(str(error))
    yield there
    there.end()


@pytest.fixture
async def url(server: Postgres) -> str:
    """Of an empty one."""
    return await server.new_database()


@pytest.fixture
async def connect(url: str) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as closed:

        async def connected() -> Connection:
            db = await asyncpg.connect(url)
            closed.push_async_callback(db.close)
            await use_texts(db)
            return db

        await migrate(await connected())
        yield connected


@pytest.fixture
async def db(connect: Connect) -> Connection:
    return await connect()
