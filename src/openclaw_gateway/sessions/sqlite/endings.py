"""What the SQLite store does to runs that end, on its writer thread: finish, conclude, withdraw, recover.

Every method is one operation inside a transaction that somebody else commits; a method that raises is
undone. Knows nothing of threads, event loops or files.
"""

import sqlite3
from collections.abc import Callable

from msgspec.structs import replace

from openclaw_gateway.sessions import refused, stored
from openclaw_gateway.sessions.sqlite import rows
from openclaw_gateway.sessions.sqlite.branches import leave_branch
from openclaw_gateway.sessions.sqlite.runs import oldest_waiting
from openclaw_gateway.sessions.sqlite.schema import seq_of, session_of
from openclaw_gateway.sessions.store import Claim, Ending, Entry, Released
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunStatus, Usage

_NAME = "INSERT INTO blobs (session, digest, size) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

# Of the session that a claim holds: the id of its newest entry, and who waits. Each column costs as much as
# a look-up in the table.
_HELD = (
    "SELECT number << 32 | last_seq, waiting FROM sessions "
    "WHERE owner = ? AND key = ? AND token = ? AND lease_until_ms NOT NULL"
)
_LEFT = (
    "UPDATE sessions SET lease_until_ms = NULL, prompt_tokens = prompt_tokens + ?, "
    "completion_tokens = completion_tokens + ?, total_tokens = total_tokens + ?"
)
_LEFT_SILENT = f"{_LEFT} WHERE number = ?"
_LEFT_TURN = f"{_LEFT}, last_seq = ?, updated_ms = ?, size = size + ?, tail = tail + ? WHERE number = ?"
# An open run has neither an error nor a next one, and a NULL that is bound costs as much as five texts.
_ENDED_WELL = "UPDATE runs SET status = ?, ended_ms = ?, usage = ?, final_seq = ? WHERE number = ? AND id = ?"
_ENDED = (
    "UPDATE runs SET status = ?, ended_ms = ?, usage = ?, error = ?, next_run = ?, final_seq = ? "
    "WHERE number = ? AND id = ?"
)
_TAKEN = "SELECT number FROM runs WHERE id = ? AND session = ? AND status = 'queued'"
_END_TAKEN = "UPDATE runs SET status = ?, ended_ms = ?, usage = ?, error = ?, next_run = ? WHERE number = ?"


