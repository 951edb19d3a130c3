"""How a session becomes two: it leaves a branch and goes on from an earlier entry, or a fork of it is made.

Each is one operation inside a transaction that somebody else commits. A branch and a fork are whole: whoever
reads one, goes on with it or deletes it needs nothing of the session that it came from. It has no runs.
"""

import sqlite3
from typing import NamedTuple

from openclaw_gateway.sessions import stored
from openclaw_gateway.sessions.sqlite.reads import entries_between, summary_until
from openclaw_gateway.sessions.sqlite.schema import entry_id, seq_of, session_of
from openclaw_gateway.sessions.store import Summary

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

_FORK = """
    INSERT INTO sessions (owner, key, agent, user, parent, label, created_ms, updated_ms, last_seq)
    SELECT owner, ?, agent, user, key, label, ?, ?, ? FROM sessions WHERE number = ?
"""


class Fork(NamedTuple):
    """The first `keeps` entries of a session, under another `key`."""

    owner: str
    session: str
    keeps: int
    key: str


def fork(db: sqlite3.Cursor, wanted: Fork, now: int) -> bool:
    """The session that it is made of stays as it is. A reset that covered more of that covers all of it.
    False when there is no session, or not so many entries."""
    owner, session, keeps, key = wanted
    execute = db.execute
    row = execute(
        "SELECT number, last_seq FROM sessions WHERE owner = ? AND key = ?", (owner, session)
    ).fetchone()
    if row is None or not 0 <= keeps <= row[1]:
        return False
    number = row[0]
    execute(_FORK, (key, now, now, keeps, number))
    (made,) = execute("SELECT last_insert_rowid()").fetchone()
    summary = summary_until(db, number, keeps)
    _copy(db, number, made, keeps)
    if keeps < row[1]:
        _name_no_more(db, made, keeps)
    _settle(db, made, keeps, summary, now)
    return True


def leave_branch(db: sqlite3.Cursor, place: int, keeps: int, now: int) -> int:
    """Of the session whose newest entry has the id `place`; the id of the last of the `keeps` entries that
    stay in it. A reset that covered more covers all of them."""
    execute = db.execute
    number = session_of(place)
    execute(_BRANCH, (LABEL, number))
    (branch,) = execute("SELECT last_insert_rowid()").fetchone()
    summary = summary_until(db, number, keeps)
    left = (entry_id(number, keeps + 1), place)
    _copy(db, number, branch, seq_of(place))
    execute("DELETE FROM entries WHERE id BETWEEN ? AND ?", left)
    _name_no_more(db, number, keeps)
    execute("DELETE FROM summaries WHERE id BETWEEN ? AND ?", left)
    _settle(db, number, keeps, summary, now)
    return entry_id(number, keeps)


def _copy(db: sqlite3.Cursor, number: int, other: int, last: int) -> None:
    """The entries and summaries of a session up to `last`, and the names of all its files."""
    execute = db.execute
    part = (entry_id(other, 0) - entry_id(number, 0), entry_id(number, 1), entry_id(number, last))
    execute("INSERT INTO entries SELECT id + ?, body FROM entries WHERE id BETWEEN ? AND ?", part)
    execute(
        "INSERT INTO summaries SELECT id + ?, text, created_ms FROM summaries WHERE id BETWEEN ? AND ?", part
    )
    execute(
        "INSERT INTO blobs (session, digest, size) SELECT ?, digest, size FROM blobs WHERE session = ?",
        (other, number),
    )


def _settle(db: sqlite3.Cursor, number: int, last: int, summary: Summary | None, now: int) -> None:
    """What the row of a session says of it that has `last` entries now, and behind them this summary."""
    execute = db.execute
    covered = 0
    if summary is not None:
        covered = summary.covers_to_seq
        execute(
            "INSERT INTO summaries (id, text, created_ms) VALUES (?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET text = excluded.text",
            (entry_id(number, covered), summary.text, now),
        )
    size, tail = _sizes(db, number, covered, last)
    execute(
        "UPDATE sessions SET last_seq = ?, covered_seq = ?, size = ?, tail = ? WHERE number = ?",
        (last, covered, size, tail, number),
    )


def _name_no_more(db: sqlite3.Cursor, number: int, last: int) -> None:
    """The files that only the branch shows: with the branch, they are to go."""
    execute = db.execute
    named = {digest for (digest,) in execute("SELECT digest FROM blobs WHERE session = ?", (number,))}
    if not named:
        return
    for entry in entries_between(db, number, 0, last):
        named.difference_update(blob.digest for blob in stored.blobs_of(entry.message))
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
