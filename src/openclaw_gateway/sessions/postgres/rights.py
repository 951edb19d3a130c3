"""Whether the user of a database may do in it what the store does: found at the start, and not at the first
turn that cannot be kept.
"""

from asyncpg import Connection

from openclaw_gateway.errors import StoreError

# What is in the schema that the tables are in and of no extension, and of that what this user may not.
_LACKS = """
    WITH place AS (
        SELECT relnamespace AS oid FROM pg_class WHERE relname = 'schema_version' AND pg_table_is_visible(oid)
    ), ours AS (
        SELECT oid, relname AS name, relkind::text AS kind FROM pg_class
        WHERE relkind IN ('r', 'S') AND relnamespace = (SELECT oid FROM place)
        UNION ALL
        SELECT oid, proname, 'function' FROM pg_proc WHERE pronamespace = (SELECT oid FROM place)
    )
    SELECT current_user::text, (SELECT nspname::text FROM pg_namespace JOIN place USING (oid)), wanted.right,
        array_agg(DISTINCT name::text ORDER BY name::text)
    FROM ours JOIN (VALUES
        (1, 'r', 'SELECT'), (2, 'r', 'INSERT'), (3, 'r', 'UPDATE'), (4, 'r', 'DELETE'), (5, 'S', 'USAGE'),
        (6, 'function', 'EXECUTE')
    ) AS wanted (place, kind, "right") USING (kind)
    WHERE (name <> 'schema_version' OR wanted.right = 'SELECT')
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = ours.oid AND deptype = 'e')
        AND NOT CASE kind
            WHEN 'S' THEN has_sequence_privilege(ours.oid, wanted.right)
            WHEN 'r' THEN has_table_privilege(ours.oid, wanted.right)
            ELSE has_function_privilege(ours.oid, wanted.right)
        END
    GROUP BY wanted.place, wanted.right ORDER BY wanted.place
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
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {user}; "
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {user};"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
