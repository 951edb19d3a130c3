"""The documents that all processes of a gateway go by, in the PostgreSQL store: each act is one statement.

Knows nothing of what stands in them, and nothing of pools.
"""

from asyncpg import Connection

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.shared import Document

_READ = "SELECT version, text FROM named_documents WHERE name = $1"
_VERSIONS = "SELECT name, version FROM named_documents"
_WRITE_FIRST = (
    "INSERT INTO named_documents (name, version, text) VALUES ($1, 1, $2) "
    "ON CONFLICT (name) DO NOTHING RETURNING version"
)
_WRITE = (
    "UPDATE named_documents SET version = version + 1, text = $2 "
    "WHERE name = $1 AND version = $3 RETURNING version"
)


async def read(db: Connection, name: str) -> Document:
    row = await db.fetchrow(_READ, name)
    return Document(0, "") if row is None else Document(*row)


async def versions(db: Connection) -> dict[str, int]:
    return dict(await db.fetch(_VERSIONS))


async def write(db: Connection, name: str, text: str, replaces: int) -> int:
    """Raises StoreError (code "document_changed")."""
    version: int | None = await (
        db.fetchval(_WRITE, name, text, replaces) if replaces else db.fetchval(_WRITE_FIRST, name, text)
    )
    if version is None:
        raise StoreError(
            f"The document {name} was changed by somebody else meanwhile: read it again, then write.",
            code="document_changed",
        )
    return version
