"""Brings a database to the schema of this release, and says which databases this release can work on.

The schema is the numbered files of schema/, each applied once, in order, all that are missing in one
transaction under a lock of the whole database: of several processes that start together one does it. Each
file says in its first line the oldest schema whose release still works on a database that has it (0001 says
the rule); an older release goes on working on a database of a newer one exactly as long as that allows.
"""

import asyncio
import re
import time
from functools import cache
from hashlib import blake2b
from importlib import resources
from typing import NamedTuple

import asyncpg
import structlog
from asyncpg import Connection

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.postgres.errors import FOREIGN
from openclaw_gateway.sessions.postgres.transactions import transaction

_LOCK = 0x6F634757  # "ocGW"
_READABLE_FROM = re.compile(r"-- readable from: (\d+)\n")
_MIGRATION_S = 3600.0
# Who waits for a table that a dump reads holds up all who come to it meanwhile: it waits for moments only,
# again and again for so long.
_LOCK_MS = 300
_PAUSE_S = 1.0
_PATIENCE_S = 60.0
_IN_USE = (
    "The schema of the session store cannot be changed, because somebody holds its tables: wait until the "
    "dump has ended that reads them, or end what has begun a transaction there (pg_stat_activity shows it)."
)
_TABLE = """
    CREATE TABLE schema_version (
        version integer PRIMARY KEY,
        readable_from integer NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
log = structlog.get_logger()


class Part(NamedTuple):
    """One file of schema/."""

    version: int
    readable_from: int
    sql: str


class State(NamedTuple):
    """What a database has: its newest part, and the oldest schema whose release works on it. 0 = nothing."""

    version: int
    readable_from: int


@cache
def parts() -> tuple[Part, ...]:
    found = []
    for file in resources.files(__package__).joinpath("schema").iterdir():
        if not file.name.endswith(".sql"):
            continue
        sql = file.read_text("utf-8")
        said = _READABLE_FROM.match(sql)
        if said is None:
            raise ValueError(f"{file.name} does not say who can read it")
        found.append(Part(int(file.name[:4]), int(said[1]), sql))
    return tuple(sorted(found))


def newest() -> int:
    return parts()[-1].version


async def state(db: Connection) -> State:
    """Raises StoreError where the database is another program's, takes no writes, has the wrong encoding or
    shows a transaction what was there when it began."""
    # Tables are looked for as rows: `to_regclass` may answer from what this connection remembers, and what
    # another process has made under the lock is not there yet.
    encoding, isolation, is_standby, is_ours, is_taken = await db.fetchrow(
        "SELECT current_setting('server_encoding'), current_setting('transaction_isolation'), "
        "pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean, "
        "bool_or(is_ours) IS TRUE, count(*) > 0 FROM (SELECT relname = 'schema_version' AND EXISTS ("
        "    SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'readable_from'"
        "  ) AS is_ours FROM pg_class "
        "  WHERE relname IN ('schema_version', 'sessions', 'runs') AND pg_table_is_visible(oid)) AS found"
    )
    if encoding != "UTF8":
        raise StoreError(
            f"The database of the session store has the encoding {encoding}: create one with ENCODING 'UTF8'."
        )
    if isolation != "read committed":
        # Who has waited for a lock must see what the one before has done, or a key counts twice.
        raise StoreError(
            f"The database of the session store begins transactions as {isolation}: let its owner run ALTER "
            "DATABASE … SET default_transaction_isolation TO 'read committed', or set that for its user."
        )
    if is_standby:
        # As a write is refused: this connection is of no use, also once the database takes writes again.
        raise asyncpg.ReadOnlySQLTransactionError("read only")
    if not is_ours:
        if is_taken:
            raise StoreError(FOREIGN, code="store_foreign")
        return State(0, 0)
    version, readable_from = await db.fetchrow(
        "SELECT coalesce(max(version), 0), coalesce(max(readable_from), 0) FROM schema_version"
    )
    return State(version, readable_from)


async def name(db: Connection) -> str:
    """Of one database among all: what it is called where it is, and when it was made, to the microsecond. (A
    copy of it under another name has another one.)"""
    row = await db.fetchrow(
        "SELECT current_database(), extract(epoch FROM min(applied_at))::text FROM schema_version"
    )
    return blake2b(f"{row[0]} {row[1]}".encode(), digest_size=8).hexdigest()


async def migrate(db: Connection) -> int:
    """Apply what is missing; the version the database has now. Raises StoreError (code "store_too_new")."""
    found = _readable(await state(db))
    if found.version >= newest():
        return found.version
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await _applied(db)
        except asyncpg.LockNotAvailableError:
            if time.monotonic() >= until:
                raise StoreError(_IN_USE) from None
        log.warning(
            "store.migration_waits", remedy="end what holds its tables: a dump, a psql in a transaction"
        )
        await asyncio.sleep(_PAUSE_S)


async def _applied(db: Connection) -> int:
    async with transaction(db):
        await db.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", timeout=_MIGRATION_S)
        await db.execute(f"SET LOCAL lock_timeout = {_LOCK_MS}")
        found = _readable(await state(db))
        if found.version == 0:
            await db.execute(_TABLE)
        for part in parts():
            if part.version > found.version:
                log.info("store.migrating", schema=part.version)
                await db.execute(part.sql, timeout=_MIGRATION_S)
                await db.execute(
                    "INSERT INTO schema_version (version, readable_from) VALUES ($1, $2)",
                    part.version,
                    part.readable_from,
                )
    return max(found.version, newest())


async def require_whole(db: Connection) -> None:
    """Raises StoreError (code "copy_unfinished") where a store is being copied into the database."""
    if await db.fetchval("SELECT EXISTS (SELECT 1 FROM begun_copies)"):
        raise StoreError(
            "A store is being copied into the database of store.url, or that was cut off: let it come to its "
            "end (the same `openclaw store copy` goes on where it was).",
            code="copy_unfinished",
        )


def _readable(found: State) -> State:
    if found.readable_from > newest():
        raise StoreError(
            f"The session store was written by a newer release (schema {found.version}, this one knows "
            f"{newest()}): upgrade the gateway, or give this one another database.",
            code="store_too_new",
        )
    return found
