"""What of a session stands, and what is new to it, when a client has sent so many messages of it.

Pure. Clients resend all of a conversation, its last part, an edited copy, or only the new message. What is
sent again is the truth: the session is left at the first difference, so that a model never sees what was
edited, deleted or is to be answered anew. The rules, first match wins:

1. One message alone is added, unless the client is known to send all (`is_whole`): then it is all there is.
2. The beginnings are compared. What came alone (`alone`), by a client that sends only its newest message,
   is passed over, the question with its answer: whoever resends the rest does not know of it. Who sends the
   question knows of it, and means with it what is sent of the answer, or that it is made anew. If
   nothing else of the session is left, what follows is new; else the session is left there.
3. Where a longer run at the very start of what was sent equals the session's end, a client that may cut off
   the beginning has done so: what follows the run is new. A client that sends all, always (`is_whole` and not
   `is_windowed`), has no such beginning any more: somebody has deleted it, and rule 2 holds.
4. Nothing at the beginning is the same. A client that sends all means just that; so does one that sends
   the session's own end with another beginning (that run needs two messages, or one long one, because
   "Done." proves nothing). Else it is another conversation in one session, and added: rather a message twice
   than one lost.

The last message is what the run must answer, so it is new even if it was said before ("yes", "yes"),
unless the session ends with that very message, unanswered. What is the same message, `same_message` says.
"""

from collections.abc import Sequence
from typing import NamedTuple

from openclaw_gateway.sessions.client_view import seen_with_places
from openclaw_gateway.sessions.same_message import known_by_content, same
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolMessage, UserMessage

_PROOF_CHARS = 40  # an answer this long is not repeated by chance
_MAX_RUNS = 64  # places where a run is looked for, so that the cost stays linear


class Told(NamedTuple):
    """The first `kept` messages of the session stand; `new` follows them."""

    kept: int
    new: tuple[Message, ...]


def reconcile(
    stored: Sequence[Message],
    sent: Sequence[Message],
    *,
    is_whole: bool = False,
    is_windowed: bool = False,
    is_later: bool = False,
    alone: Sequence[bool] = (),
) -> Told:
    """`alone` says of each stored message whether it came alone; empty = none did. `is_later`: `stored` is
    not from the beginning, but what comes after a summary, and `is_end` has said that this is enough."""
    kept, first = _place(
        stored,
        known_by_content(sent, stored),
        is_whole=is_whole,
        is_windowed=is_windowed,
        is_later=is_later,
        alone=alone,
    )
    return Told(kept, tuple(sent[first:]))


def _place(
    stored: Sequence[Message],
    sent: Sequence[Message],
    *,
    is_whole: bool,
    is_windowed: bool,
    is_later: bool,
    alone: Sequence[bool],
) -> tuple[int, int]:
    """How many of the stored stand, and the index of the first of `sent` that follows them."""
    if not sent or not stored:
        return len(stored), 0
    if len(sent) == 1 and not is_whole:
        is_unanswered = same(stored[-1], sent[0]) and not isinstance(sent[0], AssistantMessage)
        return len(stored), int(is_unanswered)
    is_exact = is_whole and not is_windowed
    kept, first = (0, 0) if is_later else _beginning(stored, sent, alone, is_exact=is_exact)
    if is_exact and not is_later:
        return _answering(stored, sent, kept, first)
    cut = _after_end_of(stored, sent)
    if cut.is_at_start and cut.length > first:
        kept, first = len(stored), cut.length
    elif first == 0 and not is_whole and not cut.length:
        kept = len(stored)
    return _answering(stored, sent, kept, first)


def is_end(stored: Sequence[Message], sent: Sequence[Message]) -> bool:
    """Whether what was sent begins with the end of `stored`: nothing before that needs to be looked at."""
    return bool(stored) and _after_end_of(stored, known_by_content(sent, stored)).is_at_start


