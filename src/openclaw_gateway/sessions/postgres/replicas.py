"""What the replicas of one gateway have in common, in the PostgreSQL store: who lives, what is taken up.
Each act is one function of schema/0005 or one statement. Knows nothing of pools.
"""

from collections.abc import Mapping

from asyncpg import Connection

from openclaw_gateway.sessions import refused
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.postgres import endings, rows
from openclaw_gateway.sessions.postgres.runs import LOST, Who
from openclaw_gateway.sessions.postgres.texts import written_list
from openclaw_gateway.sessions.shared import ATTEMPTS, Replica, Work
from openclaw_gateway.sessions.store import Claim

_BEAT = "SELECT beat_replica($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_REPLICAS = (
    "SELECT id, role, version, address, started_ms, runs, most FROM replicas "
    "WHERE lease_until_ms > now_ms($1) ORDER BY started_ms, id"
)
_HAS_WORK = (
    "SELECT EXISTS (SELECT 1 FROM runs WHERE ended_ms IS NULL AND replica IS DISTINCT FROM $2 "
    "AND is_nobodys(runs, now_ms($1)))"
)
# The later of both ends: see is_nobodys in schema/0003.
_WORK_IN = (
    "SELECT min(free_ms) - now FROM now_ms($1) AS now, LATERAL ("
    "  SELECT greatest(replicas.lease_until_ms, sessions.lease_until_ms) AS free_ms"
    "  FROM replicas JOIN runs ON runs.replica = replicas.id AND runs.ended_ms IS NULL"
    "  LEFT JOIN sessions ON sessions.number = runs.session AND sessions.holder = runs.number"
    "  WHERE replicas.id <> $2 AND replicas.lease_until_ms <= now + $3) AS late "
    "WHERE free_ms > now - $4 GROUP BY now"
)
_TAKE_UP = "SELECT * FROM take_up_run($1, $2, $3, $4, $5, $6, $7)"
_WORK = "SELECT work FROM runs WHERE id = $1 AND owner = $2 AND ended_ms IS NULL"
_WISHES = (
    "SELECT id, unasked FROM runs "
    "WHERE ended_ms IS NULL AND replica = $1 AND session IS NULL AND abort_requested ORDER BY number"
)
# One that is nobody's, under the same token, was handed over by this process.
_LOST = (
    "SELECT runs.id FROM runs "
    "JOIN unnest($2::text[], $3::text[]) AS executed (id, token) ON executed.id = runs.id "
    "WHERE ended_ms IS NOT NULL OR replica <> $1 "
    "OR coalesce(runs.token, 0) <> executed.token::bigint"
)
_ACTS = "UPDATE runs SET acted = true WHERE id = $1 AND replica = $2 AND ended_ms IS NULL RETURNING 1"


async def beat(db: Connection, who: Who, replica: Replica, lease_s: float) -> None:
    """`who` is what this process was called until now."""
    await db.execute(
        _BEAT,
        who.at_ms,
        replica.id,
        replica.role,
        replica.version,
        replica.address,
        replica.started_ms,
        replica.runs,
        replica.most,
        int(lease_s * 1000),
        who.replica,
    )


async def leave(db: Connection, who: Who) -> None:
    await db.execute("SELECT leave_replicas($1)", who.replica)
    await endings.close_nobodys(db, who)


async def living(db: Connection, at_ms: int | None) -> tuple[Replica, ...]:
    return tuple(Replica(*row) for row in await db.fetch(_REPLICAS, at_ms))


async def has_work(db: Connection, who: Who) -> bool:
    found: bool = await db.fetchval(_HAS_WORK, who.at_ms, who.replica)
    return found


async def work_in(db: Connection, who: Who, within_s: float, since_s: float) -> float | None:
    within_ms, since_ms = int(within_s * 1000), int(since_s * 1000)
    left_ms: int | None = await db.fetchval(_WORK_IN, who.at_ms, who.replica, within_ms, since_ms)
    return None if left_ms is None else max(left_ms, 0) / 1000


async def take_up(db: Connection, who: Who, lease_s: float, ticket: str, *, again: bool) -> Work | None:
    """`again`: nobody has heard what the call with this ticket has taken up."""
    row = await db.fetchrow(
        _TAKE_UP, who.at_ms, who.replica, int(lease_s * 1000), ATTEMPTS, LOST, ticket, again
    )
    run_id, owner, session, body, attempt, token = row[:6]
    if run_id is None:
        return None
    claimed = None
    if session is not None:
        claimed = rows.claimed(Claim(run_id, owner, session, token, lease_s), row)
    return Work(run_id, owner, session, body, attempt, token, claimed)


async def wishes(db: Connection, who: Who) -> tuple[tuple[str, Signal], ...]:
    found = await db.fetch(_WISHES, who.replica)
    return tuple((run_id, "leave" if unasked else "abort") for run_id, unasked in found)


async def lost(db: Connection, who: Who, executed: Mapping[str, int]) -> frozenset[str]:
    tokens = [str(token) for token in executed.values()]
    found = await db.fetch(_LOST, who.replica, written_list(executed), tokens)
    return frozenset(run_id for (run_id,) in found)


async def work(db: Connection, owner: str, run_id: str) -> bytes | None:
    body: bytes | None = await db.fetchval(_WORK, run_id, owner)
    return body


async def acts(db: Connection, who: Who, run_id: str) -> None:
    if await db.fetchval(_ACTS, run_id, who.replica) is None:
        raise refused.taken_up()


async def hand_over(db: Connection, who: Who, run_id: str) -> bool:
    is_given_up: bool = await db.fetchval("SELECT hand_over_run($1, $2)", run_id, who.replica)
    return is_given_up
