"""A transaction that takes several round trips, in the PostgreSQL store.

Whoever has begun one may be stopped in the middle of it, or cut off so that the server hears nothing: what it
has locked is free again once the server has waited so long for its next word. Knows nothing of pools.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import Connection

_SILENT_MS = 5_000
# Of this transaction alone, so that a pool of transactions may stand between.
_BOUND = f"SET LOCAL idle_in_transaction_session_timeout = {_SILENT_MS}"


@asynccontextmanager
async def transaction(db: Connection) -> AsyncIterator[None]:
    async with db.transaction():
        await db.execute(_BOUND)
        yield
