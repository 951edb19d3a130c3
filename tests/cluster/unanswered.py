"""What there is to be seen of questions that have had no answer in time: how they were asked, what the store
has of them, and what the replicas said. For whoever looks for the cause; judges nothing.
"""

import time
from collections.abc import Sequence

import asyncpg

from tests.cluster.history import Asked
from tests.cluster.replicas import Replica

_MOST = 60
_RUNS = """
SELECT runs.id, idempotency_key, sessions.key AS session, status, abort_requested, replica, runs.token,
    sessions.token AS held_under, holder = runs.number AS holds, attempts, handed, acted, ticket,
    (extract(epoch FROM clock_timestamp()) * 1000 - runs.created_ms)::bigint AS age_ms,
    lease_until_ms - (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS lease_left_ms
FROM runs LEFT JOIN sessions ON sessions.number = runs.session WHERE ended_ms IS NULL ORDER BY runs.number
"""
_REPLICAS = """
SELECT id, role, runs, lease_until_ms - (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS left_ms
FROM replicas ORDER BY lease_until_ms DESC LIMIT 10
"""
_BUSY = """
SELECT pid, usename, state, wait_event_type, wait_event, now() - query_start AS since,
    left(query, 80) AS query
FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
"""


async def unanswered(url: str, asked: Sequence[Asked], replicas: Sequence[Replica]) -> str:
    """`url` is that of the database, with nothing between."""
    answered = {one.key for one in asked if one.answer is not None}
    now = time.monotonic()
    lines = [
        f"{one.key} at {one.replica}: {one.asked_s - now:.2f} to {one.heard_s - now:.2f} s, "
        f"{one.status} {one.why} {one.run_id}"
        for one in asked
        if one.key not in answered
    ]
    link = await asyncpg.connect(url)
    try:
        runs = await link.fetch(_RUNS)
        for rows in (runs, await link.fetch(_REPLICAS), await link.fetch(_BUSY)):
            lines += [str(dict(row)) for row in rows]
    finally:
        await link.close()
    names = [row["id"] for row in runs]
    for each in replicas:
        said = each.log.splitlines()
        lines += [f"{each.name}: {line}" for line in said if any(name in line for name in names)][-_MOST:]
        lines += [f"{each.name}, last: {line}" for line in said[-5:]]
    return "\n".join(lines)
