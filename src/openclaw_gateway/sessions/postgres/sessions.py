"""What the PostgreSQL store does to sessions: summarise, name, fork, delete, clear away.

A session is deleted in two acts: at one stroke it is gone for everybody (its row becomes a grave), and then
what it had is cleared away a little at a time, so that nobody waits for it. Knows nothing of pools.
"""

from typing import NamedTuple

from asyncpg import Connection

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions import refused
from openclaw_gateway.sessions.store import Summary

# What one act clears away.
_ROWS = 1000
_PROBE_BYTES = 64 << 10
_RENAME = "UPDATE sessions SET label = $3 WHERE owner = $1 AND key = $2 RETURNING 1"
_PROBE = (
    "INSERT INTO probe (id, at_ms, room) VALUES (1, now_ms(NULL), $1) "
    "ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms, room = excluded.room"
)


async def summarise(
    db: Connection, at_ms: int | None, owner: str, session: str, summary: Summary, *, earlier: bool
) -> Summary:
    outcome, covered, last = await db.fetchrow(
        "SELECT * FROM summarise_session($1, $2, $3, $4, $5, $6)",
        at_ms,
        owner,
        session,
        summary.covers_to_seq,
        summary.text,
        earlier,
    )
    if outcome == "none":
        raise refused.no_session()
    if outcome == "outdated":
        raise refused.summary_outdated(covered, last)
    return summary


async def rename(db: Connection, owner: str, session: str, label: str | None) -> bool:
    return await db.fetchval(_RENAME, owner, session, label) is not None


class Fork(NamedTuple):
    """The first `keeps` entries of a session, under another `key`."""

    owner: str
    session: str
    keeps: int
    key: str


async def fork(db: Connection, at_ms: int | None, wanted: Fork) -> bool:
    outcome = await db.fetchval("SELECT fork_session($1, $2, $3, $4, $5)", at_ms, *wanted)
    if outcome == "taken":
        raise StoreError("There is a session of that name already: choose another one.")
    return bool(outcome == "made")


async def bury(db: Connection, at_ms: int | None, owner: str, session: str) -> bool:
    """Delete it for everybody. Raises SessionBusy."""
    outcome = await db.fetchval("SELECT bury_session($1, $2, $3)", at_ms, owner, session)
    if outcome == "busy":
        raise refused.session_in_use()
    return bool(outcome == "gone")


async def clear_away(db: Connection) -> bool:
    """Some of what deleted sessions have left; True while there may be more."""
    is_more: bool = await db.fetchval("SELECT clear_away($1)", _ROWS)
    return is_more


async def probe(db: Connection) -> None:
    """Write as much as a turn may take, to learn whether writing works."""
    await db.execute(_PROBE, bytes(_PROBE_BYTES))
