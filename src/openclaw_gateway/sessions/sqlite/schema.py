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
from openclaw_gateway.sessions.sqlite import kept
from openclaw_gateway.sessions.sqlite.migration import from_schema_1, from_schema_2

SCHEMA_VERSION = 4
_APPLICATION_ID = 0x6F634757  # "ocGW", so that `file` and we know our own

TABLES = (
    """
    CREATE TABLE sessions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL,
        key TEXT NOT NULL,
        agent TEXT NOT NULL,
        user TEXT,
        parent TEXT,
        label TEXT,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        last_seq INTEGER NOT NULL DEFAULT 0,
        covered_seq INTEGER NOT NULL DEFAULT 0,  -- what the newest summary stands for
        size INTEGER NOT NULL DEFAULT 0,         -- bytes of all that is kept for it
        tail INTEGER NOT NULL DEFAULT 0,         -- bytes of the entries after the newest summary
        token INTEGER NOT NULL DEFAULT 0,        -- number of the run that holds it, or held it last
        lease_until_ms INTEGER,                  -- of this process's monotonic clock; NULL = free
        waiting INTEGER NOT NULL DEFAULT 0,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        total_tokens INTEGER NOT NULL DEFAULT 0,
        UNIQUE (owner, key)
    ) STRICT
    """,
    # A list of one agent's sessions is a range of this; one of all is merged from the ranges of each.
    "CREATE INDEX sessions_by_change ON sessions (owner, agent, updated_ms, number)",
    """
    CREATE TABLE counts (
        owner TEXT NOT NULL, agent TEXT NOT NULL, sessions INTEGER NOT NULL, PRIMARY KEY (owner, agent)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TRIGGER session_made AFTER INSERT ON sessions BEGIN
        INSERT INTO counts VALUES (new.owner, new.agent, 1) ON CONFLICT DO UPDATE SET sessions = sessions + 1;
    END
    """,
    """
    CREATE TRIGGER session_deleted AFTER DELETE ON sessions BEGIN
        UPDATE counts SET sessions = sessions - 1 WHERE owner = old.owner AND agent = old.agent;
        DELETE FROM counts WHERE owner = old.owner AND agent = old.agent AND sessions = 0;
    END
    """,
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        session INTEGER,                         -- NULL = none to wait for
        agent TEXT NOT NULL,
        parent TEXT,
        idempotency_key TEXT,                    -- taken while the run is open or its result is kept
        digest BLOB,
        status TEXT NOT NULL,
        abort_requested INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL,
        ended_ms INTEGER,                        -- NULL = queued or running
        usage BLOB,
        error BLOB,
        final_seq INTEGER,                       -- with next_run: the answer of `finish`, for a repeat
        next_run TEXT                            -- without final_seq: the run that has taken up its message
    ) STRICT
    """,
    "CREATE INDEX runs_of_session ON runs (session) WHERE session NOT NULL",
    "CREATE INDEX runs_open ON runs (session) WHERE ended_ms IS NULL",
    "CREATE INDEX runs_by_key ON runs (owner, idempotency_key) WHERE idempotency_key NOT NULL",
    "CREATE TABLE results (number INTEGER PRIMARY KEY, kept_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
    "CREATE INDEX results_by_age ON results (kept_ms)",
    "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
    """
    CREATE TABLE IF NOT EXISTS summaries (
        id INTEGER PRIMARY KEY, text TEXT NOT NULL, created_ms INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE ledger (
        number INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        owner TEXT NOT NULL,
        agent TEXT NOT NULL,
        session TEXT,
        model TEXT NOT NULL,
        door TEXT NOT NULL,
        status TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cost REAL,
        error_code TEXT,
        parent TEXT,
        cached_tokens INTEGER NOT NULL DEFAULT 0,
        cache_write_tokens INTEGER NOT NULL DEFAULT 0,
        called INTEGER NOT NULL DEFAULT 0        -- tools
    ) STRICT
    """,
    "CREATE INDEX ledger_by_age ON ledger (started_ms)",
    # Which files beside the entries a session names, and how large they are.
    """
    CREATE TABLE blobs (
        session INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (session, digest)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX blobs_by_digest ON blobs (digest)",
    # Numbers of sessions that are deleted, and of which something is left to clear away.
    "CREATE TABLE graves (session INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE probe (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, room BLOB) STRICT",
)


def entry_id(session_number: int, seq: int) -> int:
    """Where an entry (or the summary up to it) stands: 31 bits of session, 32 bits of sequence."""
    return session_number << 32 | seq


def session_of(entry: int) -> int:
    return entry >> 32


def seq_of(entry: int) -> int:
    return entry & 0xFFFF_FFFF


def connect(path: Path, blobs: Path) -> sqlite3.Connection:
    """Open (and make, if need be) the file for its one writer, at the newest schema.

    `blobs` is the folder for what is large.
    """
    try:
        _make_private(path)
        db = _connection(path)
    except OSError as error:
        raise StoreError(
            f"The session store cannot be opened ({error.strerror or 'system error'}): check that the state "
            "directory exists, is writable and belongs to the user of the gateway."
        ) from error
    try:
        _migrate(db, path, blobs)
        for statement in kept.TABLES:
            db.execute(statement)
        # The write-ahead log makes readers independent of the writer; FULL makes a commit durable.
        db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 2000")
        db.execute("PRAGMA journal_size_limit = 67108864")
        db.execute("PRAGMA temp_store = MEMORY")
        # What is deleted is overwritten: some builds of SQLite do so anyway, others leave it to be found.
        db.execute("PRAGMA secure_delete = ON").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A second connection that cannot write, for a file that `connect` has opened."""
    db = _connection(path)
    db.execute("PRAGMA query_only = ON")
    # A damaged name in one row must not take the list from all the others.
    db.text_factory = _tolerant
    return db


def _tolerant(text: bytes) -> str:
    return text.decode("utf-8", "replace")


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


def _migrate(db: sqlite3.Connection, path: Path, blobs: Path) -> None:
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
    if version == SCHEMA_VERSION:
        return
    if version == 1:
        from_schema_1(db, path, blobs, TABLES, SCHEMA_VERSION)
        return
    if version in (2, 3):
        from_schema_2(db, path, SCHEMA_VERSION)
        return
    db.execute("BEGIN IMMEDIATE")
    for statement in TABLES:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _pragma(db: sqlite3.Connection, name: str) -> int:
    value: int = db.execute(f"PRAGMA {name}").fetchone()[0]
    return value
