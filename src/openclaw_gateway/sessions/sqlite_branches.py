"""How a session leaves a branch: what it was becomes one of its own, and it goes on from an earlier entry.

One operation inside a transaction that somebody else commits. The branch is whole: whoever reads it, goes on
with it or deletes it needs nothing of the session that it came from. It has no runs.
"""

import sqlite3

from openclaw_gateway.sessions import sqlite_rows as rows
from openclaw_gateway.sessions.sqlite_reads import entries_between, summary_until
from openclaw_gateway.sessions.sqlite_schema import entry_id, session_of

LABEL = "earlier branch"
# The number is the run's that leaves it: it never comes again. Where a client has made a session of that very
# name, the branch has one of its own behind it.
_BRANCH = """
    INSERT INTO sessions (
        owner, key, agent, user, parent, label, created_ms, updated_ms, last_seq, covered_seq, size, tail)
    SELECT owner, key || '~fork:' || token || CASE
            WHEN EXISTS (SELECT 1 FROM sessions AS other WHERE other.owner = sessions.owner
                AND other.key = sessions.key || '~fork:' || sessions.token)
            THEN '~' || lower(hex(randomblob(8))) ELSE '' END,
        agent, user, key, ?, created_ms, updated_ms, last_seq,
        covered_seq, size, tail
    FROM sessions WHERE number = ?
"""


def leave_branch(db: sqlite3.Cursor, place: int, keeps: int, now: int) -> int:
    """Of the session whose newest entry has the id `place`; the id of the last of the `keeps` entries that
    stay in it. A reset that covered more covers all of them."""
    execute = db.execute
    number = session_of(place)
    execute(_BRANCH, (LABEL, number))
    (branch,) = execute("SELECT last_insert_rowid()").fetchone()
    summary = summary_until(db, number, keeps)
    offset = entry_id(branch, 0) - entry_id(number, 0)
    whole = (entry_id(number, 1), place)
    left = (entry_id(number, keeps + 1), place)
    execute("INSERT INTO entries SELECT id + ?, body FROM entries WHERE id BETWEEN ? AND ?", (offset, *whole))
    execute(
        "INSERT INTO summaries SELECT id + ?, text, created_ms FROM summaries WHERE id BETWEEN ? AND ?",
        (offset, *whole),
    )
    execute(
        "INSERT INTO blobs (session, digest, size) SELECT ?, digest, size FROM blobs WHERE session = ?",
        (branch, number),
    )
    execute("DELETE FROM entries WHERE id BETWEEN ? AND ?", left)
    _name_no_more(db, number, keeps)
    execute("DELETE FROM summaries WHERE id BETWEEN ? AND ?", left)
    covered = 0
    if summary is not None:
        covered = summary.covers_to_seq
        execute(
            "INSERT INTO summaries (id, text, created_ms) VALUES (?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET text = excluded.text",
            (entry_id(number, covered), summary.text, now),
        )
    size, tail = _sizes(db, number, covered, keeps)
    execute(
        "UPDATE sessions SET last_seq = ?, covered_seq = ?, size = ?, tail = ? WHERE number = ?",
        (keeps, covered, size, tail, number),
    )
    return entry_id(number, keeps)


def _name_no_more(db: sqlite3.Cursor, number: int, last: int) -> None:
    """The files that only the branch shows: with the branch, they are to go."""
    execute = db.execute
    named = {digest for (digest,) in execute("SELECT digest FROM blobs WHERE session = ?", (number,))}
    if not named:
        return
    for entry in entries_between(db, number, 0, last):
        named.difference_update(blob.digest for blob in rows.blobs_of(entry.message))
    db.executemany(
        "DELETE FROM blobs WHERE session = ? AND digest = ?", [(number, digest) for digest in named]
    )


def _sizes(db: sqlite3.Cursor, number: int, covered: int, last: int) -> tuple[int, int]:
    """What the session keeps in all, and what of it comes after its newest summary."""
    size, tail, beside = db.execute(
        "SELECT ifnull(sum(length(body)), 0), ifnull(sum(CASE WHEN id > ?3 THEN length(body) END), 0), "
        "(SELECT ifnull(sum(size), 0) FROM blobs WHERE session = ?4) FROM entries WHERE id BETWEEN ?1 AND ?2",
        (entry_id(number, 1), entry_id(number, last), entry_id(number, covered), number),
    ).fetchone()
    return size + beside, tail
