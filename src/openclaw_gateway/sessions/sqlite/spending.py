"""What the SQLite store sums of its ledger, on the reader thread, a bounded part of it at a time.

Sees every commit that was answered before it began; a row that is dropped meanwhile is not counted.
"""

import sqlite3
from typing import NamedTuple

import msgspec

from openclaw_gateway.sessions.spending import SpendingWanted, Spent

# A part: some ten milliseconds of the thread, for which others wait.
ROWS_AT_ONCE = 20_000
# Behind a place means: later, or as late and further on. The first condition is what the index is for.
_WITHIN = "started_ms >= ?1 AND started_ms < ?3 AND (started_ms > ?1 OR number > ?2)"
_NEXT = "SELECT started_ms, number FROM ledger WHERE {within} ORDER BY started_ms, number LIMIT 1 OFFSET ?4"
_SUM = (
    "SELECT agent, model, {session} AS of_session, count(*), sum(status = 'failed'), sum(cost IS NULL), "
    "sum(prompt_tokens), sum(completion_tokens), total(cost), min(started_ms), max(started_ms), "
    "sum(cached_tokens), sum(cache_write_tokens), sum(called) "
    "FROM ledger WHERE {within} AND (started_ms < ?4 OR (started_ms = ?4 AND number <= ?5)) "
    "AND owner = ?6 AND (?7 IS NULL OR agent = ?7) AND {only} GROUP BY agent, model, of_session"
)
_OF_SESSION = "session IN (SELECT value FROM json_each(?8))"
_FIND_NEXT = _NEXT.format(within=_WITHIN)
_OF_ALL = _SUM.format(within=_WITHIN, session="NULL", only="?8 IS NULL")
_OF_SESSIONS = _SUM.format(within=_WITHIN, session="session", only=_OF_SESSION)


class Place(NamedTuple):
    """Behind which row of the ledger one goes on."""

    started_ms: int
    number: int


def part(
    db: sqlite3.Cursor, wanted: SpendingWanted, after: Place | None
) -> tuple[tuple[Spent, ...], Place | None]:
    """The sums of the next rows, and where to go on; None = that was all."""
    at = after or Place(wanted.since_ms, -1)
    row = db.execute(_FIND_NEXT, (*at, wanted.until_ms, ROWS_AT_ONCE - 1)).fetchone()
    last = None if row is None else Place(*row)
    until = last or Place(wanted.until_ms, 0)
    sessions = None if wanted.sessions is None else msgspec.json.encode(wanted.sessions).decode()
    query = _OF_ALL if sessions is None else _OF_SESSIONS
    found = db.execute(query, (*at, wanted.until_ms, *until, wanted.owner, wanted.agent, sessions))
    return tuple(Spent(*each) for each in found.fetchall()), last
