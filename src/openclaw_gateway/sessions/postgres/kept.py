"""What the PostgreSQL store keeps under a name for somebody to come back to.

What has labels is also found by them, in the order in which it was kept. Every function is one operation on
a connection that the caller gives, one statement or one short transaction. Several replicas may drop what is
too old or too much at the same time: each takes rows that no other has.
"""

from asyncpg import Connection

from openclaw_gateway.sessions.postgres.texts import written_list
from openclaw_gateway.sessions.store import BESIDE
from openclaw_gateway.sessions.wanted import Given, WantedNames

_ROWS_AT_ONCE = 100
_SIZES_AT_ONCE = 5_000

_KEEP = """
    WITH made AS (
        INSERT INTO kept (owner, name, body, kept_ms) VALUES ($1, $2, $3, now_ms($5))
        ON CONFLICT DO NOTHING RETURNING number
    ) INSERT INTO kept_labels (owner, label, number)
    SELECT $1, label, number FROM made, unnest($4::text[]) AS label ON CONFLICT DO NOTHING
"""
_REKEEP = """
    WITH changed AS (
        UPDATE kept SET body = $3, kept_ms = CASE WHEN $6 THEN now_ms($5) ELSE kept_ms END
        WHERE owner = $1 AND name = $2 RETURNING number
    ), gone AS (
        DELETE FROM kept_labels USING changed
        WHERE kept_labels.number = changed.number AND label <> ALL ($4::text[])
    ), labelled AS (
        INSERT INTO kept_labels (owner, label, number)
        SELECT $1, label, number FROM changed, unnest($4::text[]) AS label ON CONFLICT DO NOTHING
    ) SELECT EXISTS (SELECT 1 FROM changed)
"""
_NUMBER = "SELECT number FROM kept WHERE owner = $1 AND name = $2"
_NAMES = (
    "SELECT kept.name FROM kept_labels AS first JOIN kept ON kept.number = first.number "
    "WHERE first.owner = $1 AND first.label = $2"
)
_HAS_LABEL = (
    " AND EXISTS (SELECT 1 FROM kept_labels AS other WHERE other.owner = $1 AND other.label = ${place} "
    "AND other.number = first.number)"
)
# Which rows are dropped, is settled before they are: no two wait for each other.
_DROP = (
    "WITH old AS (SELECT number FROM kept WHERE {which} LIMIT {most} FOR UPDATE SKIP LOCKED), "
    "gone AS (DELETE FROM kept USING old WHERE kept.number = old.number RETURNING 1) "
    "SELECT count(*) FROM gone"
)
_DROP_OLD = _DROP.format(which="kept_ms < $1 ORDER BY kept_ms", most=_ROWS_AT_ONCE)
_DROP_BELOW = _DROP.format(
    which=f"number < $1 AND NOT starts_with(name, '{BESIDE}') ORDER BY number", most=_ROWS_AT_ONCE
)
# Of a part of the sizes at a time: the first number below which there is no room, or how far they have come.
_ROOM_BELOW = f"""
    WITH part AS (
        SELECT number, octet_length(body) AS size FROM kept
        WHERE ($1::bigint IS NULL OR number < $1) AND NOT starts_with(name, '{BESIDE}')
        ORDER BY number DESC LIMIT $2
    ), summed AS (
        SELECT number, sum(size) OVER (ORDER BY number DESC) AS taken FROM part
    )
    SELECT max(number) FILTER (WHERE taken > $3), min(number), max(taken)::bigint FROM summed
"""  # noqa: S608 - of a constant


async def keep(db: Connection, given: Given, now_ms: int | None) -> None:
    await db.execute(_KEEP, given.owner, given.name, given.body, written_list(given.labels), now_ms)


async def rekeep(db: Connection, given: Given, now_ms: int | None, *, anew: bool) -> bool:
    """`anew`: from now on it counts as kept."""
    is_there: bool = await db.fetchval(
        _REKEEP, given.owner, given.name, given.body, written_list(given.labels), now_ms, anew
    )
    return is_there


async def kept(db: Connection, owner: str, name: str) -> bytes | None:
    body: bytes | None = await db.fetchval(
        "SELECT body FROM kept WHERE owner = $1 AND name = $2", owner, name
    )
    return body


async def names(db: Connection, wanted: WantedNames) -> tuple[str, ...] | None:
    """None where there is nothing of the name `after`."""
    owner, labels, after, limit, newest_first = wanted
    values: list[object] = [owner, *labels]
    behind = ""
    compared, order = ("<", "DESC") if newest_first else (">", "ASC")
    if after is not None:
        place = await db.fetchval(_NUMBER, owner, after)
        if place is None:
            return None
        values.append(place)
        behind = f" AND first.number {compared} ${len(values)}"
    others = "".join(_HAS_LABEL.format(place=each + 3) for each in range(len(labels) - 1))
    values.append(limit)
    found = await db.fetch(
        f"{_NAMES}{behind}{others} ORDER BY first.number {order} LIMIT ${len(values)}", *values
    )
    return tuple(name for (name,) in found)


async def forget(db: Connection, owner: str, name: str) -> bool:
    gone = await db.fetchval("DELETE FROM kept WHERE owner = $1 AND name = $2 RETURNING 1", owner, name)
    return gone is not None


async def drop(db: Connection, before_ms: int) -> int:
    """Some of what was kept before then, the oldest first; how many."""
    gone: int = await db.fetchval(_DROP_OLD, before_ms)
    return gone


async def without_room(db: Connection, size: int) -> int | None:
    """Of what takes more than so many bytes together: the number before which there is no room. None where
    all there is has room. What is kept beside a session takes none: it is small, and bounded by the sessions.
    """
    below: int | None = None
    while True:
        over, last, taken = await db.fetchrow(_ROOM_BELOW, below, _SIZES_AT_ONCE, size)
        if over is not None:
            return int(over) + 1
        if last is None:
            return None
        below, size = last, size - taken


async def drop_below(db: Connection, number: int) -> int:
    """Some of what was kept before that, the oldest first, but for what is kept beside sessions; how many."""
    gone: int = await db.fetchval(_DROP_BELOW, number)
    return gone
