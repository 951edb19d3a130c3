"""What the SQLite store does to runs that end, on its writer thread: finish, conclude, withdraw, recover.

Every method is one operation inside a transaction that somebody else commits; a method that raises is
undone. Knows nothing of threads, event loops or files.
"""

import sqlite3
from collections.abc import Callable

from openclaw_gateway.sessions import sqlite_rows as rows
from openclaw_gateway.sessions.sqlite_branches import leave_branch
from openclaw_gateway.sessions.sqlite_runs import fenced, not_waiting, oldest_waiting
from openclaw_gateway.sessions.sqlite_schema import entry_id
from openclaw_gateway.sessions.store import Claim, Ending, Entry, Released
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunStatus

_NAME = "INSERT INTO blobs (session, digest, size) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_OPEN_STATES = ("queued", "running")

INTERRUPTED = ErrorInfo(
    message="The gateway stopped before this run had ended: send the request again.",
    type="api_error",
    code="run_interrupted",
    status=503,
    retryable=True,
)


class EndingWrites:
    """`clock` gives Unix milliseconds."""

    def __init__(self, *, clock: Callable[[], int]) -> None:
        self._clock = clock

    def finish(self, db: sqlite3.Cursor, claim: Claim, ending: Ending) -> Released:
        require_ended(ending.status)
        usage = ending.usage
        execute = db.execute
        now = self._clock()
        row = execute(rows.HOLD + "WHERE owner = ? AND key = ?", (claim.owner, claim.session)).fetchone()
        if row is None or row[4] != claim.token or row[5] is None:
            return _answer_again(db, claim)
        hold = rows.Hold._make(row)
        if ending.keeps is not None and ending.keeps < hold.last_seq:
            hold = leave_branch(db, hold, ending.keeps, now)
        seq = hold.last_seq
        size = beside = 0
        for message in ending.turn:
            seq += 1
            body = rows.encode(Entry(seq, claim.run_id, message, ending.alone))
            size += len(body)
            execute("INSERT INTO entries (id, body) VALUES (?, ?)", (entry_id(hold.number, seq), body))
            for image in rows.blobs_of(message):
                execute(_NAME, (hold.number, image.digest, image.size))
                beside += image.size if db.rowcount else 0
        next_run = oldest_waiting(db, hold)[1] if hold.waiting else None
        execute(
            "UPDATE runs SET status = ?, ended_ms = ?, usage = ?, error = ?, final_seq = ?, next_run = ? "
            "WHERE number = ? AND id = ?",
            (*_end(ending, now), seq, next_run, claim.token, claim.run_id),
        )
        if db.rowcount == 0:
            raise fenced()
        self._keep(db, claim.token, ending, now)
        execute(
            "UPDATE sessions SET last_seq = ?, updated_ms = ?, lease_until_ms = NULL, "
            "size = size + ?, tail = tail + ?, prompt_tokens = prompt_tokens + ?, "
            "completion_tokens = completion_tokens + ?, total_tokens = total_tokens + ? WHERE number = ?",
            (
                seq,
                now if ending.turn else hold.updated_ms,
                size + beside,
                size,
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.total_tokens,
                hold.number,
            ),
        )
        return Released(seq, next_run)

    def conclude(self, db: sqlite3.Cursor, run_id: str, ending: Ending) -> None:
        require_ended(ending.status)
        now = self._clock()
        row = db.execute("SELECT number, session, ended_ms FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row[1] is not None:
            raise not_waiting()
        number, _, ended_ms = row
        if ended_ms is not None:
            return
        db.execute(
            "UPDATE runs SET status = ?, ended_ms = ?, usage = ?, error = ? WHERE number = ?",
            (*_end(ending, now), number),
        )
        self._keep(db, number, ending, now)

    def withdraw(
        self, db: sqlite3.Cursor, run_id: str, status: RunStatus, error: ErrorInfo | None
    ) -> Released:
        require_ended(status)
        execute = db.execute
        row = execute("SELECT status, session FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row[0] == "running" or row[1] is None:
            raise not_waiting()
        state, session = row
        if state == "queued":
            execute(
                "UPDATE runs SET status = ?, ended_ms = ?, error = ? WHERE id = ?",
                (status, self._clock(), None if error is None else rows.encode(error), run_id),
            )
            execute("UPDATE sessions SET waiting = waiting - 1 WHERE number = ?", (session,))
        found = execute(rows.HOLD + "WHERE number = ?", (session,)).fetchone()
        if found is None:  # the session is deleted, the run not yet cleared away
            raise not_waiting()
        hold = rows.Hold._make(found)
        is_free = hold.waiting > 0 and hold.lease_until_ms is None
        return Released(hold.last_seq, oldest_waiting(db, hold)[1] if is_free else None)

    def interrupt(self, db: sqlite3.Cursor) -> int:
        """Close as interrupted every run that is open, and free its session; how many."""
        execute = db.execute
        held = execute(
            "SELECT DISTINCT session FROM runs WHERE ended_ms IS NULL AND session NOT NULL"
        ).fetchall()
        execute(
            "UPDATE runs SET status = 'interrupted', ended_ms = ?, error = ? WHERE ended_ms IS NULL",
            (self._clock(), rows.encode(INTERRUPTED)),
        )
        closed = db.rowcount
        for (session,) in held:
            execute("UPDATE sessions SET lease_until_ms = NULL, waiting = 0 WHERE number = ?", (session,))
        return closed

    def _keep(self, db: sqlite3.Cursor, number: int, ending: Ending, now: int) -> None:
        if ending.result is not None:
            db.execute(
                "INSERT INTO results (number, kept_ms, body) VALUES (?, ?, ?)", (number, now, ending.result)
            )


def require_ended(status: RunStatus) -> None:
    """Raises ValueError."""
    if status in _OPEN_STATES:
        raise ValueError(f"a run cannot end as {status!r}")


def _end(ending: Ending, now: int) -> tuple[str, int, bytearray, bytearray | None]:
    return (
        ending.status,
        now,
        rows.encode(ending.usage),
        None if ending.error is None else rows.encode(ending.error),
    )


def _answer_again(db: sqlite3.Cursor, claim: Claim) -> Released:
    """The answer of an earlier `finish` by this claim. Raises Fenced when there was none."""
    row = db.execute(
        "SELECT final_seq, next_run FROM runs JOIN sessions ON sessions.number = session "
        "WHERE runs.number = ? AND id = ? AND sessions.owner = ? AND key = ?",
        (claim.token, claim.run_id, claim.owner, claim.session),
    ).fetchone()
    if row is None or row[0] is None:
        raise fenced()
    return Released(*row)
