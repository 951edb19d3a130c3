"""Between rows of the SQLite store and the structs of the Store protocol.

No statement is run here. One encoder and one decoder per stored type, made once. What a damaged disk has
made unreadable costs itself: an entry is replaced by one that says so, a usage or an error is left out.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import msgspec
import structlog
from msgspec import Struct

from openclaw_gateway.sessions.older_messages import decode_entries, decode_entry
from openclaw_gateway.sessions.sqlite.schema import seq_of, session_of
from openclaw_gateway.sessions.store import Entry, RunRecord, SessionRecord
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import Media, Message, SystemMessage, media_of
from openclaw_gateway.wire.run import RunStatus, Usage

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

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode
_decode_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_decode_usage = msgspec.json.Decoder(Usage).decode
_decode_error = msgspec.json.Decoder(ErrorInfo).decode

T = TypeVar("T")
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
    """The entries `after` < seq <= `until` of one session; rows that are damaged or lost say so.

    All entries in one decode, unless something is wrong.
    """
    if len(found) == until - after:
        together = b"[" + b",".join([body for _, body in found]) + b"]"
        read = _readable(_decode_entries, together)
        if read is None:
            read = _readable(decode_entries, together)
        if read is not None and len(read) == len(found):
            return read
    bodies = {seq_of(place): body for place, body in found}
    whole: list[Entry] = []
    for seq in range(after + 1, until + 1):
        entry = _readable(decode_entry, bodies[seq]) if seq in bodies else None
        if entry is None:
            log.error("store.entry_damaged", seq=seq, code="store_corrupt")
            # Beside its neighbours, so that a turn stays in one piece.
            entry = Entry(seq, whole[-1].run_id if whole else "", SystemMessage(_damaged(seq)))
        whole.append(entry)
    return tuple(whole)


def blobs_of(message: Message) -> Sequence[Media]:
    """What of a message lies in files beside it."""
    media = media_of(message)
    return [one for one in media if one.digest] if media else ()


def run_record(row: RunRow) -> RunRecord:
    usage, error, digest, parent, name, answered_by, _ = row[7:]
    return RunRecord(
        *row[:7],
        usage=None if usage is None else _readable(_decode_usage, usage),
        error=None if error is None else _readable(_decode_error, error),
        digest=digest,
        parent=parent,
        name=name,
        answered_by=answered_by,
    )


def session_record(row: SessionRow) -> SessionRecord:
    return SessionRecord(*row)


def encode(value: Struct) -> bytearray:
    """To be bound: sqlite3 looks for an adapter of `bytes`, which takes longer than a copy."""
    return bytearray(_encode(value))


def _readable(decode: Callable[[bytes], T], body: bytes) -> T | None:
    try:
        return decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _damaged(seq: int) -> str:
    return f"[Message {seq} of this conversation is damaged in the store and cannot be read.]"
