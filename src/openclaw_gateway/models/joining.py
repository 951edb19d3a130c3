"""What one read of a provider's answer has brought is one delta of each kind, not one for each word.

Pure. A delta costs each floor above something, and each client a frame; nobody sees it sooner because it
comes in pieces. What came in two reads stays two deltas.
"""

from collections.abc import Sequence

from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallArguments


def joined(events: Sequence[Event]) -> list[Event]:
    """The same events, where deltas that follow each other and say more of the same thing are one."""
    before: type[Event] | None = None
    for event in events:
        if type(event) is before:
            break
        before = type(event)
    else:
        return list(events)
    whole: list[Event] = []
    pieces: list[str] = []
    last: Event | None = None
    for event in events:
        if isinstance(event, (TextDelta, ReasoningDelta, ToolCallArguments)):
            if last is None or not _continues(last, event):
                _end(last, pieces, whole)
                last = event
            pieces.append(event.text)
        else:
            _end(last, pieces, whole)
            last = None
            whole.append(event)
    _end(last, pieces, whole)
    return whole


def _continues(one: Event, other: Event) -> bool:
    if isinstance(one, ToolCallArguments):
        return isinstance(other, ToolCallArguments) and one.index == other.index
    return type(one) is type(other)


def _end(first: Event | None, pieces: list[str], whole: list[Event]) -> None:
    match first:
        case TextDelta():
            whole.append(TextDelta("".join(pieces)))
        case ReasoningDelta():
            whole.append(ReasoningDelta("".join(pieces)))
        case ToolCallArguments(index=index):
            whole.append(ToolCallArguments(index, "".join(pieces)))
        case _:
            return
    pieces.clear()
