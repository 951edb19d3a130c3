"""How what is said stands in every store: as JSON; and what becomes of what is damaged there.

Pure. One encoder and one decoder per stored type, made once. What a damaged disk has made unreadable costs
itself: an entry is replaced by one that says so, a usage or an error is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
import structlog

from openclaw_gateway.sessions.older_messages import decode_entries, decode_entry
from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import Media, Message, SystemMessage, media_of
from openclaw_gateway.wire.run import RunStatus, Usage

OPEN_STATES = ("queued", "running")
INTERRUPTED = ErrorInfo(
    message="The gateway stopped before this run had ended: send the request again.",
    type="api_error",
    code="run_interrupted",
    status=503,
    retry_after=1.0,
    retryable=True,
)
LEASE_LOST = ErrorInfo(
    message="This run lost its session to the next one, because its lease ran out: send the request again.",
    type="api_error",
    code="run_interrupted",
    status=503,
    retry_after=1.0,
    retryable=True,
)

log = structlog.get_logger()
encode = msgspec.json.Encoder().encode
_decode_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_decode_usage = msgspec.json.Decoder(Usage).decode
_decode_error = msgspec.json.Decoder(ErrorInfo).decode

T = TypeVar("T")


def entries(
    bodies: Sequence[bytes], seqs: Callable[[], Iterable[int]], after: int, until: int
) -> tuple[Entry, ...]:
    """The entries `after` < seq <= `until` of one session; those that are damaged or lost say so. `seqs`
    gives the number of each body, where it must be known.

    All entries in one decode, unless something is wrong.
    """
    if len(bodies) == until - after:
        read = joined(b",".join(bodies), until - after)
        if read is not None:
            return read
    found = dict(zip(seqs(), bodies, strict=True))
    whole: list[Entry] = []
    for seq in range(after + 1, until + 1):
        entry = _readable(decode_entry, found[seq]) if seq in found else None
        if entry is None:
            log.error("store.entry_damaged", seq=seq, code="store_corrupt")
            # Beside its neighbours, so that a turn stays in one piece.
            entry = Entry(seq, whole[-1].run_id if whole else "", SystemMessage(_damaged(seq)))
        whole.append(entry)
    return tuple(whole)


def joined(bodies: bytes, count: int) -> tuple[Entry, ...] | None:
    """So many entries with commas between them; None where they cannot all be read."""
    together = b"[" + bodies + b"]"
    read = _readable(_decode_entries, together)
    if read is None:
        read = _readable(decode_entries, together)
    return read if read is not None and len(read) == count else None


def lost_summary(covers_to_seq: int) -> str:
    """In the place of a summary that is not to be found."""
    log.error("store.summary_damaged", covers_to_seq=covers_to_seq, code="store_corrupt")
    return "[The summary of the earlier conversation is damaged in the store and cannot be read.]"


def usage(body: bytes | None) -> Usage | None:
    return None if body is None else _readable(_decode_usage, body)


def error(body: bytes | None) -> ErrorInfo | None:
    return None if body is None else _readable(_decode_error, body)


def blobs_of(message: Message) -> Sequence[Media]:
    """What of a message lies beside it."""
    media = media_of(message)
    return [one for one in media if one.digest] if media else ()


def require_ended(status: RunStatus) -> None:
    """Raises ValueError."""
    if status in OPEN_STATES:
        raise ValueError(f"a run cannot end as {status!r}")


def _readable(decode: Callable[[bytes], T], body: bytes) -> T | None:
    try:
        return decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _damaged(seq: int) -> str:
    return f"[Message {seq} of this conversation is damaged in the store and cannot be read.]"
