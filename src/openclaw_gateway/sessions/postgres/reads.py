"""What the PostgreSQL store looks up: transcripts, sessions, runs, results. Knows nothing of pools."""

from asyncpg import Connection

from openclaw_gateway.sessions import stored
from openclaw_gateway.sessions.postgres import rows
from openclaw_gateway.sessions.store import Entry, RunRecord, SessionRecord, Summary
from openclaw_gateway.sessions.wanted import WantedRuns, WantedSessions

_PAGE_BYTES = 1 << 20
_PAGE_ENTRIES = 256
# The first of the entries, until they are a page: one at least.
_PAGE = f"""
    SELECT seq, body FROM (
        SELECT seq, body, sum(length(body)) OVER (ORDER BY seq) - length(body) AS before FROM (
            SELECT seq, body FROM entries WHERE session = $1 AND seq > $2 AND seq <= $3
            ORDER BY seq LIMIT {_PAGE_ENTRIES}
        ) AS first
    ) AS measured WHERE before < {_PAGE_BYTES} ORDER BY seq
"""  # noqa: S608 - of constants
_NUMBER = "SELECT number, last_seq FROM sessions WHERE owner = $1 AND key = $2"
_ENTRIES = "SELECT seq, body FROM entries WHERE session = $1 AND seq > $2 AND seq <= $3 ORDER BY seq"
_SUMMARY_UNTIL = (
    "SELECT until.* FROM sessions, summary_until(number, $3) AS until WHERE owner = $1 AND key = $2"
)
_BEGUN_BEHIND = (
    "SELECT max(seq) FROM summaries JOIN sessions ON sessions.number = summaries.session "
    "WHERE owner = $1 AND key = $2 AND text = ''"
)
_OPEN_RUNS = (
    "SELECT runs.id FROM sessions JOIN runs ON runs.session = sessions.number "
    "WHERE sessions.owner = $1 AND key = $2 AND ended_ms IS NULL ORDER BY runs.number"
)
_RESULT = (
    "SELECT body FROM results JOIN runs USING (number) WHERE runs.id = $1 AND runs.owner = $2 AND "
    "(runs.session IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE sessions.number = runs.session))"
)


async def page(db: Connection, session: int, after: int, until: int) -> tuple[Entry, ...]:
    """The first of these entries, at least one of them."""
    found = await db.fetch(_PAGE, session, after, until)
    # An entry that is lost leaves a gap: it is told of.
    last = found[-1][0] if found else min(until, after + _PAGE_ENTRIES)
    return _entries(found, after, last)


async def transcript(db: Connection, owner: str, session: str, after: int, limit: int) -> tuple[Entry, ...]:
    row = await db.fetchrow(_NUMBER, owner, session)
    if row is None:
        return ()
    number, last_seq = row
    after = max(after, 0)
    until = max(after, min(after + limit, last_seq))
    return _entries(await db.fetch(_ENTRIES, number, after, until), after, until) if until > after else ()


async def summary_until(db: Connection, owner: str, session: str, seq: int) -> Summary | None:
    row = await db.fetchrow(_SUMMARY_UNTIL, owner, session, seq)
    return None if row is None or row[0] is None else Summary(row[0], row[1])


async def begun_behind(db: Connection, owner: str, session: str) -> int:
    seq: int | None = await db.fetchval(_BEGUN_BEHIND, owner, session)
    return seq or 0


async def list_sessions(db: Connection, wanted: WantedSessions) -> tuple[SessionRecord, ...]:
    values: list[object] = [wanted.owner]
    told = ["owner = $1"]
    if wanted.agent is not None:
        values.append(wanted.agent)
        told.append(f"agent = ${len(values)}")
    order, compared = ("ASC", ">") if wanted.oldest_first else ("DESC", "<")
    if wanted.after is not None:
        place = await db.fetchrow(
            "SELECT updated_ms, number FROM sessions WHERE owner = $1 AND key = $2",
            wanted.owner,
            wanted.after,
        )
        if place is None:
            return ()
        values += place
        told.append(f"(updated_ms, number) {compared} (${len(values) - 1}, ${len(values)})")
    if not wanted.branches:
        told.append("parent IS NULL")
    values += (wanted.limit, wanted.offset)
    listed = await db.fetch(
        f"{rows.SESSIONS} WHERE {' AND '.join(told)} ORDER BY updated_ms {order}, number {order} "
        f"LIMIT ${len(values) - 1} OFFSET ${len(values)}",
        *values,
    )
    return tuple(map(rows.session_record, listed))


async def count_sessions(db: Connection, owner: str, agent: str | None) -> int:
    count: int = (
        await db.fetchval("SELECT count(*) FROM sessions WHERE owner = $1", owner)
        if agent is None
        else await db.fetchval("SELECT count(*) FROM sessions WHERE owner = $1 AND agent = $2", owner, agent)
    )
    return count


async def get_session(db: Connection, owner: str, session: str) -> SessionRecord | None:
    row = await db.fetchrow(rows.SESSIONS + "WHERE owner = $1 AND key = $2", owner, session)
    return None if row is None else rows.session_record(row)


async def open_runs(db: Connection, owner: str, session: str) -> tuple[str, ...]:
    return tuple([run_id for (run_id,) in await db.fetch(_OPEN_RUNS, owner, session)])


async def runs_of(db: Connection, wanted: WantedRuns) -> tuple[RunRecord, ...]:
    row = await db.fetchrow(_NUMBER, wanted.owner, wanted.session)
    if row is None:
        return ()
    order, compared = ("DESC", "<") if wanted.newest_first else ("ASC", ">")
    session = row[0]
    values, behind = [session, wanted.limit], ""
    if wanted.after is not None:
        last = await db.fetchval(
            "SELECT number FROM runs WHERE id = $1 AND session = $2", wanted.after, session
        )
        if last is None:
            return ()
        values, behind = [session, wanted.limit, last], f"AND runs.number {compared} $3 "
    found = await db.fetch(
        f"{rows.RUNS}AND runs.session = $1 {behind}ORDER BY runs.number {order} LIMIT $2", *values
    )
    return tuple(map(rows.run_record, found))


async def get_run(db: Connection, owner: str, run_id: str) -> RunRecord | None:
    row = await db.fetchrow(rows.RUNS + "AND runs.id = $1 AND runs.owner = $2", run_id, owner)
    return None if row is None else rows.run_record(row)


async def run_by_key(db: Connection, owner: str, key: str) -> RunRecord | None:
    row = await db.fetchrow(
        rows.RUNS + "AND runs.owner = $1 AND idempotency_key = $2 ORDER BY runs.number DESC LIMIT 1",
        owner,
        key,
    )
    return None if row is None else rows.run_record(row)


async def result(db: Connection, owner: str, run_id: str) -> bytes | None:
    body: bytes | None = await db.fetchval(_RESULT, run_id, owner)
    return body


def _entries(found: list[tuple[int, bytes]], after: int, until: int) -> tuple[Entry, ...]:
    return stored.entries([body for _, body in found], lambda: [seq for seq, _ in found], after, until)
