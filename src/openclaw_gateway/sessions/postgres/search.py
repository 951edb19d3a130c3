"""A search of transcripts in the PostgreSQL store, a slice at a time.

What is found is decided by the same rules as in every store (`searching`), on a thread beside the loop: the
database only hands out entries, newest first. Whose session it is, is asked of it for each slice.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from asyncpg import Connection
from msgspec.structs import replace

from openclaw_gateway.sessions.older_messages import decode_entry
from openclaw_gateway.sessions.postgres.texts import written_list
from openclaw_gateway.sessions.search_walk import Slice
from openclaw_gateway.sessions.searched import Hit, SearchWanted
from openclaw_gateway.sessions.searching import hit_of, holds, stored

# What is held in memory at once.
_SLICE_BYTES = 256 << 10
_SESSION = """
    SELECT number, last_seq, created_ms, (
        SELECT coalesce(max(seq), 0) FROM summaries
        WHERE summaries.session = number AND summaries.text = ''
    ) FROM sessions WHERE owner = $1 AND key = $2
"""
# The newest entries up to the first with which they are large enough; a body is read only when it is wanted.
_ENTRIES = """
    WITH RECURSIVE walk AS (
        (SELECT seq, octet_length(body)::bigint AS size FROM entries
         WHERE session = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq DESC LIMIT 1)
        UNION ALL
        SELECT older.seq, walk.size + older.size FROM walk CROSS JOIN LATERAL (
            SELECT seq, octet_length(body) AS size FROM entries
            WHERE session = $1 AND seq BETWEEN $2 AND walk.seq - 1 ORDER BY seq DESC LIMIT 1
        ) AS older WHERE walk.size < $4
    )
    SELECT seq, entries.body FROM walk JOIN entries USING (seq) WHERE session = $1 ORDER BY seq DESC
"""
_RUNS = """
    SELECT id, created_ms, coalesce(ended_ms, created_ms) FROM runs WHERE owner = $1 AND id = ANY($2::text[])
"""


async def slice_of(db: Connection, wanted: SearchWanted, key: str, before: int | None) -> Slice:
    """The newest messages of a session that come before an entry, None = the end."""
    row = await db.fetchrow(_SESSION, wanted.owner, key)
    if row is None:
        return Slice((), None, 0)
    number, last, created_ms, reset = row
    first = reset + 1
    last = last if before is None else min(last, before - 1)
    found = await db.fetch(_ENTRIES, number, first, last, _SLICE_BYTES)
    size = sum(len(body) for _, body in found)
    hits = await asyncio.to_thread(_hits, found, wanted.words, key, created_ms)
    seq = found[-1][0] if found else first
    return Slice(hits, seq if seq > first and size >= _SLICE_BYTES else None, size)


def _hits(
    found: Sequence[tuple[int, bytes]], words: tuple[str, ...], key: str, created_ms: int
) -> tuple[Hit, ...]:
    needles = stored(words)
    hits: list[Hit] = []
    for _, body in found:
        if not holds(body.decode("utf-8", "replace"), needles):
            continue
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            hit = hit_of(key, decode_entry(body), words, created_ms)
            hits += () if hit is None else (hit,)
    return tuple(hits)


async def dated(db: Connection, owner: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """With when each was said, as far as its run is kept."""
    ids = {hit.place.rpartition(":")[0] for hit in hits}
    if not ids:
        return hits
    found = await db.fetch(_RUNS, owner, written_list(ids))
    said = {run_id: times for run_id, *times in found}
    return tuple(_dated(hit, said.get(hit.place.rpartition(":")[0])) for hit in hits)


def _dated(hit: Hit, times: Sequence[int] | None) -> Hit:
    return hit if times is None else replace(hit, at_ms=times[hit.role == "assistant"])
