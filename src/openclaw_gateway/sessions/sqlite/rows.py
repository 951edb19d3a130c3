"""Between rows of the SQLite store and the structs of the Store protocol.

No statement is run here.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from openclaw_gateway.sessions import stored
from openclaw_gateway.sessions.sqlite.schema import seq_of, session_of
from openclaw_gateway.sessions.store import Entry, RunRecord, SessionRecord
from openclaw_gateway.wire.run import RunStatus

# A run whose session is deleted is gone, whether or not it is cleared away yet.
# S608: only our own column names are put into the text.
RUNS = (
    "SELECT runs.id, runs.owner, sessions.key, runs.agent, runs.status, runs.created_ms, runs.ended_ms, "
    "runs.usage, runs.error, runs.digest, runs.parent, runs.idempotency_key, "
    "CASE WHEN final_seq IS NULL THEN next_run END, runs.number "
    "FROM runs LEFT JOIN sessions ON sessions.number = runs.session "
    "WHERE (runs.session IS NULL OR sessions.number NOT NULL) "
)
SESSIONS = (
    "SELECT key, owner, agent, created_ms, sessions.updated_ms, last_seq, user, label, "
    "CASE WHEN lease_until_ms IS NULL THEN NULL ELSE (SELECT id FROM runs WHERE number = token) END, "
    "prompt_tokens, completion_tokens, total_tokens, parent FROM sessions "
)
# Python names the columns of a SELECT anew at each call, and each costs about as much as a look-up.
FREE = "SELECT sessions.number << 32 | last_seq, covered_seq, updated_ms, tail"
HELD = FREE + ", token, lease_until_ms, waiting"
HOLD = HELD + " FROM sessions "

EntryRow = tuple[int, bytes]
RunRow = tuple[
    str,
    str,
    str | None,
    str,
    RunStatus,
    int,
    int | None,
    bytes | None,
    bytes | None,
    bytes | None,
    str | None,
    str | None,
    str | None,
    int,
]
SessionRow = tuple[
    str, str, str, int, int, int, str | None, str | None, str | None, int, int, int, str | None
]


class Hold(NamedTuple):
    """What a run needs to know of its session: how much was said, who holds it, who waits.

    `place` is the id of its newest entry. The defaults are those of a session that is free.
    """

    place: int
    covered_seq: int
    updated_ms: int
    tail: int
    token: int = 0
    lease_until_ms: int | None = None
    waiting: int = 0

    @property
    def number(self) -> int:
        return session_of(self.place)

    @property
    def last_seq(self) -> int:
        return seq_of(self.place)


def entries(found: Sequence[EntryRow], after: int, until: int) -> tuple[Entry, ...]:
    """The entries `after` < seq <= `until` of one session; rows that are damaged or lost say so."""
    bodies = [body for _, body in found]
    return stored.entries(bodies, lambda: [seq_of(place) for place, _ in found], after, until)


def run_record(row: RunRow) -> RunRecord:
    usage, error, digest, parent, name, answered_by, _ = row[7:]
    return RunRecord(
        *row[:7],
        usage=stored.usage(usage),
        error=stored.error(error),
        digest=digest,
        parent=parent,
        name=name,
        answered_by=answered_by,
    )


def session_record(row: SessionRow) -> SessionRecord:
    return SessionRecord(*row)


def encode(value: Struct) -> bytearray:
    """To be bound: sqlite3 looks for an adapter of `bytes`, which takes longer than a copy."""
    return bytearray(stored.encode(value))
