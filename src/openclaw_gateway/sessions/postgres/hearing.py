"""Whose messages the run that holds a session has taken up, in the PostgreSQL store: they wait still, and it
answers them.

A run that waits has no claim: its token is that of the claim whose run has heard it. So whoever holds the
session next, under another one, finds it waiting as before, and nothing is to be undone. Knows nothing of
pools.
"""

from collections.abc import Sequence

from asyncpg import Connection

from openclaw_gateway.sessions.postgres.texts import written_list
from openclaw_gateway.sessions.shared import Waiting
from openclaw_gateway.sessions.store import Claim

# The holder has another status.
_IS_HEARD = (
    "(runs.status = 'queued' AND sessions.lease_until_ms IS NOT NULL "
    "AND runs.token IS NOT DISTINCT FROM sessions.token)"
)
_HELD = (
    "sessions.owner = $1 AND sessions.key = $2 AND sessions.token = $3 AND lease_until_ms IS NOT NULL "
    "AND runs.session = sessions.number AND runs.status = 'queued' AND ended_ms IS NULL "
    "AND NOT abort_requested"
)
_WAITING = f"SELECT id, work FROM runs, sessions WHERE {_HELD} AND work IS NOT NULL ORDER BY runs.number"  # noqa: S608
_HEAR = f"UPDATE runs SET token = $3 FROM sessions WHERE {_HELD} AND id = ANY ($4) RETURNING id"  # noqa: S608
_PLACE = (
    f"SELECT {_IS_HEARD}, (SELECT count(*) FROM runs, sessions "  # noqa: S608
    "  WHERE sessions.number = own.session AND runs.session = own.session AND runs.ended_ms IS NULL "
    f" AND runs.number < own.number AND NOT {_IS_HEARD}) "
    "FROM runs AS own JOIN sessions ON sessions.number = own.session JOIN runs ON runs.number = own.number "
    "WHERE own.owner = $1 AND own.id = $2 AND own.status = 'queued'"
)
_STOP_HEARER = (
    "UPDATE runs AS hearer SET abort_requested = true, unasked = false FROM runs, sessions "  # noqa: S608
    "WHERE runs.owner = $1 AND runs.id = $2 AND sessions.number = runs.session "
    f"AND {_IS_HEARD} AND hearer.number = sessions.holder AND hearer.ended_ms IS NULL"
)
# Of the newest state of both rows, which stays so until the end of the transaction.
LOCKED = (
    f"SELECT {_IS_HEARD} AS is_heard FROM sessions JOIN runs ON runs.session = sessions.number "  # noqa: S608
    "WHERE runs.id = $2 FOR UPDATE"
)


async def waiting(db: Connection, claim: Claim) -> tuple[Waiting, ...]:
    found = await db.fetch(_WAITING, claim.owner, claim.session, claim.token)
    return tuple(Waiting(run_id, body) for run_id, body in found)


async def hear(db: Connection, claim: Claim, run_ids: Sequence[str]) -> frozenset[str]:
    """A wish to stop one, which was there before, is looked at under the lock of its row."""
    heard = await db.fetch(_HEAR, claim.owner, claim.session, claim.token, written_list(run_ids))
    return frozenset(run_id for (run_id,) in heard)


async def place(db: Connection, owner: str, run_id: str) -> int | None:
    row = await db.fetchrow(_PLACE, owner, run_id)
    is_heard, before = (False, 0) if row is None else row
    return None if is_heard else before


async def stop_hearer(db: Connection, owner: str, run_id: str) -> None:
    """After a wish to stop the one that waits: from then on nobody hears it who has not yet."""
    await db.execute(_STOP_HEARER, owner, run_id)