def joined(before: Sequence[Message], sent: Sequence[Message]) -> tuple[Message, ...]:
    """A conversation that a client goes on with by the name of its last answer, and what it sends with that:
    only what is new, or by mistake again what the answer's conversation ends with, or all of it, perhaps
    edited. Without an answer among it nothing is sent again: the same question is asked anew."""
    if not before or not any(isinstance(message, AssistantMessage) for message in sent[:-1]):
        return (*before, *sent)
    seen, places = seen_with_places(before)
    known = known_by_content(sent, seen)
    run = _after_end_of(seen, known)
    kept, first = _beginning(seen, known, (), is_exact=False)
    if run.is_at_start and run.length >= first:
        kept, first = len(seen), run.length
    if not any(isinstance(message, AssistantMessage) for message in sent[:first]):
        return (*before, *sent)
    kept, first = _answering(seen, known, kept, first)
    return (*before[: places[kept] if kept < len(seen) else len(before)], *sent[first:])


def from_question(sent: Sequence[Message], new: Sequence[Message]) -> tuple[Message, ...]:
    """`new`, the end of `sent`, for a model that is shown nothing before: from a question on."""
    first = len(sent) - (len(new) or 1)
    while first > 0 and not isinstance(sent[first], UserMessage):
        first -= 1
    return tuple(sent[first:])


def _beginning(
    stored: Sequence[Message], sent: Sequence[Message], alone: Sequence[bool], *, is_exact: bool
) -> tuple[int, int]:
    """Rule 2: how many of the stored stand, and the index of the first of `sent` that is new."""
    kept = first = 0
    while kept < len(stored):
        if first < len(sent) and same(stored[kept], sent[first], is_exact=is_exact):
            first += 1
            kept += 1
        elif (behind := _behind_alone(stored, alone, kept)) > kept:
            kept = behind
        else:
            break
    return kept, first


def _behind_alone(stored: Sequence[Message], alone: Sequence[bool], place: int) -> int:
    """Where the turn ends that came alone and begins at `place`; `place` where none does."""
    if not alone or not alone[place] or not isinstance(stored[place], UserMessage):
        return place
    place += 1
    while place < len(stored) and alone[place] and not isinstance(stored[place], UserMessage):
        place += 1
    return place


class _Run(NamedTuple):
    length: int
    is_at_start: bool


def _after_end_of(stored: Sequence[Message], sent: Sequence[Message]) -> _Run:
    """The longest believed run of `sent` that equals the end of `stored`."""
    best, runs = _Run(0, is_at_start=False), 0
    last = stored[-1]
    for end in range(len(sent) - 1, -1, -1):
        if end + 1 < best.length or runs == _MAX_RUNS:
            break
        if not same(last, sent[end]):
            continue
        runs += 1
        length = 1
        while length <= end and length < len(stored) and same(stored[-1 - length], sent[end - length]):
            length += 1
        is_at_start = length == end + 1
        if not is_at_start and length == 1 and len(sent[end].content) < _PROOF_CHARS:
            continue
        if length > best.length or (length == best.length and is_at_start):
            best = _Run(length, is_at_start)
    return best


def _answering(stored: Sequence[Message], sent: Sequence[Message], kept: int, first: int) -> tuple[int, int]:
    """With the last message new, unless it waits for its answer; and no result of a tool without its call."""
    last = sent[-1]
    if first == len(sent) and not isinstance(last, AssistantMessage):
        if kept == len(stored):
            if same(stored[-1], last):
                return kept, first
            first -= 1
        else:
            first -= 1
            kept = max(0, kept - 1)
            while kept > 0 and not same(stored[kept], last):
                kept -= 1
    if first < len(sent):
        result = sent[first]
        if isinstance(result, ToolMessage) and not _awaits(stored[:kept], result):
            while first > 0 and isinstance(sent[first], ToolMessage):
                first -= 1
    return kept, first


def _awaits(stored: Sequence[Message], result: ToolMessage) -> bool:
    """Whether the transcript ends with the call that `result` answers."""
    for message in reversed(stored):
        if not isinstance(message, ToolMessage):
            return isinstance(message, AssistantMessage) and any(
                call.id == result.tool_call_id for call in message.tool_calls
            )
    return False
