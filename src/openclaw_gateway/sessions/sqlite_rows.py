"""Between rows of the SQLite store and the structs of the Store protocol.

No statement is run here. One encoder and one decoder per stored type, made once.
"""

import sqlite3
from typing import NamedTuple

import msgspec

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.store import Entry, RunRecord, SessionRecord
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunStatus, Usage

RUN_COLUMNS = (
    "runs.id, runs.owner, (SELECT key FROM sessions WHERE number = runs.session), runs.agent, "
    "runs.status, runs.created_ms, runs.ended_ms, runs.usage, runs.error"
)
SESSION_COLUMNS = (
    "sessions.key, sessions.owner, sessions.agent, sessions.created_ms, sessions.updated_ms, "
    "sessions.last_seq, sessions.parent, sessions.label, "
    "CASE WHEN lease_until_ms IS NULL THEN NULL ELSE (SELECT id FROM runs WHERE number = token) END, "
    "sessions.prompt_tokens, sessions.completion_tokens, sessions.total_tokens"
)

HOLD = (
    "SELECT number, last_seq, covered_seq, updated_ms, token, lease_until_ms, waiting, owner FROM sessions "
)

encode = msgspec.json.Encoder().encode
_decode_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_decode_usage = msgspec.json.Decoder(Usage).decode
_decode_error = msgspec.json.Decoder(ErrorInfo).decode

RunRow = tuple[str, str, str, str, RunStatus, int, int | None, bytes | None, bytes | None]
SessionRow = tuple[str, str, str, int, int, int, str | None, str | None, str | None, int, int, int]


class Hold(NamedTuple):
    """What a run needs to know of its session: who holds it, who waits, how much was said."""

    number: int
    last_seq: int
    covered_seq: int
    updated_ms: int
    token: int
    lease_until_ms: int | None
    waiting: int
    owner: str


def entries(bodies: list[tuple[bytes]]) -> tuple[Entry, ...]:
    """All entries of a transcript in one decode."""
    return _decode_entries(b"[" + b",".join([body for (body,) in bodies]) + b"]")


def run_record(row: RunRow) -> RunRecord:
    usage, error = row[7:]
    return RunRecord(
        *row[:7],
        usage=None if usage is None else _decode_usage(usage),
        error=None if error is None else _decode_error(error),
    )


def session_record(row: SessionRow) -> SessionRecord:
    return SessionRecord(*row)


def new_number(db: sqlite3.Cursor) -> int:
    """The number of the row that was just inserted."""
    number = db.lastrowid
    if number is None:
        raise StoreError("The session store lost the number of a new row: see the gateway's log.")
    return number
