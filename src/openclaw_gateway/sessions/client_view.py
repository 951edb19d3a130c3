"""A transcript as the client saw it, to compare with what the client resends; and tool results that fit.

Pure. The client never saw the agent's own tool calls: it saw the text of all rounds of a run as one
message, a blank line between them, and the calls of its own tools.
"""

from collections.abc import Sequence
from itertools import islice

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolMessage, assistant

BETWEEN_ROUNDS = "\n\n"


def as_seen(stored: Sequence[Message]) -> Sequence[Message]:
    """`stored` without the agent's own calls and results, rounds of one answer joined."""
    return seen_with_places(stored)[0]


def seen_with_places(stored: Sequence[Message]) -> tuple[Sequence[Message], Sequence[int]]:
    """The same, and where in `stored` each message that was seen begins. Notes were not seen."""
    if any(type(m) is AssistantMessage and m.note for m in stored):
        known = [place for place, m in enumerate(stored) if not (type(m) is AssistantMessage and m.note)]
        seen, places = _seen([stored[place] for place in known])
        return seen, [known[place] for place in places]
    return _seen(stored)


def _seen(stored: Sequence[Message]) -> tuple[Sequence[Message], Sequence[int]]:
    if not any(type(m) is ToolMessage and m.own for m in stored):
        return stored, range(len(stored))
    seen: list[Message] = []
    places: list[int] = []
    texts: list[str] = []  # of the rounds of the answer that is the newest message seen
    goes_on = False
    for place, message in enumerate(stored):
        if isinstance(message, ToolMessage) and message.own:
            continue
        if isinstance(message, AssistantMessage):
            own = _own_calls(stored, place)
            calls = tuple(call for call in message.tool_calls if call.id not in own)
            has_own = len(calls) != len(message.tool_calls)
            shown: Message = assistant(message.content, calls, name=message.name) if has_own else message
            if goes_on:
                seen.pop()
            else:
                texts = []
                places.append(place)
            texts.append(message.content)
            # Rounds join until one ends without a call of the agent's own, or with one of the client's.
            goes_on = has_own and not calls
            if not goes_on and len(texts) > 1:
                shown = _joined(texts, shown)
            seen.append(shown)
            continue
        if goes_on:
            seen[-1] = _joined(texts, seen[-1])
            goes_on = False
        seen.append(message)
        places.append(place)
    if goes_on:
        seen[-1] = _joined(texts, seen[-1])
    return seen, places


def without_orphans(before: Sequence[Message], sent: Sequence[Message]) -> tuple[Message, ...]:
    """`sent` without the results of calls that stand neither in it nor in `before`: clients cut the beginning
    of what they resend wherever it is long enough.

    Raises InvalidRequest (unknown_tool_call_id) where such a result is what the client now asks about.
    """
    if ToolMessage not in map(type, sent):
        return tuple(sent)
    called: set[str] = set()
    for message in before:
        _add_calls(called, message)
    left: list[Message] = []
    for message in sent:
        _add_calls(called, message)
        if not isinstance(message, ToolMessage) or message.tool_call_id in called:
            left.append(message)
    last = sent[-1]
    nothing_left = not left or isinstance(left[-1], AssistantMessage)
    if nothing_left and isinstance(last, ToolMessage) and last.tool_call_id not in called:
        raise _unknown_call(last)
    return tuple(left)


def _unknown_call(result: ToolMessage) -> InvalidRequest:
    return InvalidRequest(
        f"The result for '{result.tool_call_id[:80]}' answers no call in this conversation: send the "
        "assistant's message with that call before it.",
        code="unknown_tool_call_id",
        param="messages",
    )


def check_tool_results(messages: Sequence[Message]) -> None:
    """Raises InvalidRequest (missing_tool_results) when the conversation ends with the results of some calls
    of a message but not of all; it names the ids."""
    if not messages or not isinstance(messages[-1], ToolMessage):
        return
    open_calls: dict[str, None] = {}
    for message in messages:
        if isinstance(message, AssistantMessage):
            open_calls = dict.fromkeys(call.id for call in message.tool_calls)
        elif isinstance(message, ToolMessage):
            open_calls.pop(message.tool_call_id, None)
    if open_calls:
        some = ", ".join(call_id[:80] for call_id in islice(open_calls, 10))
        raise InvalidRequest(
            f"The calls {some} have no result yet: send the results of all calls of a message together, or a "
            "user message to go on without them.",
            code="missing_tool_results",
            param="messages",
        )


def _add_calls(called: set[str], message: Message) -> None:
    if isinstance(message, AssistantMessage):
        called.update(call.id for call in message.tool_calls)


def _own_calls(stored: Sequence[Message], place: int) -> set[str]:
    """Ids of the agent's own calls in the message at `place`; another message may have used them too."""
    own: set[str] = set()
    for at in range(place + 1, len(stored)):
        result = stored[at]
        if not isinstance(result, ToolMessage):
            break
        if result.own:
            own.add(result.tool_call_id)
    return own


def _joined(texts: Sequence[str], last: Message) -> Message:
    text = BETWEEN_ROUNDS.join(filter(None, texts))
    if isinstance(last, AssistantMessage):
        return assistant(text, last.tool_calls, name=last.name, aborted=last.aborted)
    return last
