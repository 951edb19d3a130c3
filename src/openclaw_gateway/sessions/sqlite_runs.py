"""What the SQLite store does to runs on its writer thread: begin, claim, renew, finish, withdraw.

Every method is one operation inside a transaction that somebody else commits; a method that raises is
undone. Knows nothing of threads, event loops or files. Leases end by a monotonic clock of this process:
no jump of the wall clock takes a session away, and `recover` ends what an earlier process held.
"""

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from openclaw_gateway.errors import Fenced, Forbidden, SessionBusy, StoreError
from openclaw_gateway.sessions import sqlite_rows as rows
from openclaw_gateway.sessions.sqlite_schema import entry_id
from openclaw_gateway.sessions.store import (
    Claim,
    Claimed,
    Duplicate,
    Entry,
    NewRun,
    Queued,
    Released,
    Summary,
    Transcript,
)
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunStatus, Usage

_KEEP_ENDED_MS = 7 * 24 * 3600 * 1000
_PRUNE_EVERY = 1024
_PRUNE_AT_MOST = 2048
_OPEN_STATES = ("queued", "running")

_INTERRUPTED = ErrorInfo(
    message="The gateway stopped before this run had ended: send the request again.",
    type="api_error",
    code="run_interrupted",
    status=503,
    retryable=True,
)
_LEASE_LOST = ErrorInfo(
    message="This run lost its session to the next one, because its lease ran out: send the request again.",
    type="api_error",
    code="run_interrupted",
    status=503,
    retryable=True,
)


class Ending(NamedTuple):
    """How a run ends, as `finish` records it."""

    turn: tuple[Message, ...]
    status: RunStatus
    usage: Usage
    error: ErrorInfo | None


