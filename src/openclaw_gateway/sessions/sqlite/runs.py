"""What the SQLite store does to runs that begin or go on, on its writer thread: begin, claim, renew.

Every method is one operation inside a transaction that somebody else commits; a method that raises is
undone. Knows nothing of threads, event loops or files. Leases end by a monotonic clock of this process:
no jump of the wall clock takes a session away.
"""

import sqlite3
from collections.abc import Callable

from openclaw_gateway.sessions import refused, stored
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.sqlite import rows
from openclaw_gateway.sessions.sqlite.reads import entries_between, summary_of
from openclaw_gateway.sessions.store import (
    Begun,
    Claim,
    Claimed,
    Duplicate,
    NewRun,
    Queued,
    Recorded,
    Transcript,
)
from openclaw_gateway.wire.run import Idempotency

# What is read in the very transaction that claims; more than that would hold up everybody's commit.
_SHORT_BYTES = 64 << 10
_SHORT_ENTRIES = 256

_NOTHING = Transcript()
_IF_FREE = rows.FREE + " FROM sessions WHERE owner = ? AND key = ? AND waiting = 0 AND lease_until_ms IS NULL"
# Numbers of runs that are deleted are not given again; who else writes to the file is kept out of it.
_GIVEN = (
    "SELECT ifnull(max(number), 0) FROM runs UNION ALL SELECT seq FROM sqlite_sequence WHERE name = 'runs'"
)
_NEW_SESSION = (
    "INSERT INTO sessions (owner, key, agent, user, created_ms, updated_ms, token, lease_until_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class RunWrites:
    """`clock` gives Unix milliseconds, `lease_clock` monotonic; `max_queued` runs may wait per session."""

    def __init__(self, *, max_queued: int, clock: Callable[[], int], lease_clock: Callable[[], int]) -> None:
        self.max_queued = max_queued
        self._clock = clock
        self._lease_clock = lease_clock
        self._newest: int | None = None

    def begin(self, db: sqlite3.Cursor, run: NewRun, lease_s: float) -> Begun:
        if run.idempotency is not None:
            taken = _holder_of(db, run.owner, run.idempotency)
            if taken is not None:
                return taken
        now = self._clock()
        number = self._next_number(db)
        if run.session is None:
            return _insert(db, run, number, None, "running", now=now) or Recorded()
        execute = db.execute
        name = (run.owner, run.session)
        claim = Claim(run.id, *name, number, lease_s)
        free = execute(_IF_FREE, name).fetchone()
        if free is not None:
            hold = rows.Hold(*free)
            duplicate = _insert(db, run, number, hold.number, "running", now=now)
            return duplicate or self._hand_over(db, claim, hold)
        execute(_NEW_SESSION, (*name, run.agent, run.user, now, now, number, self._lease_end(lease_s)))
        if db.rowcount == 0:
            return self._begin_behind(db, run, claim, now)
        session = db.lastrowid
        duplicate = _insert(db, run, number, session, "running", now=now)
        if duplicate is not None:
            execute("DELETE FROM sessions WHERE number = ?", (session,))
            return duplicate
        return Claimed(claim, transcript=_NOTHING)

    def _begin_behind(self, db: sqlite3.Cursor, run: NewRun, claim: Claim, now: int) -> Begun:
        """In a session that is held, or has been until the lease of the run before ended."""
        row = db.execute(rows.HOLD + "WHERE owner = ? AND key = ?", (run.owner, run.session)).fetchone()
        hold = rows.Hold._make(row)
        lease = hold.lease_until_ms
        is_free = hold.waiting == 0 and (lease is None or lease <= self._lease_clock())
        duplicate = _insert(db, run, claim.token, hold.number, "running" if is_free else "queued", now=now)
        if duplicate is not None:
            return duplicate
        if is_free:
            return self._hand_over(db, claim, hold)
        if hold.waiting >= self.max_queued:
            raise refused.queue_full(hold.waiting)
        db.execute("UPDATE sessions SET waiting = waiting + 1 WHERE number = ?", (hold.number,))
        return Queued(hold.waiting + (lease is not None))

    def claim(self, db: sqlite3.Cursor, run_id: str, lease_s: float) -> Claimed | None:
        row = db.execute(
            rows.HELD + ", runs.number, status, sessions.owner, key "
            "FROM runs JOIN sessions ON sessions.number = runs.session WHERE runs.id = ?",
            (run_id,),
        ).fetchone()
        if row is None:
            raise refused.not_waiting()
        *state, number, status, owner, key = row
        if status != "queued":
            raise refused.not_waiting()
        hold = rows.Hold._make(state)
        if hold.lease_until_ms is not None and hold.lease_until_ms > self._lease_clock():
            return None
        if oldest_waiting(db, hold.number, hold.token)[0] != number:
            return None
        db.execute("UPDATE runs SET status = 'running' WHERE number = ?", (number,))
        db.execute("UPDATE sessions SET waiting = waiting - 1 WHERE number = ?", (hold.number,))
        return self._hand_over(db, Claim(run_id, owner, key, number, lease_s), hold)

    def renew(self, db: sqlite3.Cursor, claim: Claim, lease_s: float) -> Signal | None:
        execute = db.execute
        execute(
            "UPDATE sessions SET lease_until_ms = ? "
            "WHERE owner = ? AND key = ? AND token = ? AND lease_until_ms NOT NULL",
            (self._lease_end(lease_s), claim.owner, claim.session, claim.token),
        )
        if db.rowcount == 0:
            raise refused.fenced()
        row = execute(
            "SELECT abort_requested FROM runs WHERE number = ? AND id = ?", (claim.token, claim.run_id)
        ).fetchone()
        if row is None:
            raise refused.fenced()
        return "abort" if row[0] else None

    def request_abort(self, db: sqlite3.Cursor, owner: str, run_id: str) -> bool:
        db.execute(
            "UPDATE runs SET abort_requested = 1 WHERE id = ? AND owner = ? AND ended_ms IS NULL",
            (run_id, owner),
        )
        return db.rowcount == 1

    def _next_number(self, db: sqlite3.Cursor) -> int:
        """For a run. One that was given to an operation that is undone is left out."""
        if self._newest is None:
            given = db.execute(_GIVEN).fetchall()
            self._newest = max(number for (number,) in given)
        self._newest += 1
        return self._newest

    def _lease_end(self, lease_s: float) -> int:
        return self._lease_clock() + int(lease_s * 1000)

    def _hand_over(self, db: sqlite3.Cursor, claim: Claim, hold: rows.Hold) -> Claimed:
        """Give the session to a run; the holder before it, if any, has let its lease run out."""
        if hold.lease_until_ms is not None:
            db.execute(
                "UPDATE runs SET status = 'interrupted', ended_ms = ?, error = ? WHERE number = ?",
                (self._clock(), rows.encode(stored.LEASE_LOST), hold.token),
            )
        db.execute(
            "UPDATE sessions SET token = ?, lease_until_ms = ? WHERE number = ?",
            (claim.token, self._lease_end(claim.lease_s), hold.number),
        )
        return Claimed(claim, hold.covered_seq, hold.last_seq, hold.updated_ms, _if_short(db, hold))


def _if_short(db: sqlite3.Cursor, hold: rows.Hold) -> Transcript | None:
    if not hold.last_seq:
        return _NOTHING
    if hold.tail > _SHORT_BYTES or hold.last_seq - hold.covered_seq > _SHORT_ENTRIES:
        return None
    found = entries_between(db, hold.number, hold.covered_seq, hold.last_seq)
    return Transcript(found, summary_of(db, hold.number, hold.covered_seq))


def _insert(
    db: sqlite3.Cursor, run: NewRun, number: int, session: int | None, status: str, *, now: int
) -> Duplicate | None:
    """Record the run, or say which run of the owner's has its id. Raises StoreError (run_id_taken)."""
    named = run.idempotency
    created_ms = now if run.created_ms is None else run.created_ms
    if named is None and run.parent is None:
        # A NULL that is bound costs as much as five texts.
        db.execute(
            "INSERT INTO runs (number, id, owner, session, agent, status, created_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (number, run.id, run.owner, session, run.agent, status, created_ms),
        )
    else:
        db.execute(
            "INSERT INTO runs (number, id, owner, session, agent, parent, idempotency_key, digest, status, "
            "created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                number,
                run.id,
                run.owner,
                session,
                run.agent,
                run.parent,
                None if named is None else named.key,
                None if named is None else named.digest,
                status,
                created_ms,
            ),
        )
    if db.rowcount:
        return None
    row = db.execute(rows.RUNS + "AND runs.id = ? AND runs.owner = ?", (run.id, run.owner)).fetchone()
    if row is None:
        raise refused.run_id_taken()
    return Duplicate(rows.run_record(row))


def _holder_of(db: sqlite3.Cursor, owner: str, named: Idempotency) -> Duplicate | None:
    """The run that has the key: the newest of that key, while it is open or its result is kept."""
    row = db.execute(
        rows.RUNS + "AND runs.owner = ? AND idempotency_key = ? ORDER BY runs.number DESC LIMIT 1",
        (owner, named.key),
    ).fetchone()
    if row is None:
        return None
    record = rows.run_record(row)
    if record.ended_ms is None:
        return Duplicate(record)
    kept = db.execute("SELECT 1 FROM results WHERE number = ?", (row[-1],)).fetchone()
    return None if kept is None else Duplicate(record)


def oldest_waiting(db: sqlite3.Cursor, session: int, token: int) -> tuple[int, str]:
    row: tuple[int, str] = db.execute(
        "SELECT number, id FROM runs WHERE session = ? AND number > ? AND ended_ms IS NULL "
        "ORDER BY number LIMIT 1",
        (session, token),
    ).fetchone()
    return row
