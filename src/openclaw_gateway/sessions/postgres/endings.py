"""What the PostgreSQL store does to runs that end: finish, conclude, withdraw, close.

Each is one function of schema/0004, one transaction and one round trip. Knows nothing of pools.
"""

from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Connection
from msgspec.structs import replace

from openclaw_gateway.errors import GatewayError
from openclaw_gateway.sessions import refused, stored
from openclaw_gateway.sessions.postgres import hearing
from openclaw_gateway.sessions.postgres.runs import Who
from openclaw_gateway.sessions.postgres.texts import written_list
from openclaw_gateway.sessions.postgres.together import SMALL_BYTES
from openclaw_gateway.sessions.shared import ATTEMPTS
from openclaw_gateway.sessions.store import Claim, Ending, Entry, Released
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunStatus, Usage

BRANCH_LABEL = "earlier branch"
_FINISH = (
    "SELECT * FROM finish_run("
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
)
_FINISH_ALL = "SELECT * FROM finish_runs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
# Who has had it before may not end it either where it is nobody's now, or his again; and is told so where
# another has ended it. Under its lock: whoever has it by then is not looked for in what was so before.
_CONCLUDE = (
    "WITH own AS MATERIALIZED (SELECT token, status FROM runs WHERE id = $2 AND session IS NULL FOR UPDATE) "
    "SELECT CASE WHEN $8::bigint IS NOT NULL AND EXISTS (SELECT 1 FROM own WHERE coalesce(token, 0) <> $8 "
    "OR status = 'interrupted' OR (status = 'aborted' AND $4::text <> 'aborted')) THEN 'fenced' "
    "ELSE conclude_run($1, $2, $3, $4, $5, $6, $7) END"
)
# One that is heard is looked for under no name: it stays as it is.
_WITHDRAW = (
    f"WITH locked AS MATERIALIZED ({hearing.LOCKED}) "  # noqa: S608
    "SELECT ended.*, is_heard FROM (SELECT EXISTS (SELECT 1 FROM locked WHERE is_heard) AS is_heard) AS own, "
    "withdraw_run($1, CASE WHEN is_heard THEN NULL ELSE $2 END, $3, $4) AS ended"
)
_CLOSE_OWN = (
    "SELECT close_runs($1, ARRAY(SELECT number FROM runs WHERE ended_ms IS NULL AND replica = $2 "
    "ORDER BY number LIMIT 500), $2, $3, $4)"
)
_CLOSE_NOBODYS = "SELECT close_nobodys($1, $2, $3, $4)"
_DISOWN = "SELECT disown_runs($1, $2, $3, $4)"
_INTERRUPTED = stored.encode(stored.INTERRUPTED)
_UNUSED = stored.encode(Usage())
# How an entry begins; its number is known where it is written.
_NUMBERED = b'{"seq":0'


class Finishing(NamedTuple):
    """A run that is to end. What is large of its turn is set aside already; `bodies` are its entries without
    their beginning."""

    claim: Claim
    ending: Ending
    bodies: list[bytes]


def finishing(claim: Claim, ending: Ending) -> Finishing:
    """Raises ValueError for a status that is no end."""
    stored.require_ended(ending.status)
    return Finishing(claim, ending, _bodies(claim.run_id, ending))


def goes_together(one: Finishing) -> bool:
    """Whether it may end in one act with runs of other sessions."""
    ending = one.ending
    return (
        ending.keeps is None
        and not ending.taken
        and sum(map(len, one.bodies)) + len(ending.result or b"") <= SMALL_BYTES
        and not any(stored.blobs_of(message) for message in ending.turn)
    )


