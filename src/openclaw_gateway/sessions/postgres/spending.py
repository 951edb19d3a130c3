"""What the PostgreSQL store sums of its ledger, a bounded part of it at a time: each is a short statement.

A row that is written or dropped meanwhile is counted or not.
"""

from typing import NamedTuple

from asyncpg import Connection

from openclaw_gateway.sessions.postgres.texts import written_list
from openclaw_gateway.sessions.spending import SpendingWanted, Spent, added

ROWS_AT_ONCE = 100_000
# Behind a place means: later, or as late and further on.
_WITHIN = "started_ms < $3 AND (started_ms, number) > ($1, $2)"
_NEXT = (
    f"SELECT started_ms, number FROM ledger WHERE {_WITHIN} "  # noqa: S608 - our own text
    "ORDER BY started_ms, number LIMIT 1 OFFSET $4"
)
_SUM = (
    "SELECT agent, model, {session}, count(*), count(*) FILTER (WHERE status = 'failed'), "
    "count(*) FILTER (WHERE cost IS NULL), sum(prompt_tokens)::bigint, sum(completion_tokens)::bigint, "
    "coalesce(sum(cost), 0), min(started_ms), max(started_ms), sum(cached_tokens)::bigint, "
    "sum(cache_write_tokens)::bigint, sum(called)::bigint "
    "FROM ledger WHERE {within} AND (started_ms, number) <= ($4, $5) "
    "AND owner = $6 AND ($7::text IS NULL OR agent = $7) AND {only} GROUP BY 1, 2, 3"
)
_OF_ALL = _SUM.format(within=_WITHIN, session="NULL::text", only="$8::text[] IS NULL")
_OF_SESSIONS = _SUM.format(within=_WITHIN, session="session", only="session = ANY($8::text[])")


class Place(NamedTuple):
    """Behind which row of the ledger one goes on."""

    started_ms: int
    number: int


async def part(
    db: Connection, wanted: SpendingWanted, after: Place | None
) -> tuple[tuple[Spent, ...], Place | None]:
    """The sums of the next rows, and where to go on; None = that was all."""
    at = after or Place(wanted.since_ms, -1)
    row = await db.fetchrow(_NEXT, *at, wanted.until_ms, ROWS_AT_ONCE - 1)
    last = None if row is None else Place(*row)
    until = last or Place(wanted.until_ms, 0)
    sessions = None if wanted.sessions is None else written_list(wanted.sessions)
    query = _OF_ALL if sessions is None else _OF_SESSIONS
    found = await db.fetch(query, *at, wanted.until_ms, *until, wanted.owner, wanted.agent, sessions)
    return tuple(Spent(*each) for each in found), last


async def spent(db: Connection, wanted: SpendingWanted) -> tuple[Spent, ...]:
    """By agent and model; what took most tokens first."""
    parts, after = await part(db, wanted, None)
    while after is not None:
        more, after = await part(db, wanted, after)
        parts = added((*parts, *more))
    return added(parts)
