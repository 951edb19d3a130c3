"""Whether the user of a database may do in it what the store does: found at the start, and not at the first
turn that cannot be kept.
"""

from asyncpg import Connection

from openclaw_gateway.errors import StoreError

# Those of the schema that the tables are in, and of them what this user lacks.
_LACKS = """
    WITH ours AS (
        SELECT pg_class.oid, relname, relkind, relnamespace FROM pg_class
        WHERE relkind IN ('r', 'S') AND relnamespace = (
            SELECT relnamespace FROM pg_class WHERE relname = 'schema_version' AND pg_table_is_visible(oid))
    )
    SELECT current_user::text, nspname::text, wanted.right, array_agg(relname::text ORDER BY relname)
    FROM ours JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN (VALUES
        (1, 'r', 'SELECT'), (2, 'r', 'INSERT'), (3, 'r', 'UPDATE'), (4, 'r', 'DELETE'), (5, 'S', 'USAGE')
    ) AS wanted (place, kind, "right") ON wanted.kind = ours.relkind::text
    WHERE (relname <> 'schema_version' OR wanted.right = 'SELECT') AND NOT CASE
        WHEN relkind = 'S' THEN has_sequence_privilege(ours.oid, wanted.right)
        ELSE has_table_privilege(ours.oid, wanted.right)
    END
    GROUP BY nspname, wanted.place, wanted.right ORDER BY wanted.place
"""


async def require_rights(db: Connection) -> None:
    """Raises StoreError, with what to run."""
    lacking = await db.fetch(_LACKS)
    if not lacking:
        return
    user, schema = (_quoted(name) for name in lacking[0][:2])
    told = "; ".join(f"{right} on {', '.join(names)}" for _, _, right, names in lacking)
    raise StoreError(
        f"The user of store.url may not do in its database what the store does. It lacks: {told}. Make it "
        "the owner of the database, or let the owner run: "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user}; "
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {user};"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
