"""What the PostgreSQL store does to runs that begin or go on: begin, claim, read, renew, taking one up.

Each is one function of schema/0003 and one round trip, but for the reading of a long transcript. Knows
nothing of pools. Leases end by the clock of the database: no clock of this machine takes a session away.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Connection, LockNotAvailableError, Record

from openclaw_gateway.errors import GatewayError
from openclaw_gateway.sessions import refused, stored
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.postgres import hearing, reads, rows
from openclaw_gateway.sessions.postgres.texts import written_gaps, written_list
from openclaw_gateway.sessions.postgres.together import SMALL_BYTES
from openclaw_gateway.sessions.shared import ATTEMPTS
from openclaw_gateway.sessions.store import (
    Begun,
    Claim,
    Claimed,
    Duplicate,
    Entry,
    NewRun,
    Queued,
    Recorded,
    Transcript,
)

# The database gives a lock up before the connection is: so nothing is in doubt, and nothing is dropped.
_BEGIN = (
    "SELECT begun.* FROM (SELECT set_config('lock_timeout', $19, true) AS patience) AS own, "
    "begin_run($1, CASE WHEN patience IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
    "$13, $14, $15, $16, $17, $18) AS begun"
)
_UNLOCKED_S = 0.1
_BEGIN_ALL = "SELECT * FROM begin_runs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
# Of all that wait for one session each asks once a second: none of them keeps a connection for long.
_CLAIM = (
    "SELECT claimed.* FROM (SELECT set_config('lock_timeout', '100', true) AS patience) AS own, "
    "claim_run($1, CASE WHEN patience IS NOT NULL THEN $2 END, $3, $4, $5, $6, $7) AS claimed"
)
# Who has to wait for a lock tries again: of those that are renewed together none waits for another for long.
_RENEW = (
    "SELECT renew_run($1, $2, $3, $4, $5, $6) "
    "FROM (SELECT set_config('lock_timeout', '1000', true) AS patience) AS own WHERE patience IS NOT NULL"
)
_RENEW_S = 1.5
_IS_UNASKED = "SELECT unasked FROM runs WHERE id = $1"
# Once somebody has asked, it stays asked for.
_REQUEST_ABORT = (
    "UPDATE runs SET abort_requested = true, unasked = $3 AND (unasked OR NOT abort_requested) "
    "WHERE id = $1 AND owner = $2 AND ended_ms IS NULL RETURNING status"
)
_HELD = (
    "SELECT sessions.number, covered_seq, last_seq, "
    "(SELECT text FROM summaries WHERE session = sessions.number AND seq = covered_seq) "
    "FROM sessions JOIN runs ON runs.number = holder "
    "WHERE sessions.owner = $1 AND key = $2 AND sessions.token = $3 AND lease_until_ms IS NOT NULL "
    "AND runs.id = $4"
)
LOST = stored.encode(stored.LEASE_LOST)


class Who(NamedTuple):
    """Whose act it is: of the process `replica`, at a time that a test says (None = the database's)."""

    replica: str
    at_ms: int | None


class Arriving(NamedTuple):
    """A run that is to begin; its claim, where it has one at once, lasts so long. Its answer is there before
    `until`, of the monotonic clock."""

    run: NewRun
    lease_s: float
    until: float


async def begin(db: Connection, who: Who, arriving: Arriving, max_queued: int, *, again: bool) -> Begun:
    """`again`: the same call was made before, and nobody knows what came of it."""
    run = arriving.run
    named = run.idempotency
    left = _left(arriving.until)
    row = await db.fetchrow(
        _BEGIN,
        who.at_ms,
        run.id,
        run.owner,
        run.session,
        run.agent,
        run.user,
        run.parent,
        None if named is None else named.key,
        None if named is None else named.digest,
        run.work,
        run.given,
        who.replica,
        int(arriving.lease_s * 1000),
        max_queued,
        ATTEMPTS,
        LOST,
        again,
        run.created_ms,
        str(max(int((left - _UNLOCKED_S) * 1000), 1)),
        timeout=left,
    )
    begun = _begun(arriving, row)
    if isinstance(begun, GatewayError):
        raise begun
    if begun is not None:
        return begun
    outcome, known = row[:2]
    record = None if outcome == "taken" else await reads.get_run(db, run.owner, known)
    if record is None:
        # Another owner's, or one that was dropped since.
        raise refused.run_id_taken()
    return Duplicate(record)


def goes_together(run: NewRun) -> bool:
    """Whether it may begin in one act with runs of other sessions."""
    return run.session is not None and run.idempotency is None and len(run.work or b"") <= SMALL_BYTES


async def begin_all(
    db: Connection, who: Who, arriving: Sequence[Arriving], max_queued: int
) -> list[Begun | GatewayError | None]:
    """For each what it has come to or is refused with; None = it must be begun by itself. All or none."""
    runs = [each.run for each in arriving]
    found = await db.fetch(
        _BEGIN_ALL,
        who.at_ms,
        written_list(run.id for run in runs),
        written_list(run.owner for run in runs),
        written_gaps(run.session for run in runs),
        written_list(run.agent for run in runs),
        written_gaps(run.user for run in runs),
        written_gaps(run.parent for run in runs),
        [None if run.work is None else run.work.hex() for run in runs],
        [str(run.given) for run in runs],
        who.replica,
        [str(int(each.lease_s * 1000)) for each in arriving],
        max_queued,
        ATTEMPTS,
        LOST,
        [None if run.created_ms is None else str(run.created_ms) for run in runs],
        timeout=_left(max(each.until for each in arriving)),
    )
    return [_begun(each, row) for each, row in zip(arriving, found, strict=True)]


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.001)


