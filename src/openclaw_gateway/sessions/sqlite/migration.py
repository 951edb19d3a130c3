"""Takes a SQLite file of an earlier schema to today's: all of it or nothing, in bounded memory.

The old file is copied first. The copy stays beside it until the first clean stop under the new release
(`drop_copy`), for whoever must go back. Raises what SQLite raises. Knows nothing of the newest tables but
what it fills.
"""

import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from openclaw_gateway.errors import StoreFull
from openclaw_gateway.sessions.large import LARGE
from openclaw_gateway.sessions.older_messages import decode_entry
from openclaw_gateway.sessions.sqlite import blob_files
from openclaw_gateway.wire.messages import WithImages

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode
_NAME = "INSERT INTO blobs (session, digest, size) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

_COPIED_PAGES = 4096
_TELL_EVERY_S = 1.0
_SESSIONS = """
    INSERT INTO sessions (
        number, owner, key, agent, user, parent, label, created_ms, updated_ms, last_seq, covered_seq, size,
        tail, token, lease_until_ms, waiting, prompt_tokens, completion_tokens, total_tokens)
    SELECT number, owner, key, agent, {user}, parent, label, created_ms, updated_ms, last_seq, covered_seq, 0,
        0, token, lease_until_ms, waiting, prompt_tokens, completion_tokens, total_tokens
    FROM sessions_1 ORDER BY number
"""
# Schema 1 had no place for the end user but the key that the gateway made of it.
_USER = """
    CASE WHEN substr(key, 1, length(agent) + 19) = 'agent:' || agent || ':openai-user:'
    THEN substr(key, length(agent) + 20) END
"""
_RUNS = """
    INSERT INTO runs (
        number, id, owner, session, agent, idempotency_key, status, abort_requested, created_ms, ended_ms,
        usage, error, final_seq, next_run)
    SELECT number, id, owner, session, agent, idempotency_key, status, abort_requested, created_ms, ended_ms,
        usage, error, final_seq, next_run
    FROM runs_1 ORDER BY number
"""
# What the ledger has counted since schema 4.
_COUNTED = ("cached_tokens", "cache_write_tokens", "called")
_SIZES = """
    SELECT total(length(body)), total(CASE WHEN id > ?3 THEN length(body) ELSE 0 END),
        (SELECT total(size) FROM blobs WHERE session = ?1 >> 32)
    FROM entries WHERE id BETWEEN ?1 AND ?2
"""


def copy_of(path: Path) -> Path:
    """Where the file of the earlier release is kept."""
    return path.with_name(path.name + ".bak")


def drop_copy(path: Path) -> None:
    copy_of(path).unlink(missing_ok=True)


def from_schema_1(
    db: sqlite3.Connection, path: Path, blobs: Path, tables: Iterable[str], version: int
) -> None:
    """Large images go to files in `blobs`. Raises StoreFull when there is no room for the copy."""
    _keep(db, path)
    db.execute("BEGIN IMMEDIATE")
    try:
        _move(db, tables)
        _set_aside(db, blobs)
        _measure(db)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def from_schema_2(db: sqlite3.Connection, path: Path, version: int) -> None:
    """Or 3: what is written since then, an earlier release cannot read (see `older_messages`), and shall say
    so; the tables are the same. Then the ledger knew less. Raises StoreFull when there is no room for the
    copy."""
    _keep(db, path)
    db.execute("BEGIN IMMEDIATE")
    try:
        for column in _COUNTED:
            db.execute(f"ALTER TABLE ledger ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _keep(db: sqlite3.Connection, path: Path) -> None:
    try:
        _copy(db, path)
    except OSError as error:
        raise StoreFull(
            "The session store must be brought to this release's form, and there is no room for a copy of "
            "the old one: free as much space as sessions.sqlite takes, then start again."
        ) from error


def _copy(db: sqlite3.Connection, path: Path) -> None:
    """A whole copy, write-ahead log included; whole or not there at all, and on disk."""
    copy = copy_of(path)
    part = copy.with_name(copy.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    told = _Progress("store.copying")
    target = sqlite3.connect(part)
    try:
        db.backup(
            target, pages=_COPIED_PAGES, progress=lambda _, left, pages: told.about(pages - left, pages)
        )
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise OSError("no room") from error
        raise
    finally:
        target.close()
    _sync(part)
    part.rename(copy)
    _sync(path.parent)


def _sync(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _move(db: sqlite3.Connection, tables: Iterable[str]) -> None:
    for statement in (
        "DROP INDEX runs_of_session",
        "DROP INDEX runs_by_key",
        "DROP TABLE probe",
        "ALTER TABLE sessions RENAME TO sessions_1",
        "ALTER TABLE runs RENAME TO runs_1",
        *tables,
        _SESSIONS.format(user=_USER),
        _RUNS,
        # Numbers that were given and deleted again are not given a second time.
        "DELETE FROM sqlite_sequence WHERE name = 'runs'",
        "UPDATE sqlite_sequence SET name = 'runs' WHERE name = 'runs_1'",
        "DROP TABLE runs_1",
        "DROP TABLE sessions_1",
    ):
        db.execute(statement)


def _set_aside(db: sqlite3.Connection, blobs: Path) -> None:
    """One entry at a time: all of them together may be more than the memory holds."""
    told = _Progress("store.setting_aside")
    large = db.execute("SELECT id FROM entries WHERE length(body) > ?", (LARGE,)).fetchall()
    for done, (place,) in enumerate(large, 1):
        (body,) = db.execute("SELECT body FROM entries WHERE id = ?", (place,)).fetchone()
        try:
            entry = decode_entry(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # a damaged one stays as it is, and says so when it is read
        message = blob_files.set_aside(blobs, entry.message)
        if message is not entry.message:
            kept = _encode(msgspec.structs.replace(entry, message=message))
            db.execute("UPDATE entries SET body = ? WHERE id = ?", (kept, place))
            for image in message.images if isinstance(message, WithImages) else ():
                if image.digest:
                    db.execute(_NAME, (place >> 32, image.digest, image.size))
        told.about(done, len(large))


def _measure(db: sqlite3.Connection) -> None:
    told = _Progress("store.migrating")
    (count,) = db.execute("SELECT count(*) FROM sessions").fetchone()
    found = db.execute("SELECT number, last_seq, covered_seq FROM sessions")
    for done, (number, last, covered) in enumerate(found, 1):
        start = number << 32
        size, tail, beside = db.execute(_SIZES, (start, start + last, start + covered)).fetchone()
        sizes = (int(size + beside), int(tail), number)
        db.execute("UPDATE sessions SET size = ?, tail = ? WHERE number = ?", sizes)
        told.about(done, count)


class _Progress:
    """Says how far something has come: once a second, and at its end."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._told = time.monotonic()

    def about(self, done: int, of: int) -> None:
        now = time.monotonic()
        if done == of or now - self._told >= _TELL_EVERY_S:
            self._told = now
            log.info(self._event, done=done, of=of)
