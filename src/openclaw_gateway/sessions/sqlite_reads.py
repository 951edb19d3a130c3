"""What the SQLite store looks up on its reader thread: transcripts, sessions, runs.

On a connection of its own, so that a long list never holds up a commit. Sees every commit that was
answered before it began. Knows nothing of threads, event loops or files, and cannot write.
"""

import sqlite3

from openclaw_gateway.sessions import sqlite_rows as rows
from openclaw_gateway.sessions.sqlite_schema import SCHEMA_VERSION, entry_id
from openclaw_gateway.sessions.store import Entry, RunRecord, SessionRecord
from openclaw_gateway.wire.run import RunStatus

# S608: only our own column names are put into the text.
_SESSIONS = f"SELECT {rows.SESSION_COLUMNS} FROM sessions "  # noqa: S608
_RUNS = f"SELECT {rows.RUN_COLUMNS} FROM runs "  # noqa: S608
_RUNS_OF = _RUNS + "WHERE session = (SELECT number FROM sessions WHERE key = ?) "  # noqa: S608


def transcript(db: sqlite3.Cursor, session: str, after: int, limit: int) -> tuple[Entry, ...]:
    row = db.execute("SELECT number FROM sessions WHERE key = ?", (session,)).fetchone()
    if row is None:
        return ()
    bodies = db.execute(
        "SELECT body FROM entries WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
        (entry_id(row[0], max(after, 0)), entry_id(row[0] + 1, 0), limit),
    ).fetchall()
    return rows.entries(bodies)


def list_sessions(
    db: sqlite3.Cursor, owner: str | None, agent: str | None, limit: int, offset: int
) -> tuple[SessionRecord, ...]:
    found = db.execute(
        _SESSIONS + "WHERE (?1 IS NULL OR owner = ?1) AND (?2 IS NULL OR agent = ?2) "
        "ORDER BY updated_ms DESC, number DESC LIMIT ?3 OFFSET ?4",
        (owner, agent, limit, offset),
    ).fetchall()
    return tuple(rows.session_record(row) for row in found)


def count_sessions(db: sqlite3.Cursor, owner: str | None, agent: str | None) -> int:
    (count,) = db.execute(
        "SELECT count(*) FROM sessions WHERE (?1 IS NULL OR owner = ?1) AND (?2 IS NULL OR agent = ?2)",
        (owner, agent),
    ).fetchone()
    return int(count)


def get_session(db: sqlite3.Cursor, session: str) -> SessionRecord | None:
    row = db.execute(_SESSIONS + "WHERE key = ?", (session,)).fetchone()
    return None if row is None else rows.session_record(row)


def get_run(db: sqlite3.Cursor, run_id: str) -> RunRecord | None:
    row = db.execute(_RUNS + "WHERE id = ?", (run_id,)).fetchone()
    return None if row is None else rows.run_record(row)


def list_runs(
    db: sqlite3.Cursor, session: str | None, status: RunStatus | None, limit: int
) -> tuple[RunRecord, ...]:
    select, of = (_RUNS + "WHERE true ", ()) if session is None else (_RUNS_OF, (session,))
    found = db.execute(
        select + "AND (? IS NULL OR status = ?) ORDER BY number DESC LIMIT ?", (*of, status, status, limit)
    ).fetchall()
    return tuple(rows.run_record(row) for row in found)


def schema_version(db: sqlite3.Cursor) -> int:
    db.execute("SELECT count(*) FROM probe").fetchone()
    return SCHEMA_VERSION