class RunWrites:
    """`clock` gives Unix milliseconds, `lease_clock` monotonic; `max_queued` runs may wait per session."""

    def __init__(self, *, max_queued: int, clock: Callable[[], int], lease_clock: Callable[[], int]) -> None:
        self.max_queued = max_queued
        self._clock = clock
        self._lease_clock = lease_clock

    def begin(self, db: sqlite3.Cursor, run: NewRun, lease_s: float) -> Claimed | Queued | Duplicate:
        execute = db.execute
        now = self._clock()
        row = execute(rows.HOLD + "WHERE key = ?", (run.session,)).fetchone()
        is_new = row is None
        if is_new:
            execute(
                "INSERT INTO sessions (key, owner, agent, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?)",
                (run.session, run.owner, run.agent, now, now),
            )
            hold = rows.Hold(rows.new_number(db), 0, 0, now, 0, None, 0, run.owner)
        else:
            hold = rows.Hold._make(row)
            if hold.owner != run.owner:
                raise Forbidden(
                    "This session belongs to somebody else: choose another session key.", code="session_taken"
                )
        lease = hold.lease_until_ms
        is_free = hold.waiting == 0 and (lease is None or lease <= self._lease_clock())
        execute(
            "INSERT INTO runs (id, owner, session, agent, idempotency_key, status, created_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                run.id,
                run.owner,
                hold.number,
                run.agent,
                run.idempotency_key,
                "running" if is_free else "queued",
                now,
            ),
        )
        if db.rowcount == 0:
            if is_new:
                execute("DELETE FROM sessions WHERE number = ?", (hold.number,))
            return _duplicate(db, run)
        token = rows.new_number(db)
        if token % _PRUNE_EVERY == 0:
            self.prune(db)
        if is_free:
            claim = Claim(run.id, run.session, token, lease_s)
            return Claimed(claim, self._hand_over(db, claim, hold), None if is_new else hold.updated_ms)
        if hold.waiting >= self.max_queued:
            raise SessionBusy(
                f"This session already has {hold.waiting} runs waiting: let some of them end first, or use "
                "another session.",
                retry_after=1.0,
            )
        execute("UPDATE sessions SET waiting = waiting + 1 WHERE number = ?", (hold.number,))
        return Queued(hold.waiting + (lease is not None))

    def claim(self, db: sqlite3.Cursor, run_id: str, lease_s: float) -> Claimed | None:
        row = db.execute(
            "SELECT runs.number, status, key, sessions.number, last_seq, covered_seq, updated_ms, token, "
            "lease_until_ms, waiting, sessions.owner "
            "FROM runs JOIN sessions ON sessions.number = runs.session WHERE runs.id = ?",
            (run_id,),
        ).fetchone()
        if row is None or row[1] != "queued":
            raise _not_waiting()
        number, _, key = row[:3]
        hold = rows.Hold._make(row[3:])
        if hold.lease_until_ms is not None and hold.lease_until_ms > self._lease_clock():
            return None
        if _oldest_waiting(db, hold)[0] != number:
            return None
        db.execute("UPDATE runs SET status = 'running' WHERE number = ?", (number,))
        db.execute("UPDATE sessions SET waiting = waiting - 1 WHERE number = ?", (hold.number,))
        claim = Claim(run_id, key, number, lease_s)
        return Claimed(claim, self._hand_over(db, claim, hold), hold.updated_ms)

    def renew(self, db: sqlite3.Cursor, claim: Claim, lease_s: float) -> bool:
        execute = db.execute
        execute(
            "UPDATE sessions SET lease_until_ms = ? WHERE key = ? AND token = ? AND lease_until_ms NOT NULL",
            (self._lease_clock() + int(lease_s * 1000), claim.session, claim.token),
        )
        if db.rowcount == 0:
            raise _fenced()
        row = execute(
            "SELECT abort_requested FROM runs WHERE number = ? AND id = ?", (claim.token, claim.run_id)
        ).fetchone()
        if row is None:
            raise _fenced()
        return bool(row[0])

    def finish(self, db: sqlite3.Cursor, claim: Claim, ending: Ending) -> Released:
        _require_ended(ending.status)
        usage = ending.usage
        execute = db.execute
        now = self._clock()
        row = execute(rows.HOLD + "WHERE key = ?", (claim.session,)).fetchone()
        if row is None or row[4] != claim.token or row[5] is None:
            return _answer_again(db, claim)
        hold = rows.Hold._make(row)
        seq = hold.last_seq
        for message in ending.turn:
            seq += 1
            execute(
                "INSERT INTO entries (id, body) VALUES (?, ?)",
                (entry_id(hold.number, seq), rows.encode(Entry(seq, claim.run_id, message))),
            )
        next_run = _oldest_waiting(db, hold)[1] if hold.waiting else None
        execute(
            "UPDATE runs SET status = ?, ended_ms = ?, usage = ?, error = ?, final_seq = ?, next_run = ? "
            "WHERE number = ? AND id = ?",
            (
                ending.status,
                now,
                rows.encode(usage),
                None if ending.error is None else rows.encode(ending.error),
                seq,
                next_run,
                claim.token,
                claim.run_id,
            ),
        )
        if db.rowcount == 0:
            raise _fenced()
        execute(
            "UPDATE sessions SET last_seq = ?, updated_ms = ?, lease_until_ms = NULL, "
            "prompt_tokens = prompt_tokens + ?, completion_tokens = completion_tokens + ?, "
            "total_tokens = total_tokens + ? WHERE number = ?",
            (
                seq,
                now if ending.turn else hold.updated_ms,
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.total_tokens,
                hold.number,
            ),
        )
        return Released(seq, next_run)

    def withdraw(
        self, db: sqlite3.Cursor, run_id: str, status: RunStatus, error: ErrorInfo | None
    ) -> Released:
        _require_ended(status)
        execute = db.execute
        row = execute("SELECT status, session FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row[0] == "running":
            raise _not_waiting()
        state, session = row
        if state == "queued":
            execute(
                "UPDATE runs SET status = ?, ended_ms = ?, error = ? WHERE id = ?",
                (status, self._clock(), None if error is None else rows.encode(error), run_id),
            )
            execute("UPDATE sessions SET waiting = waiting - 1 WHERE number = ?", (session,))
        hold = rows.Hold._make(execute(rows.HOLD + "WHERE number = ?", (session,)).fetchone())
        is_free = hold.waiting > 0 and hold.lease_until_ms is None
        return Released(hold.last_seq, _oldest_waiting(db, hold)[1] if is_free else None)

    def request_abort(self, db: sqlite3.Cursor, run_id: str) -> bool:
        db.execute("UPDATE runs SET abort_requested = 1 WHERE id = ? AND ended_ms IS NULL", (run_id,))
        return db.rowcount == 1

    def recover(self, db: sqlite3.Cursor) -> int:
        """Close as interrupted what an earlier process left open, and free its sessions; how many."""
        execute = db.execute
        now = self._clock()
        closed = 0
        left = execute(
            "SELECT number, token FROM sessions WHERE lease_until_ms NOT NULL OR waiting > 0"
        ).fetchall()
        for session, token in left:
            execute(
                "UPDATE runs SET status = 'interrupted', ended_ms = ?, error = ? "
                "WHERE session = ? AND number >= ? AND ended_ms IS NULL",
                (now, rows.encode(_INTERRUPTED), session, token),
            )
            closed += db.rowcount
            execute("UPDATE sessions SET lease_until_ms = NULL, waiting = 0 WHERE number = ?", (session,))
        return closed

    def prune(self, db: sqlite3.Cursor) -> None:
        """Drop old runs, oldest first and a bounded number at a time. Transcripts stay."""
        db.execute(
            "DELETE FROM runs WHERE number IN (SELECT number FROM runs ORDER BY number LIMIT ?) "
            "AND ended_ms < ?",
            (_PRUNE_AT_MOST, self._clock() - _KEEP_ENDED_MS),
        )

    def _hand_over(self, db: sqlite3.Cursor, claim: Claim, hold: rows.Hold) -> Transcript:
        """Give the session to a run; the holder before it, if any, has let its lease run out."""
        if hold.lease_until_ms is not None:
            db.execute(
                "UPDATE runs SET status = 'interrupted', ended_ms = ?, error = ? WHERE number = ?",
                (self._clock(), rows.encode(_LEASE_LOST), hold.token),
            )
        db.execute(
            "UPDATE sessions SET token = ?, lease_until_ms = ? WHERE number = ?",
            (claim.token, self._lease_clock() + int(claim.lease_s * 1000), hold.number),
        )
        return _transcript(db, hold) if hold.last_seq else Transcript()


def _transcript(db: sqlite3.Cursor, hold: rows.Hold) -> Transcript:
    execute = db.execute
    summary = None
    if hold.covered_seq:
        place = entry_id(hold.number, hold.covered_seq)
        (text,) = execute("SELECT text FROM summaries WHERE id = ?", (place,)).fetchone()
        summary = Summary(hold.covered_seq, text)
    bodies = execute(
        "SELECT body FROM entries WHERE id BETWEEN ? AND ?",
        (entry_id(hold.number, hold.covered_seq + 1), entry_id(hold.number, hold.last_seq)),
    ).fetchall()
    return Transcript(rows.entries(bodies), summary)


def _duplicate(db: sqlite3.Cursor, run: NewRun) -> Duplicate:
    select = f"SELECT {rows.RUN_COLUMNS} FROM runs "  # noqa: S608 - our own columns
    row = None
    if run.idempotency_key is not None:
        row = db.execute(
            select + "WHERE owner = ? AND idempotency_key = ?", (run.owner, run.idempotency_key)
        ).fetchone()
    if row is None:
        row = db.execute(select + "WHERE id = ? AND owner = ?", (run.id, run.owner)).fetchone()
    if row is None:
        raise StoreError("This run id is taken: choose another one.", code="run_id_taken")
    return Duplicate(rows.run_record(row))


def _answer_again(db: sqlite3.Cursor, claim: Claim) -> Released:
    """The answer of an earlier `finish` by this claim. Raises Fenced when there was none."""
    row = db.execute(
        "SELECT final_seq, next_run FROM runs WHERE number = ? AND id = ?", (claim.token, claim.run_id)
    ).fetchone()
    if row is None or row[0] is None:
        raise _fenced()
    return Released(*row)


def _oldest_waiting(db: sqlite3.Cursor, hold: rows.Hold) -> tuple[int, str]:
    row: tuple[int, str] = db.execute(
        "SELECT number, id FROM runs WHERE session = ? AND number > ? AND ended_ms IS NULL "
        "ORDER BY number LIMIT 1",
        (hold.number, hold.token),
    ).fetchone()
    return row


def _require_ended(status: RunStatus) -> None:
    if status in _OPEN_STATES:
        raise ValueError(f"a run cannot end as {status!r}")


def _fenced() -> Fenced:
    return Fenced(
        "A newer run holds this session: this one may no longer write to it. Send the request again."
    )


def _not_waiting() -> StoreError:
    return StoreError(
        "This run is not waiting for its session: it runs, has ended or is unknown.", code="run_not_open"
    )
