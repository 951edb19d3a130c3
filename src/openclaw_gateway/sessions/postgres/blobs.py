"""What is large beside the entries of the PostgreSQL store: each content once, by its SHA-256.

A content is put there, and committed, before the entry that names it. Whoever sweeps up leaves alone what was
put there lately (its entry may be on its way) and what any session names; a replica that names a content at
that moment (a fork does, without putting it there) holds its row, by the foreign key, until it has committed.
"""

import asyncio

from asyncpg import Connection
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.large import UNTOUCHED_S, digest_of, is_large, referenced
from openclaw_gateway.sessions.postgres.transactions import transaction
from openclaw_gateway.wire.messages import M, Message

_AT_ONCE = 100
_SURELY_OLD = int(UNTOUCHED_S * 1000)
# From now on it counts as new, where it is there and whole.
_TOUCH = (
    "UPDATE blob_contents SET touched_ms = now_ms($2) "
    "WHERE digest = $1 AND octet_length(body) = size RETURNING 1"
)
_PUT = (
    "INSERT INTO blob_contents (digest, size, touched_ms, body) VALUES ($1, $3, now_ms($2), $4) "
    "ON CONFLICT (digest) DO UPDATE SET size = excluded.size, touched_ms = excluded.touched_ms, "
    "body = excluded.body"
)
# Two statements: the second sees who has come to name one before the first had its row.
_LOCK_UNNAMED = f"""
    SELECT digest FROM blob_contents WHERE touched_ms < now_ms($1) - {_SURELY_OLD}
        AND NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.digest = blob_contents.digest)
    LIMIT {_AT_ONCE} FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - our own text
_DROP = """
    WITH gone AS (
        DELETE FROM blob_contents WHERE digest = ANY($1::text[])
            AND NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.digest = blob_contents.digest)
        RETURNING 1
    ) SELECT count(*) FROM gone
"""


async def set_aside(db: Connection, turn: tuple[Message, ...], now_ms: int | None) -> tuple[Message, ...]:
    """The turn with references for what is large, which is committed when this returns. Not to be called
    inside a transaction."""
    if not any(map(is_large, turn)):
        return turn
    kept: list[Message] = []
    for each in turn:
        message, contents = await asyncio.to_thread(referenced, each)
        for digest, content in contents.items():
            await put(db, digest, content, now_ms)
        kept.append(message)
    return tuple(kept)


async def put(db: Connection, digest: str, content: bytes, now_ms: int | None) -> None:
    if await db.fetchval(_TOUCH, digest, now_ms) is None:
        await db.execute(_PUT, digest, now_ms, len(content), content)


async def whole(db: Connection, one: M) -> M:
    """An image or file with its data. Raises StoreError (code "store_corrupt" = it is lost)."""
    if not one.digest:
        return one
    content = await db.fetchval("SELECT body FROM blob_contents WHERE digest = $1", one.digest)
    if content is None or await asyncio.to_thread(digest_of, content) != one.digest:
        raise StoreError(
            "An image or file of this conversation is lost from the store.", code="store_corrupt"
        )
    return replace(one, data=content.decode("ascii"), digest="", size=0)


async def sweep(db: Connection, now_ms: int | None) -> int:
    """Drop some of what no session names; how many. What somebody else has in hand is passed over."""
    async with transaction(db):
        unnamed = [digest for (digest,) in await db.fetch(_LOCK_UNNAMED, now_ms)]
        dropped: int = await db.fetchval(_DROP, unnamed) if unnamed else 0
    return dropped
