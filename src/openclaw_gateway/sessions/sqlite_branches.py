"""How a session leaves a branch: what it was becomes one of its own, and it goes on from an earlier entry.

One operation inside a transaction that somebody else commits. The branch is whole: whoever reads it, goes on
with it or deletes it needs nothing of the session that it came from. It has no runs.
"""

import sqlite3

from openclaw_gateway.sessions import sqlite_rows as rows
from openclaw_gateway.sessions.sqlite_schema import entry_id, seq_of

LABEL = "earlier branch"
# The number is the run's that leaves it: it never comes again.
_BRANCH = """
    INSERT INTO sessions (
        owner, key, agent, user, parent, label, created_ms, updated_ms, last_seq, covered_seq, size, tail)
    SELECT owner, key || '~fork:' || token, agent, user, key, ?, created_ms, updated_ms, last_seq,
        covered_seq, size, tail
    FROM sessions WHERE number = ?
"""


def leave_branch(db: sqlite3.Cursor, hold: rows.Hold, keeps: int, now: int) -> rows.Hold:
    """The session with its first `keeps` entries; a reset that covered more covers all of them."""
    execute = db.execute
    number = hold.number
    execute(_BRANCH, (LABEL, number))
    branch = rows.new_number(db)
    offset = entry_id(branch, 0) - entry_id(number, 0)
    whole = (entry_id(number, 1), entry_id(number, hold.last_seq))
    left = (entry_id(number, keeps + 1), entry_id(number, hold.last_seq))
    execute("INSERT INTO entries SELECT id + ?, body FROM entries WHERE id BETWEEN ? AND ?", (offset, *whole))
    execute(
        "INSERT INTO summaries SELECT id + ?, text, created_ms FROM summaries WHERE id BETWEEN ? AND ?",
        (offset, *whole),
    )
    execute(
        "INSERT INTO blobs (session, digest, size) SELECT ?, digest, size FROM blobs WHERE session = ?",
        (branch, number),
    )
    newest = execute(
        "SELECT text FROM summaries WHERE id = ?", (entry_id(number, hold.covered_seq),)
    ).fetchone()
    execute("DELETE FROM entries WHERE id BETWEEN ? AND ?", left)
    execute("DELETE FROM summaries WHERE id BETWEEN ? AND ?", left)
    if hold.covered_seq > keeps > 0 and newest == ("",):
        execute(
            "INSERT OR REPLACE INTO summaries (id, text, created_ms) VALUES (?, '', ?)",
            (entry_id(number, keeps), now),
        )
    (covering,) = execute(
        "SELECT max(id) FROM summaries WHERE id BETWEEN ? AND ?",
        (entry_id(number, 1), entry_id(number, keeps)),
    ).fetchone()
    covered = 0 if covering is None else seq_of(covering)
    size, tail = _sizes(db, number, covered, keeps)
    execute(
        "UPDATE sessions SET last_seq = ?, covered_seq = ?, size = ?, tail = ? WHERE number = ?",
        (keeps, covered, size, tail, number),
    )
    return hold._replace(last_seq=keeps, covered_seq=covered, tail=tail)


def _sizes(db: sqlite3.Cursor, number: int, covered: int, last: int) -> tuple[int, int]:
    """What the session keeps in all, and what of it comes after its newest summary."""
    size, tail, beside = db.execute(
        "SELECT ifnull(sum(length(body)), 0), ifnull(sum(CASE WHEN id > ?3 THEN length(body) END), 0), "
        "(SELECT ifnull(sum(size), 0) FROM blobs WHERE session = ?4) FROM entries WHERE id BETWEEN ?1 AND ?2",
        (entry_id(number, 1), entry_id(number, last), entry_id(number, covered), number),
    ).fetchone()
    return size + beside, tail
