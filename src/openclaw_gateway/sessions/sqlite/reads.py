"""What the SQLite store looks up: transcripts, sessions, runs, results; mostly on its reader thread.

On a connection of its own, so that a long list never holds up a commit. Sees every commit that was
answered before it began. Knows nothing of threads, event loops or files, and cannot write.
"""

import sqlite3

from openclaw_gateway.sessions import refused, stored
from openclaw_gateway.sessions.sqlite import rows
from openclaw_gateway.sessions.sqlite.errors import is_damage
from openclaw_gateway.sessions.sqlite.schema import SCHEMA_VERSION, entry_id, seq_of
from openclaw_gateway.sessions.store import Claim, Entry, RunRecord, SessionRecord, Summary
from openclaw_gateway.sessions.wanted import WantedRuns, WantedSessions

_PAGE_BYTES = 1 << 20
_DAMAGED_PAGE = 64
_ENTRIES = "SELECT id, body FROM entries WHERE id BETWEEN ? AND ? ORDER BY id"
_OF_OWNER = "SELECT updated_ms, number FROM sessions WHERE owner = ?"
_OF_AGENT = _OF_OWNER + " AND agent = ?"
_MOST_MERGED = 400  # SQLite takes 500 parts of a query


def held(db: sqlite3.Cursor, claim: Claim) -> rows.Hold:
    """The session of a claim. Raises Fenced when the claim does not hold it."""
    row = db.execute(
        rows.HOLD + "WHERE owner = ? AND key = ? AND token = ? AND lease_until_ms NOT NULL",
        (claim.owner, claim.session, claim.token),
    ).fetchone()
    run = db.execute("SELECT 1 FROM runs WHERE number = ? AND id = ?", (claim.token, claim.run_id)).fetchone()
    if row is None or run is None:
        raise refused.not_to_be_read()
    return rows.Hold._make(row)


def summary_of(db: sqlite3.Cursor, session: int, covered_seq: int) -> Summary | None:
    if not covered_seq:
        return None
    row = db.execute("SELECT text FROM summaries WHERE id = ?", (entry_id(session, covered_seq),)).fetchone()
    return Summary(covered_seq, stored.lost_summary(covered_seq) if row is None else row[0])


def summary_until(db: sqlite3.Cursor, session: int, seq: int) -> Summary | None:
    """As `Store.summary_until` says, of the session of this number."""
    if not seq:
        return None
    begun_anew = db.execute(
        "SELECT 1 FROM summaries WHERE id BETWEEN ? AND ? AND text = '' LIMIT 1",
        (entry_id(session, seq + 1), entry_id(session + 1, 0) - 1),
    ).fetchone()
    if begun_anew:
        return Summary(seq, "")
    row = db.execute(
        "SELECT id, text FROM summaries WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
        (entry_id(session, 1), entry_id(session, seq)),
    ).fetchone()
    return None if row is None else Summary(seq_of(row[0]), row[1])


def summary_of_key(db: sqlite3.Cursor, owner: str, key: str, seq: int) -> Summary | None:
    row = db.execute("SELECT number FROM sessions WHERE owner = ? AND key = ?", (owner, key)).fetchone()
    return None if row is None else summary_until(db, row[0], seq)


def begun_behind(db: sqlite3.Cursor, owner: str, key: str) -> int:
    """As `Store.begun_behind` says."""
    row = db.execute("SELECT number FROM sessions WHERE owner = ? AND key = ?", (owner, key)).fetchone()
    return 0 if row is None else reset_of(db, row[0])


def reset_of(db: sqlite3.Cursor, session: int) -> int:
    """Behind which entry the session of this number was begun anew last; 0 = it never was."""
    (place,) = db.execute(
        "SELECT max(id) FROM summaries WHERE id BETWEEN ? AND ? AND text = ''",
        (entry_id(session, 1), entry_id(session + 1, 0) - 1),
    ).fetchone()
    return 0 if place is None else seq_of(place)


def entries_between(db: sqlite3.Cursor, session: int, after: int, until: int) -> tuple[Entry, ...]:
    """The entries `after` < seq <= `until`."""
    try:
        found = db.execute(_ENTRIES, (entry_id(session, after + 1), entry_id(session, until))).fetchall()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        found = _one_by_one(db, session, after, until)
    return rows.entries(found, after, until)


def page(db: sqlite3.Cursor, session: int, after: int, until: int) -> tuple[Entry, ...]:
    """The first of these entries, at least one of them, so that others need not wait long for the thread."""
    found: list[rows.EntryRow] = []
    size = 0
    try:
        for row in db.execute(_ENTRIES, (entry_id(session, after + 1), entry_id(session, until))):
            found.append(row)
            size += len(row[1])
            if size >= _PAGE_BYTES:
                return rows.entries(found, after, seq_of(row[0]))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        until = min(until, after + _DAMAGED_PAGE)
        found = _one_by_one(db, session, after, until)
    return rows.entries(found, after, until)


def _one_by_one(db: sqlite3.Cursor, session: int, after: int, until: int) -> list[rows.EntryRow]:
    """The rows that can be read, where the file is damaged."""
    found: list[rows.EntryRow] = []
    for seq in range(after + 1, until + 1):
        place = entry_id(session, seq)
        try:
            found += db.execute(_ENTRIES, (place, place)).fetchall()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
    return found


