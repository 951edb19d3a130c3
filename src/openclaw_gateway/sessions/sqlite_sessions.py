"""What the SQLite store does to sessions on its writer thread: fork, summarise, label, delete.

Every method is one operation inside a transaction that somebody else commits; one that raises is
undone. Entries are only ever added or, with their whole session, deleted.
"""

import sqlite3
from collections.abc import Callable

from openclaw_gateway.errors import SessionBusy, StoreError
from openclaw_gateway.sessions import sqlite_rows as rows
from openclaw_gateway.sessions.sqlite_schema import entry_id
from openclaw_gateway.sessions.store import SessionRecord, Summary


class SessionWrites:
    """`clock` gives Unix milliseconds, `lease_clock` monotonic ones."""

    def __init__(self, *, clock: Callable[[], int], lease_clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lease_clock = lease_clock

    def fork(self, db: sqlite3.Cursor, session: str, at_seq: int, into: str) -> SessionRecord:
        execute = db.execute
        now = self._clock()
        source = _number_of(db, session)
        execute(
            "INSERT INTO sessions (key, owner, agent, parent, label, created_ms, updated_ms, last_seq) "
            "SELECT ?, owner, agent, key, label, ?, ?, min(last_seq, max(0, ?)) "
            "FROM sessions WHERE number = ? ON CONFLICT DO NOTHING",
            (into, now, now, at_seq, source),
        )
        if db.rowcount == 0:
            raise StoreError(
                "A session of that name exists already: fork into a new name.", code="session_exists"
            )
        target = rows.new_number(db)
        (last_seq,) = execute("SELECT last_seq FROM sessions WHERE number = ?", (target,)).fetchone()
        shift = entry_id(target, 0) - entry_id(source, 0)
        whole = (shift, entry_id(source, 1), entry_id(source, last_seq))
        execute("INSERT INTO entries SELECT id + ?, body FROM entries WHERE id BETWEEN ? AND ?", whole)
        execute(
            "INSERT INTO summaries SELECT id + ?, text, created_ms FROM summaries WHERE id BETWEEN ? AND ?",
            whole,
        )
        execute(
            "UPDATE sessions SET covered_seq = ifnull((SELECT max(id) - ? FROM summaries "
            "WHERE id BETWEEN ? AND ?), 0) WHERE number = ?",
            (entry_id(target, 0), entry_id(target, 1), entry_id(target, last_seq), target),
        )
        return _session(db, into)

    def summarise(self, db: sqlite3.Cursor, session: str, covers_to_seq: int, text: str) -> Summary:
        execute = db.execute
        number = _number_of(db, session)
        place = entry_id(number, covers_to_seq)
        last, covered = execute(
            "SELECT last_seq, covered_seq FROM sessions WHERE number = ?", (number,)
        ).fetchone()
        if covers_to_seq == covered:
            row = execute("SELECT text FROM summaries WHERE id = ?", (place,)).fetchone()
            if row is not None and row[0] == text:
                return Summary(covers_to_seq, text)  # a repeat
        if not covered < covers_to_seq <= last:
            raise StoreError(
                f"A summary must cover more than entry {covered} and at most entry {last} of the session.",
                code="summary_outdated",
            )
        execute("INSERT INTO summaries (id, text, created_ms) VALUES (?, ?, ?)", (place, text, self._clock()))
        execute("UPDATE sessions SET covered_seq = ? WHERE number = ?", (covers_to_seq, number))
        return Summary(covers_to_seq, text)

    def patch_session(self, db: sqlite3.Cursor, session: str, label: str | None) -> SessionRecord | None:
        db.execute("UPDATE sessions SET label = ? WHERE key = ?", (label, session))
        return _session(db, session) if db.rowcount else None

    def delete_session(self, db: sqlite3.Cursor, session: str) -> bool:
        execute = db.execute
        row = execute(rows.HOLD + "WHERE key = ?", (session,)).fetchone()
        if row is None:
            return False
        hold = rows.Hold._make(row)
        if hold.waiting or (hold.lease_until_ms is not None and hold.lease_until_ms > self._lease_clock()):
            raise SessionBusy(
                "A run holds this session or waits for it: abort it or let it end, then delete the session.",
                retry_after=1.0,
            )
        whole = (entry_id(hold.number, 0), entry_id(hold.number + 1, 0))
        execute("DELETE FROM entries WHERE id >= ? AND id < ?", whole)
        execute("DELETE FROM summaries WHERE id >= ? AND id < ?", whole)
        execute("DELETE FROM runs WHERE session = ?", (hold.number,))
        execute("DELETE FROM sessions WHERE number = ?", (hold.number,))
        return True

    def probe(self, db: sqlite3.Cursor) -> None:
        """Write something, to learn whether writing works."""
        db.execute("INSERT OR REPLACE INTO probe (id, at_ms) VALUES (1, ?)", (self._clock(),))


def _number_of(db: sqlite3.Cursor, session: str) -> int:
    row = db.execute("SELECT number FROM sessions WHERE key = ?", (session,)).fetchone()
    if row is None:
        raise StoreError("There is no session of that name.", code="session_not_found")
    number: int = row[0]
    return number


def _session(db: sqlite3.Cursor, session: str) -> SessionRecord:
    select = f"SELECT {rows.SESSION_COLUMNS} FROM sessions WHERE key = ?"  # noqa: S608 - our own columns
    return rows.session_record(db.execute(select, (session,)).fetchone())