async def finish(db: Connection, who: Who, one: Finishing) -> Released:
    claim, ending, bodies = one
    large = [one for message in ending.turn for one in stored.blobs_of(message)]
    taken = ending.taken
    used = ending.usage
    final_seq, next_run = await db.fetchrow(
        _FINISH,
        who.at_ms,
        claim.owner,
        claim.session,
        claim.token,
        claim.run_id,
        ending.status,
        stored.encode(used),
        _encoded(ending.error),
        bodies,
        [one.digest for one in large] if large else None,
        [one.size for one in large] if large else None,
        ending.result,
        used.prompt_tokens,
        used.completion_tokens,
        used.total_tokens,
        ending.keeps,
        BRANCH_LABEL,
        written_list(each.run_id for each in taken) if taken else None,
        [each.result for each in taken] if taken else None,
        _UNUSED,
    )
    if final_seq is None:
        raise refused.fenced()
    return Released(final_seq, next_run)


async def finish_all(
    db: Connection, who: Who, ended: Sequence[Finishing]
) -> list[Released | GatewayError | None]:
    """For each what it has come to or is refused with. All or none."""
    claims = [one.claim for one in ended]
    endings = [one.ending for one in ended]
    used = [ending.usage for ending in endings]
    bodies: list[bytes] = []
    ends: list[int] = []
    for one in ended:
        bodies += one.bodies
        ends.append(len(bodies))
    found = await db.fetch(
        _FINISH_ALL,
        who.at_ms,
        written_list(claim.owner for claim in claims),
        written_list(claim.session for claim in claims),
        [claim.token for claim in claims],
        written_list(claim.run_id for claim in claims),
        [ending.status for ending in endings],
        [stored.encode(each) for each in used],
        [_encoded(ending.error) for ending in endings],
        bodies,
        ends,
        [ending.result for ending in endings],
        [each.prompt_tokens for each in used],
        [each.completion_tokens for each in used],
        [each.total_tokens for each in used],
    )
    return [refused.fenced() if row[0] is None else Released(row[0], row[1]) for row in found]


async def conclude(db: Connection, who: Who, run_id: str, ending: Ending, token: int | None) -> None:
    stored.require_ended(ending.status)
    usage, error = stored.encode(ending.usage), _encoded(ending.error)
    outcome = await db.fetchval(
        _CONCLUDE, who.at_ms, run_id, who.replica, ending.status, usage, error, ending.result, token
    )
    if outcome == "refused":
        raise refused.not_waiting()
    if outcome == "fenced":
        raise refused.taken_up()


async def withdraw(
    db: Connection, who: Who, run_id: str, status: RunStatus, error: ErrorInfo | None
) -> Released:
    stored.require_ended(status)
    last_seq, next_run, is_heard = await db.fetchrow(_WITHDRAW, who.at_ms, run_id, status, _encoded(error))
    if is_heard:
        raise refused.heard()
    if last_seq is None:
        raise refused.not_waiting()
    return Released(last_seq, next_run)


async def close_own(db: Connection, who: Who) -> int:
    """Close as interrupted every run of this process that is still open; how many."""
    return await _repeated(db, _CLOSE_OWN, who)


async def close_nobodys(db: Connection, who: Who) -> int:
    """Close as interrupted what processes that have gone left open, and nobody is to execute; how many."""
    return await _repeated(db, _CLOSE_NOBODYS, who)


async def disown(db: Connection, who: Who, run_ids: list[str]) -> int:
    """Close as interrupted those of these runs that are open after all: nobody heard that they were begun."""
    closed: int = await db.fetchval(_DISOWN, who.at_ms, written_list(run_ids), who.replica, _INTERRUPTED)
    return closed


async def _repeated(db: Connection, close: str, who: Who) -> int:
    closed = 0
    while some := await db.fetchval(close, who.at_ms, who.replica, ATTEMPTS, _INTERRUPTED):
        closed += some
    return closed


def _bodies(run_id: str, ending: Ending) -> list[bytes]:
    """The entries of the turn without their beginning."""
    taken_from = {each.at: each.run_id for each in ending.taken if each.at is not None}
    bodies = []
    for at, message in enumerate(ending.turn):
        entry = Entry(0, run_id, message, ending.alone)
        if at in taken_from:
            entry = replace(entry, taken_from=taken_from[at])
        bodies.append(stored.encode(entry)[len(_NUMBERED) :])
    return bodies


def _encoded(error: ErrorInfo | None) -> bytes | None:
    return None if error is None else stored.encode(error)