class EndingWrites:
    """`clock` gives Unix milliseconds."""

    def __init__(self, *, clock: Callable[[], int]) -> None:
        self._clock = clock

    def finish(self, db: sqlite3.Cursor, claim: Claim, ending: Ending) -> Released:
        stored.require_ended(ending.status)
        execute = db.execute
        now = self._clock()
        row = execute(_HELD, (claim.owner, claim.session, claim.token)).fetchone()
        if row is None:
            return _answer_again(db, claim)
        place, waiting = row
        if ending.keeps is not None and ending.keeps < seq_of(place):
            place = leave_branch(db, place, ending.keeps, now)
        session = session_of(place)
        size = beside = 0
        taken_from = {}
        if ending.taken:
            waiting -= self._end_taken(db, claim, session, ending, now)
            taken_from = {place + 1 + each.at: each.run_id for each in ending.taken if each.at is not None}
        for message in ending.turn:
            place += 1
            entry = Entry(seq_of(place), claim.run_id, message, ending.alone)
            if place in taken_from:
                entry = replace(entry, taken_from=taken_from[place])
            body = rows.encode(entry)
            size += len(body)
            execute("INSERT INTO entries (id, body) VALUES (?, ?)", (place, body))
            for image in stored.blobs_of(message):
                execute(_NAME, (session, image.digest, image.size))
                beside += image.size if db.rowcount else 0
        seq = seq_of(place)
        next_run = oldest_waiting(db, session, claim.token)[1] if waiting else None
        run = (seq, claim.token, claim.run_id)
        usage = rows.encode(ending.usage)
        if ending.error is None and next_run is None:
            execute(_ENDED_WELL, (ending.status, now, usage, *run))
        else:
            execute(_ENDED, (ending.status, now, usage, _encoded(ending.error), next_run, *run))
        if db.rowcount == 0:
            raise refused.fenced()
        self._keep(db, claim.token, ending.result, now)
        used = ending.usage
        tokens = (used.prompt_tokens, used.completion_tokens, used.total_tokens)
        if ending.turn:
            execute(_LEFT_TURN, (*tokens, seq, now, size + beside, size, session))
        else:
            execute(_LEFT_SILENT, (*tokens, session))
        return Released(seq, next_run)

    def conclude(self, db: sqlite3.Cursor, run_id: str, ending: Ending) -> None:
        stored.require_ended(ending.status)
        now = self._clock()
        row = db.execute("SELECT number, session, ended_ms FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row[1] is not None:
            raise refused.not_waiting()
        number, _, ended_ms = row
        if ended_ms is not None:
            return
        db.execute(
            "UPDATE runs SET status = ?, ended_ms = ?, usage = ?, error = ? WHERE number = ?",
            (ending.status, now, rows.encode(ending.usage), _encoded(ending.error), number),
        )
        self._keep(db, number, ending.result, now)

    def withdraw(
        self, db: sqlite3.Cursor, run_id: str, status: RunStatus, error: ErrorInfo | None
    ) -> Released:
        stored.require_ended(status)
        execute = db.execute
        row = execute("SELECT status, session FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row[0] == "running" or row[1] is None:
            raise refused.not_waiting()
        state, session = row
        if state == "queued":
            execute(
                "UPDATE runs SET status = ?, ended_ms = ?, error = ? WHERE id = ?",
                (status, self._clock(), _encoded(error), run_id),
            )
            execute("UPDATE sessions SET waiting = waiting - 1 WHERE number = ?", (session,))
        found = execute(rows.HOLD + "WHERE number = ?", (session,)).fetchone()
        if found is None:  # the session is deleted, the run not yet cleared away
            raise refused.not_waiting()
        hold = rows.Hold._make(found)
        is_free = hold.waiting > 0 and hold.lease_until_ms is None
        return Released(hold.last_seq, oldest_waiting(db, hold.number, hold.token)[1] if is_free else None)

    def interrupt(self, db: sqlite3.Cursor) -> int:
        """Close as interrupted every run that is open, and free its session; how many."""
        execute = db.execute
        held = execute(
            "SELECT DISTINCT session FROM runs WHERE ended_ms IS NULL AND session NOT NULL"
        ).fetchall()
        execute(
            "UPDATE runs SET status = 'interrupted', ended_ms = ?, error = ? WHERE ended_ms IS NULL",
            (self._clock(), rows.encode(stored.INTERRUPTED)),
        )
        closed = db.rowcount
        for (session,) in held:
            execute("UPDATE sessions SET lease_until_ms = NULL, waiting = 0 WHERE number = ?", (session,))
        return closed

    def _end_taken(self, db: sqlite3.Cursor, claim: Claim, session: int, ending: Ending, now: int) -> int:
        """End the runs whose messages this one has taken up; how many there were that still waited."""
        ended = 0
        for taken in ending.taken:
            found = db.execute(_TAKEN, (taken.run_id, session)).fetchone()
            if found is None:
                continue
            (number,) = found
            told = (ending.status, now, rows.encode(Usage()), _encoded(ending.error), claim.run_id, number)
            db.execute(_END_TAKEN, told)
            self._keep(db, number, taken.result, now)
            ended += 1
        if ended:
            db.execute("UPDATE sessions SET waiting = waiting - ? WHERE number = ?", (ended, session))
        return ended

    def _keep(self, db: sqlite3.Cursor, number: int, result: bytes | None, now: int) -> None:
        if result is not None:
            db.execute("INSERT INTO results (number, kept_ms, body) VALUES (?, ?, ?)", (number, now, result))


def _encoded(error: ErrorInfo | None) -> bytearray | None:
    return None if error is None else rows.encode(error)


def _answer_again(db: sqlite3.Cursor, claim: Claim) -> Released:
    """The answer of an earlier `finish` by this claim. Raises Fenced when there was none."""
    row = db.execute(
        "SELECT final_seq, next_run FROM runs JOIN sessions ON sessions.number = session "
        "WHERE runs.number = ? AND id = ? AND sessions.owner = ? AND key = ?",
        (claim.token, claim.run_id, claim.owner, claim.session),
    ).fetchone()
    if row is None or row[0] is None:
        raise refused.fenced()
    return Released(*row)
