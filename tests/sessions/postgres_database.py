"""A database of this test's own, with the tables of the store, and connections to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest
from asyncpg import Connection

from openclaw_gateway.sessions.postgres.migration import migrate
from openclaw_gateway.sessions.postgres.texts import use_texts

Connect = Callable[[], Awaitable[Connection]]


@pytest.fixture
async def connect(store_url: str) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as closed:

        async def connected() -> Connection:
            db = await asyncpg.connect(store_url)
            closed.push_async_callback(db.close)
            await use_texts(db)
            return db

        await migrate(await connected())
        yield connected


@pytest.fixture
async def db(connect: Connect) -> Connection:
    return await connect()
