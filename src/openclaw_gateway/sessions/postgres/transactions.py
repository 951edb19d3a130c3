"""A transaction that takes several round trips, in the PostgreSQL store.

Whoever has begun one may be stopped in the middle of it, or cut off so that the server hears nothing: what it
has locked is free again once the server has waited so long for its next word. Knows nothing of pools.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import Connection

_BEGIN_S = 1.0
_SILENT_MS = 5_000
# Of this transaction alone, so that a pool of transactions may stand between.
_BOUND = f"SET LOCAL idle_in_transaction_session_timeout = {_SILENT_MS}"


@asynccontextmanager
async def transaction(db: Connection) -> AsyncIterator[None]:
    """Where it raises TimeoutError it is not ended: nothing more is to be asked of that connection."""
    own = db.transaction()
    async with asyncio.timeout(_BEGIN_S):
        await own.start()
        await db.execute(_BOUND)
    try:
        yield
    except TimeoutError:
        raise
    except BaseException:
        await own.rollback()
        raise
    await own.commit()
