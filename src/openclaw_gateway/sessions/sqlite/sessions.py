"""What the SQLite store does to sessions on its writer thread: summarise, name, delete, clear away.

Every method is one operation inside a transaction that somebody else commits; one that raises is
undone. Entries are only ever added or, with their whole session, deleted. A session is deleted in two
acts: at one stroke it is gone for everybody (its row becomes a grave), and then what it had is cleared
away a little at a time, so that no commit waits for it.
"""

import sqlite3
from collections.abc import Callable, Iterable

from openclaw_gateway.sessions import refused
from openclaw_gateway.sessions.sqlite import rows
from openclaw_gateway.sessions.sqlite.schema import entry_id
from openclaw_gateway.sessions.store import Summary

# What one act clears away: a few milliseconds of the writer's time.
_ROWS = 128
_BYTES = 1 << 20
_PROBE_BYTES = 64 << 10


class SessionWrites:
    """`clock` gives Unix milliseconds, `lease_clock` monotonic ones."""

    def __init__(self, *, clock: Callable[[], int], lease_clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lease_clock = lease_clock

    def summarise(
        self, db: sqlite3.Cursor, owner: str, session: str, summary: Summary, earlier: bool
    ) -> Summary:
        covers_to_seq, text = summary.covers_to_seq, summary.text
        execute = db.execute
        row = execute(
            "SELECT number, last_seq, covered_seq FROM sessions WHERE owner = ? AND key = ?", (owner, session)
        ).fetchone()
        if row is None:
            raise refused.no_session()
        number, last, covered = row
        place = entry_id(number, covers_to_seq)
        if covers_to_seq == covered:
            stored = execute("SELECT text FROM summaries WHERE id = ?", (place,)).fetchone()
            if stored is not None and stored[0] == text:
                return summary  # a repeat
        if earlier and 0 < covers_to_seq < covered:
            execute(
                "INSERT INTO summaries (id, text, created_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (place, text, self._clock()),
            )
            if db.rowcount:
                execute("UPDATE sessions SET size = size + ? WHERE number = ?", (len(text), number))
            return summary
        if not covered < covers_to_seq <= last:
            raise refused.summary_outdated(covered, last)
        execute("INSERT INTO summaries (id, text, created_ms) VALUES (?, ?, ?)", (place, text, self._clock()))
        execute(
            "UPDATE sessions SET covered_seq = ?, size = size + ?, "
            "tail = (SELECT ifnull(sum(length(body)), 0) FROM entries WHERE id > ? AND id <= ?) "
            "WHERE number = ?",
            (covers_to_seq, len(text), place, entry_id(number, last), number),
        )
        return summary

    def rename(self, db: sqlite3.Cursor, owner: str, session: str, label: str | None) -> bool:
        db.execute("UPDATE sessions SET label = ? WHERE owner = ? AND key = ?", (label, owner, session))
        return bool(db.rowcount)

    def delete_session(self, db: sqlite3.Cursor, owner: str, session: str) -> bool:
        row = db.execute(rows.HOLD + "WHERE owner = ? AND key = ?", (owner, session)).fetchone()
        if row is None:
            return False
        hold = rows.Hold._make(row)
        if hold.waiting or (hold.lease_until_ms is not None and hold.lease_until_ms > self._lease_clock()):
            raise refused.session_in_use()
        _bury(db, hold.number)
        return True

    def delete_unused(self, db: sqlite3.Cursor, unused: Iterable[tuple[int, int]]) -> int:
        """Delete these sessions (number, when last changed), where nobody has come to them since."""
        deleted = 0
        for number, updated_ms in unused:
            found = db.execute(
                "SELECT 1 FROM sessions WHERE number = ? AND updated_ms = ? AND waiting = 0 "
                "AND lease_until_ms IS NULL",
                (number, updated_ms),
            ).fetchone()
            if found is not None:
                _bury(db, number)
                deleted += 1
        return deleted

    def clear_away(self, db: sqlite3.Cursor) -> bool:
        """Some of what deleted sessions have left; True while there is more."""
        execute = db.execute
        grave = execute("SELECT session FROM graves ORDER BY session LIMIT 1").fetchone()
        left = _ROWS
        while grave is not None and left > 0:
            (number,) = grave
            cleared = _clear(db, number, left)
            left -= cleared
            if cleared == 0:
                execute("DELETE FROM graves WHERE session = ?", (number,))
                left -= 1
                grave = execute("SELECT session FROM graves ORDER BY session LIMIT 1").fetchone()
        return grave is not None

    def probe(self, db: sqlite3.Cursor) -> None:
        """Write as much as a turn may take, to learn whether writing works."""
        db.execute(
            "INSERT OR REPLACE INTO probe (id, at_ms, room) VALUES (1, ?, zeroblob(?))",
            (self._clock(), _PROBE_BYTES),
        )


def _bury(db: sqlite3.Cursor, number: int) -> None:
    db.execute("DELETE FROM sessions WHERE number = ?", (number,))
    db.execute("INSERT INTO graves (session) VALUES (?)", (number,))


def _clear(db: sqlite3.Cursor, session: int, most: int) -> int:
    """Delete at most so many rows of a deleted session; how many."""
    execute = db.execute
    bounds = (entry_id(session, 0), entry_id(session + 1, 0) - 1)
    size = 0
    cleared = 0
    for place, length in execute(
        "SELECT id, length(body) FROM entries WHERE id BETWEEN ? AND ? LIMIT ?", (*bounds, most)
    ).fetchall():
        execute("DELETE FROM entries WHERE id = ?", (place,))
        cleared += 1
        size += length
        if size > _BYTES:
            return most
    if cleared:
        return cleared
    execute(
        "DELETE FROM summaries WHERE id IN (SELECT id FROM summaries WHERE id BETWEEN ? AND ? LIMIT ?)",
        (*bounds, most),
    )
    if db.rowcount:
        return db.rowcount
    execute(
        "DELETE FROM blobs WHERE session = ?1 AND digest IN "
        "(SELECT digest FROM blobs WHERE session = ?1 LIMIT ?2)",
        (session, most),
    )
    if db.rowcount:
        return db.rowcount
    for (number,) in execute("SELECT number FROM runs WHERE session = ? LIMIT ?", (session, most)).fetchall():
        execute("DELETE FROM results WHERE number = ?", (number,))
        execute("DELETE FROM runs WHERE number = ?", (number,))
        cleared += 1
    return cleared
