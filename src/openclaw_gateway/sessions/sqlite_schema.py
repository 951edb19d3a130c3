"""The SQLite file of the single-node store: its tables, its permissions, and how it is opened.

Knows nothing of threads or event loops. Raises StoreError when the file cannot be this store: damaged,
written by something else, or by a newer release.

A run's number is its place in the order of arrival over the whole store, and also its session's fencing
token while it holds the session: numbers only grow, even when rows are deleted (AUTOINCREMENT). An
entry's id is its session's number and its sequence number in one integer, so that a transcript is one
range of the table itself, without an index beside it.
"""

import sqlite3
from pathlib import Path

from openclaw_gateway.errors import StoreError

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x6F634757  # "ocGW", so that `file` and we know our own

# One script per version: script n takes a file from version n to n + 1. Never edited, only added to.
_MIGRATIONS = (
    """
    CREATE TABLE sessions (
        number INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        agent TEXT NOT NULL,
        parent TEXT,
        label TEXT,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        last_seq INTEGER NOT NULL DEFAULT 0,
        covered_seq INTEGER NOT NULL DEFAULT 0,  -- what the newest summary stands for
        token INTEGER NOT NULL DEFAULT 0,        -- number of the run that holds it, or held it last
        lease_until_ms INTEGER,                  -- of this process's monotonic clock; NULL = free
        waiting INTEGER NOT NULL DEFAULT 0,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        total_tokens INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        session INTEGER NOT NULL,
        agent TEXT NOT NULL,
        idempotency_key TEXT,
        status TEXT NOT NULL,
        abort_requested INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL,
        ended_ms INTEGER,                        -- NULL = queued or running
        usage BLOB,
        error BLOB,
        final_seq INTEGER,                       -- with next_run: the answer of `finish`, for a repeat
        next_run TEXT
    ) STRICT;
    CREATE INDEX runs_of_session ON runs (session);
    CREATE UNIQUE INDEX runs_by_key ON runs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE TABLE entries (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE summaries (id INTEGER PRIMARY KEY, text TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE probe (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
    """,
)


def entry_id(session_number: int, seq: int) -> int:
    """Where an entry (or the summary up to it) stands: 31 bits of session, 32 bits of sequence."""
    return session_number << 32 | seq


def connect(path: Path) -> sqlite3.Connection:
    """Open (and make, if need be) the file for its one writer, at the newest schema."""
    try:
        _make_private(path)
        db = _connection(path)
    except OSError as error:
        raise StoreError(
            f"The session store cannot be opened ({error.strerror or 'system error'}): check that the state "
            "directory exists, is writable and belongs to the user of the gateway."
        ) from error
    try:
        _migrate(db)
        # The write-ahead log makes readers independent of the writer; FULL makes a commit durable.
        db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 2000")
        db.execute("PRAGMA journal_size_limit = 67108864")
        db.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        db.close()
        raise
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A second connection that cannot write, for a file that `connect` has opened."""
    db = _connection(path)
    db.execute("PRAGMA query_only = ON")
    return db


def _connection(path: Path) -> sqlite3.Connection:
    # Made on the loop's thread or the worker's, used by one worker thread only.
    return sqlite3.connect(
        path, timeout=5.0, isolation_level=None, check_same_thread=False, cached_statements=256
    )


def _make_private(path: Path) -> None:
    """Owner-only from the first byte on; SQLite gives its -wal and -shm files the same mode."""
    missing = [parent for parent in (path.parent, *path.parent.parents) if not parent.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    path.touch(mode=0o600, exist_ok=True)
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if file.exists():
            file.chmod(0o600)


def _migrate(db: sqlite3.Connection) -> None:
    version = _pragma(db, "user_version")
    application = _pragma(db, "application_id")
    is_empty = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if application != _APPLICATION_ID and not (is_empty and application == 0):
        raise StoreError(
            "sessions.sqlite is a database of another program: move it away and start again.",
            code="store_foreign",
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The session store was written by a newer release (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): upgrade the gateway, or give this one another state directory.",
            code="store_too_new",
        )
    for step in range(version, SCHEMA_VERSION):
        db.executescript(
            f"BEGIN IMMEDIATE; {_MIGRATIONS[step]} PRAGMA application_id = {_APPLICATION_ID};"
            f"PRAGMA user_version = {step + 1}; COMMIT;"
        )


def _pragma(db: sqlite3.Connection, name: str) -> int:
    value: int = db.execute(f"PRAGMA {name}").fetchone()[0]
    return value
