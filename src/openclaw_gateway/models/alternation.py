"""A conversation for templates that count roles: user and assistant by turns, results behind their calls.

Pure; the last step of `replay`, for the families that want it. It must not know any of them.
"""

from collections.abc import Sequence
from itertools import groupby

from msgspec.structs import replace

from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    Part,
    SystemMessage,
    Text,
    ToolMessage,
    UserMessage,
)

NOTHING = "(nothing)"
"""For a turn that has to be there, and has nothing to say."""

_GO_ON = "(Go on.)"
_BRIDGE = "(The results have been read.)"


def by_turns(messages: Sequence[Message]) -> list[Message]:
    """Neighbours of one role are one; a turn that is missing is put there. Never ends with an answer."""
    made: list[Message] = [message for message in messages if isinstance(message, SystemMessage)]
    turns = (message for message in messages if not isinstance(message, SystemMessage))
    last: type[Message] | None = None
    for kind, group in groupby(turns, type):
        said = list(group)
        if kind is UserMessage:
            if last is ToolMessage:
                made.append(AssistantMessage((Text(_BRIDGE),)))
            made.append(_one_question(said))
        elif kind is AssistantMessage:
            if last is None:
                made.append(UserMessage(NOTHING))
            made.append(_one_answer(said))
        else:
            made += said
        last = kind
    if last is AssistantMessage:
        made.append(UserMessage(_GO_ON))
    return made


def _one_question(messages: Sequence[Message]) -> UserMessage:
    said = [message for message in messages if isinstance(message, UserMessage)]
    if len(said) == 1:
        return said[0]
    names = {message.name for message in said}
    images = tuple(image for message in said for image in message.images)
    files = tuple(file for message in said for file in message.files)
    content = "\n\n".join(filter(None, (message.content for message in said)))
    return UserMessage(content, names.pop() if len(names) == 1 else None, images, files)


def _one_answer(messages: Sequence[Message]) -> AssistantMessage:
    said = [message for message in messages if isinstance(message, AssistantMessage)]
    parts: list[Part] = []
    for message in said:
        parts += [Text("\n\n"), *message.parts] if parts else message.parts
    return said[0] if len(said) == 1 else replace(said[-1], parts=tuple(parts))
