"""A search of transcripts in the SQLite store, a slice at a time, on its reader thread.

Knows nothing of threads or event loops. Whose session it is, is asked of the file for each slice.
"""

import sqlite3

from msgspec.structs import replace

from openclaw_gateway.sessions.search_walk import Slice
from openclaw_gateway.sessions.searched import Hit, SearchWanted
from openclaw_gateway.sessions.searching import hit_of, holds, stored
from openclaw_gateway.sessions.sqlite import rows
from openclaw_gateway.sessions.sqlite.errors import is_damage
from openclaw_gateway.sessions.sqlite.reads import reset_of
from openclaw_gateway.sessions.sqlite.schema import entry_id, seq_of

# What the thread, and with it the interpreter's lock, is held for at once.
_SLICE_BYTES = 256 << 10


def slice_of(db: sqlite3.Cursor, wanted: SearchWanted, key: str, before: int | None) -> Slice:
    """The newest messages of a session that come before an entry, None = the end."""
    row = db.execute(
        "SELECT number, last_seq, created_ms FROM sessions WHERE owner = ? AND key = ?", (wanted.owner, key)
    ).fetchone()
    if row is None:
        return Slice((), None, 0)
    number, last, created_ms = row
    first = reset_of(db, number) + 1
    last = last if before is None else min(last, before - 1)
    needles, hits, size, seq = stored(wanted.words), list[Hit](), 0, first
    try:
        for place, body in db.execute(
            "SELECT id, body FROM entries WHERE id BETWEEN ? AND ? ORDER BY id DESC",
            (entry_id(number, first), entry_id(number, last)),
        ):
            seq = seq_of(place)
            size += len(body)
            if holds(body.decode("utf-8", "replace"), needles):
                (entry,) = rows.entries([(place, body)], seq - 1, seq)
                hit = hit_of(key, entry, wanted.words, created_ms)
                hits += () if hit is None else (hit,)
            if size >= _SLICE_BYTES:
                break
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return Slice(tuple(hits), None, size, is_whole=False)
    return Slice(tuple(hits), seq if seq > first and size >= _SLICE_BYTES else None, size)


def dated(db: sqlite3.Cursor, owner: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """With when each was said, as far as its run is kept."""
    found = []
    for hit in hits:
        run = db.execute(
            "SELECT created_ms, ifnull(ended_ms, created_ms) FROM runs WHERE id = ? AND owner = ?",
            (hit.place.rpartition(":")[0], owner),
        ).fetchone()
        found.append(hit if run is None else replace(hit, at_ms=run[hit.role == "assistant"]))
    return tuple(found)
