"""How the SQLite store of a folder stands, looked at from beside it: a gateway may be at work. Blocking.

Raises StoreError where the file cannot be read or is none of ours.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from openclaw_gateway.sessions.sqlite.errors import translated
from openclaw_gateway.sessions.sqlite.schema import SCHEMA_VERSION, connect_reader
from openclaw_gateway.sessions.standing import Standing

_COUNTS = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM runs WHERE ended_ms IS NULL)"
_BUSY_MS = 5_000


def standing(path: Path) -> Standing:
    bare = Standing("sqlite", str(path), 0, SCHEMA_VERSION)
    if not path.exists():
        return bare
    try:
        with closing(connect_reader(path)) as db:
            (schema,) = db.execute("PRAGMA user_version").fetchone()
            sessions, open_runs = db.execute(_COUNTS).fetchone() if schema else (0, 0)
            trouble = _trouble(db)
    except (sqlite3.Error, OSError) as error:
        raise translated(error) from error
    files = (path, path.with_name(f"{path.name}-wal"), *path.with_name("blobs").glob("??/*"))
    size = sum(file.stat().st_size for file in files if file.is_file())
    return Standing("sqlite", str(path), schema, SCHEMA_VERSION, size, sessions, open_runs, trouble=trouble)


def _trouble(db: sqlite3.Connection) -> str:
    """Why nobody could begin to write; nothing is written."""
    db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    db.execute("PRAGMA query_only = OFF")
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    except sqlite3.Error as error:
        return str(translated(error))
    return ""