def _begun(arriving: Arriving, row: Record) -> Begun | GatewayError | None:
    """What a row of begin_run says; None: there is a run of this name already."""
    run = arriving.run
    outcome, _, place, token = row[:4]
    if outcome == "claimed":
        claim = Claim(run.id, run.owner, run.session or "", token, arriving.lease_s)
        return rows.claimed(claim, row)
    if outcome == "recorded":
        return Recorded()
    if outcome == "queued":
        return Queued(place)
    return refused.queue_full(place) if outcome == "busy" else None


async def claim(db: Connection, who: Who, run_id: str, lease_s: float, *, again: bool) -> Claimed | None:
    lease_ms = int(lease_s * 1000)
    try:
        row = await db.fetchrow(_CLAIM, who.at_ms, run_id, who.replica, lease_ms, ATTEMPTS, LOST, again)
    except LockNotAvailableError:
        return None
    outcome, owner, session, token = row[:4]
    if outcome == "refused":
        raise refused.not_waiting()
    return None if outcome == "later" else rows.claimed(Claim(run_id, owner, session, token, lease_s), row)


async def renew(db: Connection, who: Who, claim: Claim, lease_s: float) -> Signal | None:
    is_unwanted: bool | None = await db.fetchval(
        _RENEW,
        who.at_ms,
        claim.owner,
        claim.session,
        claim.token,
        claim.run_id,
        int(lease_s * 1000),
        timeout=_RENEW_S,
    )
    if is_unwanted is None:
        raise refused.fenced()
    if not is_unwanted:
        return None
    return "leave" if await db.fetchval(_IS_UNASKED, claim.run_id) else "abort"


async def request_abort(db: Connection, owner: str, run_id: str, *, unasked: bool) -> bool:
    status = await db.fetchval(_REQUEST_ABORT, run_id, owner, unasked)
    if status == "queued" and not unasked:
        await hearing.stop_hearer(db, owner, run_id)
    return status is not None


async def read(db: Connection, claim: Claim) -> Transcript:
    """As `Store.read` says, in pages: a long one is not held in memory twice."""
    held = (claim.owner, claim.session, claim.token, claim.run_id)
    row = await db.fetchrow(_HELD, *held)
    if row is None:
        raise refused.not_to_be_read()
    number, covered_seq, last_seq, summary = row
    read: list[Entry] = []
    seq = covered_seq
    while seq < last_seq:
        read += await reads.page(db, number, seq, last_seq)
        seq = read[-1].seq
    if read and await db.fetchrow(_HELD, *held) is None:
        raise refused.not_to_be_read()
    return Transcript(tuple(read), rows.summary_of(covered_seq, summary))