def transcript(db: sqlite3.Cursor, owner: str, session: str, after: int, limit: int) -> tuple[Entry, ...]:
    row = db.execute(
        "SELECT number, last_seq FROM sessions WHERE owner = ? AND key = ?", (owner, session)
    ).fetchone()
    if row is None:
        return ()
    number, last_seq = row
    after = max(after, 0)
    return entries_between(db, number, after, max(after, min(after + limit, last_seq)))


def list_sessions(db: sqlite3.Cursor, wanted: WantedSessions) -> tuple[SessionRecord, ...]:
    agents = db.execute(
        "SELECT agent FROM counts WHERE owner = ?1 AND (?2 IS NULL OR agent = ?2)", wanted[:2]
    ).fetchall()
    place: tuple[int, ...] = ()
    if wanted.after is not None:
        place = db.execute(
            "SELECT updated_ms, number FROM sessions WHERE owner = ? AND key = ?",
            (wanted.owner, wanted.after),
        ).fetchone()
        if place is None:
            return ()
    order, compared = ("ASC", ">") if wanted.oldest_first else ("DESC", "<")
    behind = f" AND (updated_ms, number) {compared} (?, ?)" if place else ""
    # The range of each agent is ordered, so SQLite merges them and reads only as far as the list goes.
    owned = (
        [(wanted.owner, agent) for (agent,) in agents] if len(agents) <= _MOST_MERGED else [(wanted.owner,)]
    )
    if not owned:
        return ()
    ranges = [(_OF_AGENT if len(one) > 1 else _OF_OWNER) + behind for one in owned]
    if not wanted.branches:
        ranges = [f"{each} AND parent IS NULL" for each in ranges]
    listed = db.execute(
        f"WITH found AS ({' UNION ALL '.join(ranges)} ORDER BY 1 {order}, 2 {order} LIMIT ? OFFSET ?) "
        f"{rows.SESSIONS} JOIN found USING (number) ORDER BY found.updated_ms {order}, number {order}",
        (*(value for one in owned for value in (*one, *place)), wanted.limit, wanted.offset),
    ).fetchall()
    return tuple(rows.session_record(row) for row in listed)


def count_sessions(db: sqlite3.Cursor, owner: str, agent: str | None) -> int:
    (count,) = db.execute(
        "SELECT ifnull(sum(sessions), 0) FROM counts WHERE owner = ?1 AND (?2 IS NULL OR agent = ?2)",
        (owner, agent),
    ).fetchone()
    return int(count)


def get_session(db: sqlite3.Cursor, owner: str, session: str) -> SessionRecord | None:
    row = db.execute(rows.SESSIONS + "WHERE owner = ? AND key = ?", (owner, session)).fetchone()
    return None if row is None else rows.session_record(row)


def open_runs(db: sqlite3.Cursor, owner: str, session: str) -> tuple[str, ...]:
    found = db.execute(
        "SELECT runs.id FROM sessions JOIN runs ON runs.session = sessions.number "
        "WHERE sessions.owner = ? AND key = ? AND ended_ms IS NULL ORDER BY runs.number",
        (owner, session),
    )
    return tuple(run_id for (run_id,) in found)


def runs_of(db: sqlite3.Cursor, wanted: WantedRuns) -> tuple[RunRecord, ...]:
    row = db.execute(
        "SELECT number FROM sessions WHERE owner = ? AND key = ?", (wanted.owner, wanted.session)
    ).fetchone()
    if row is None:
        return ()
    order, compared = ("DESC", "<") if wanted.newest_first else ("ASC", ">")
    (session,) = row
    values, behind = [session], ""
    if wanted.after is not None:
        last = db.execute(
            "SELECT number FROM runs WHERE id = ? AND session = ?", (wanted.after, session)
        ).fetchone()
        if last is None:
            return ()
        values, behind = [session, *last], f"AND runs.number {compared} ? "
    found = db.execute(
        f"{rows.RUNS}AND runs.session = ? {behind}ORDER BY runs.number {order} LIMIT ?",
        (*values, wanted.limit),
    ).fetchall()
    return tuple(map(rows.run_record, found))


def get_run(db: sqlite3.Cursor, owner: str, run_id: str) -> RunRecord | None:
    row = db.execute(rows.RUNS + "AND runs.id = ? AND runs.owner = ?", (run_id, owner)).fetchone()
    return None if row is None else rows.run_record(row)


def run_by_key(db: sqlite3.Cursor, owner: str, key: str) -> RunRecord | None:
    row = db.execute(
        rows.RUNS + "AND runs.owner = ? AND idempotency_key = ? ORDER BY runs.number DESC LIMIT 1",
        (owner, key),
    ).fetchone()
    return None if row is None else rows.run_record(row)


def result(db: sqlite3.Cursor, owner: str, run_id: str) -> bytes | None:
    row = db.execute(rows.RUNS + "AND runs.id = ? AND runs.owner = ?", (run_id, owner)).fetchone()
    if row is None:
        return None
    kept = db.execute("SELECT body FROM results WHERE number = ?", (row[-1],)).fetchone()
    return None if kept is None else kept[0]


def named(db: sqlite3.Cursor, digests: list[str]) -> set[str]:
    """Which of these files an entry names."""
    return {
        digest
        for digest in digests
        if db.execute("SELECT 1 FROM blobs WHERE digest = ? LIMIT 1", (digest,)).fetchone() is not None
    }


def schema_version(db: sqlite3.Cursor) -> int:
    db.execute("SELECT count(*) FROM probe").fetchone()
    return SCHEMA_VERSION
