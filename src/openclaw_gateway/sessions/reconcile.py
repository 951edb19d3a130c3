"""Which of the messages a client sent are new to its session.

Pure. Clients resend all of a conversation, its last part, an edited copy, or only the new message; the
result is always the tail of what was sent, from the first message the transcript does not have. The
rules: the first, else what of the next two leaves less, else the last.

1. `sent` begins with the whole transcript: what follows is new.
2. A run of sent messages equals the end of the transcript: what follows the longest such run is new. A
   run at the very start of `sent` (truncated history) is always believed. One further in means that the
   client edited something before it: the transcript keeps its own version of the past. Such a run needs
   two messages, or one long one, because "Done." proves nothing.
3. The first sent messages all stand in the transcript, in order, with others between them (two chats in
   one session, tool calls the client never saw): what follows is new.
4. Otherwise all of it is new: rather a message twice than one lost.

The last message is what the run must answer, so it is new even if it was said before ("yes", "yes"),
unless the transcript ends with that very message, unanswered. Forks are not detected: an edited question
is added to the conversation, it does not replace the old one.
"""

from collections.abc import Sequence

from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolMessage, UserMessage

_PROOF_CHARS = 40  # an answer this long is not repeated by chance
_MAX_RUNS = 64  # places where the end of the transcript is looked for, so that the cost stays linear
_LOOK_BACK = 2000  # how many entries rule 3 looks at, beyond as many as were sent
_HEAD = 256  # characters that tell most texts apart


def reconcile(stored: Sequence[Message], sent: Sequence[Message]) -> tuple[Message, ...]:
    """The tail of `sent` to add to `stored`. One new message costs O(1)."""
    if len(sent) > 1 and stored:
        return _with_its_call(stored, sent, _first_new(stored, sent))
    if sent and stored and _same(stored[-1], sent[0]) and not isinstance(sent[0], AssistantMessage):
        return ()
    return tuple(sent)


def after_covered(covered: Sequence[Message], sent: Sequence[Message]) -> tuple[Message, ...]:
    """The same when a model is no longer shown `covered`: the tail stands on its own, from a question on."""
    first = len(sent) - (len(reconcile(covered, sent)) or 1)
    while first > 0 and not isinstance(sent[first], UserMessage):
        first -= 1
    return tuple(sent[first:])


def _first_new(stored: Sequence[Message], sent: Sequence[Message]) -> int:
    common = 0
    for ours, theirs in zip(stored, sent, strict=False):
        if not _same(ours, theirs):
            break
        common += 1
    if common == len(stored):
        return common
    after_end = _after_end_of(stored, sent)
    if after_end >= len(sent) - 1:
        return after_end
    return max(after_end, _after_known(stored, sent, common))


def _after_end_of(stored: Sequence[Message], sent: Sequence[Message]) -> int:
    """Rule 2: the index behind the longest believed run that equals the end of `stored`; 0 = none."""
    best = best_length = runs = 0
    last = stored[-1]
    for end in range(len(sent) - 1, -1, -1):
        if end + 1 < best_length or runs == _MAX_RUNS:
            break
        if not _same(last, sent[end]):
            continue
        runs += 1
        length = 1
        while length <= end and length < len(stored) and _same(stored[-1 - length], sent[end - length]):
            length += 1
        is_at_start = length == end + 1
        if not is_at_start and length == 1 and len(sent[end].content) < _PROOF_CHARS:
            continue
        if length > best_length or (length == best_length and is_at_start):
            best, best_length = end + 1, length
    return best


def _after_known(stored: Sequence[Message], sent: Sequence[Message], common: int) -> int:
    """Rule 3: how many of the first sent messages stand in `stored` in that order."""
    known = common
    place = max(common, len(stored) - len(sent) - _LOOK_BACK)
    while place < len(stored) and known < len(sent):
        if _same(stored[place], sent[known]):
            known += 1
        place += 1
    return known


def _with_its_call(stored: Sequence[Message], sent: Sequence[Message], first: int) -> tuple[Message, ...]:
    """The tail from `first`, but never without the last message, nor a tool result without its call."""
    if first == len(sent) and not isinstance(sent[-1], AssistantMessage) and not _same(stored[-1], sent[-1]):
        first -= 1
    if first < len(sent):
        result = sent[first]
        if isinstance(result, ToolMessage) and not _awaits(stored, result):
            while first > 0 and isinstance(sent[first], ToolMessage):
                first -= 1
    return tuple(sent[first:])


def _awaits(stored: Sequence[Message], result: ToolMessage) -> bool:
    """Whether the transcript ends with the call that `result` answers."""
    for message in reversed(stored):
        if not isinstance(message, ToolMessage):
            return isinstance(message, AssistantMessage) and any(
                call.id == result.tool_call_id for call in message.tool_calls
            )
    return False


def _same(ours: Message, theirs: Message) -> bool:
    """Whether both say the same, as far as a client resends it."""
    if ours == theirs:
        return True
    if isinstance(ours, AssistantMessage):
        return isinstance(theirs, AssistantMessage) and _same_answer(ours, theirs)
    if isinstance(ours, UserMessage):
        return (
            isinstance(theirs, UserMessage)
            and ours.name == theirs.name
            and _same_text(ours.content, theirs.content)
        )
    if isinstance(ours, ToolMessage):
        return (
            isinstance(theirs, ToolMessage)
            and ours.tool_call_id == theirs.tool_call_id
            and _same_text(ours.content, theirs.content)
        )
    return False


def _same_answer(ours: AssistantMessage, theirs: AssistantMessage) -> bool:
    """Reasoning and names are not resent; the arguments of calls are, but as JSON written anew."""
    if len(ours.tool_calls) != len(theirs.tool_calls):
        return False
    for call, other in zip(ours.tool_calls, theirs.tool_calls, strict=True):
        if call.id != other.id or call.name != other.name:
            return False
    if ours.aborted:
        return _one_begins_the_other(ours.content, theirs.content)
    return _same_text(ours.content, theirs.content)


def _same_text(ours: str, theirs: str) -> bool:
    """Equal but for white space. Most texts that differ do so early, and are told apart there."""
    if ours == theirs:
        return True
    first, other_first = ours[:1], theirs[:1]
    if first != other_first and not first.isspace() and not other_first.isspace():
        return False
    head, other = ours[:_HEAD].split(), theirs[:_HEAD].split()
    whole_words = min(len(head), len(other)) - 1
    if whole_words > 0 and head[:whole_words] != other[:whole_words]:
        return False
    return ours.split() == theirs.split()


def _one_begins_the_other(partial: str, text: str) -> bool:
    """A client may have seen a little more or a little less of an aborted answer than we kept."""
    ours, theirs = " ".join(partial.split()), " ".join(text.split())
    return ours != "" and theirs != "" and (ours.startswith(theirs) or theirs.startswith(ours))
