"""What is asked of a PostgreSQL store without a gateway, on a connection of its own: how it stands, its
schema, its documents.

Raises StoreError. The address may hold a password: it is shown to nobody.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import Connection
from msgspec.structs import replace

from openclaw_gateway.sessions.postgres import documents, migration, replicas
from openclaw_gateway.sessions.postgres.address import connected, shown
from openclaw_gateway.sessions.postgres.errors import translated
from openclaw_gateway.sessions.shared import Document, KeepsDocuments
from openclaw_gateway.sessions.standing import Standing

_CONNECT_S = 10.0
_STATEMENT_S = 600.0
_CLOSE_S = 5.0
_ABOUT = """
    SELECT pg_database_size(current_database()), pg_is_in_recovery(),
        current_setting('transaction_read_only')::boolean, to_regclass('schema_version') IS NOT NULL
"""
_COUNTS = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM runs WHERE ended_ms IS NULL)"
_NAMED = "to_regclass('named_documents') IS NOT NULL"
_COPIED = "to_regclass('begun_copies') IS NOT NULL"


async def patient(url: str) -> Connection:
    """One connection that waits long for an answer, also through a pool of transactions, which knows of no
    prepared statements. Raises what the driver raises."""
    return await connected(url, timeout=_CONNECT_S, command_timeout=_STATEMENT_S, statement_cache_size=0)


async def standing(url: str) -> Standing:
    async with _connection(url) as db:
        size, is_standby, is_read_only, is_made = await db.fetchrow(_ABOUT)
        trouble = ""
        if is_standby:
            trouble = "It is a standby: let store.url name the primary."
        elif is_read_only:
            trouble = "It is set to read only."
        schema = await db.fetchval("SELECT max(version) FROM schema_version") if is_made else 0
        bare = Standing("postgresql", shown(url), schema or 0, migration.newest(), size=size, trouble=trouble)
        if not schema:
            return bare
        if not trouble and await db.fetchval(f"SELECT {_COPIED}"):
            trouble = await _half_copied(db)
        sessions, open_runs = await db.fetchrow(_COUNTS)
        living = await replicas.living(db, None)
        named = sorted(await documents.versions(db)) if await db.fetchval(f"SELECT {_NAMED}") else ()
        return replace(
            bare,
            sessions=sessions,
            open_runs=open_runs,
            replicas=living,
            trouble=trouble,
            documents=tuple(named),
        )


@asynccontextmanager
async def documents_of(url: str) -> AsyncIterator[KeepsDocuments]:
    """The schema is brought to this release's before."""
    async with _connection(url) as db:
        await migration.migrate(db)
        await migration.require_whole(db)
        yield _Documents(db)


class _Documents:
    def __init__(self, db: Connection) -> None:
        self._db = db

    async def document(self, name: str) -> Document:
        return await documents.read(self._db, name)

    async def write_document(self, name: str, text: str, *, replaces: int) -> int:
        return await documents.write(self._db, name, text, replaces)


async def migrated(url: str) -> tuple[int, int]:
    """The schema that it had, and the one that it has now."""
    async with _connection(url) as db:
        before = (await migration.state(db)).version
        return before, await migration.migrate(db)


async def _half_copied(db: Connection) -> str:
    is_begun = await db.fetchval("SELECT EXISTS (SELECT 1 FROM begun_copies)")
    return "A store is being copied into it, or that was cut off." if is_begun else ""


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Connection]:
    try:
        db = await patient(url)
        try:
            yield db
        finally:
            await db.close(timeout=_CLOSE_S)
    except Exception as error:
        ours = translated(error)
        if ours is error:
            raise
        raise ours from error
