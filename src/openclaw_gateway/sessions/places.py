"""Places in a transcript, by the ids that clients are shown; and where a fork from one begins.

Pure. An id is the run that left a message, and the message's number: where a session has gone on from an
earlier message since, another run has left what stands at that number, and the id is of nothing any more.
"""

from collections.abc import Sequence

from msgspec import Struct

from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.wire.messages import ToolMessage, UserMessage

_MOST_DIGITS = 10


class Cut(Struct, frozen=True):
    """A fork has the first `keeps` entries; `asked` is the user's message behind them, to be said anew."""

    keeps: int
    asked: UserMessage | None = None


def place_id(entry: Entry) -> str:
    return f"{entry.run_id}:{entry.seq}"


def place_of(name: str) -> tuple[str, int] | None:
    """(run id, number) of an id; None where it is none."""
    run_id, _, number = name.rpartition(":")
    if not run_id or len(number) > _MOST_DIGITS or not (number.isascii() and number.isdecimal()):
        return None
    return (run_id, int(number)) if int(number) else None


def cut_at(entries: Sequence[Entry]) -> Cut:
    """Where a fork from the first of these entries begins, of which the others follow it: before a question,
    which is asked anew, and behind an answer with the results of the tools that it called."""
    first = entries[0]
    if isinstance(first.message, UserMessage):
        return Cut(first.seq - 1, first.message)
    keeps = first.seq
    for entry in entries[1:]:
        if not isinstance(entry.message, ToolMessage):
            break
        keeps = entry.seq
    return Cut(keeps)
