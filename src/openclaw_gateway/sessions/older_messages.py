"""Entries as earlier releases wrote them: an assistant's text, calls and reasoning side by side, in no order.

Pure. Such a message stands under the role "assistant", one of today under "model"; it is read into today's
shape whenever it is read, and never rewritten. Which model made it was not recorded but in its sealed
reasoning, which is dropped: nobody can say whether today's model would take it back.
"""

import msgspec
from msgspec import Struct

from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)


class _Call(Struct):
    id: str
    name: str
    arguments: str


class _Assistant(Struct, tag_field="role", tag="assistant"):
    content: str = ""
    tool_calls: tuple[_Call, ...] = ()
    reasoning: str | None = None
    name: str | None = None
    aborted: bool = False


class _Entry(Struct):
    seq: int
    run_id: str
    message: SystemMessage | UserMessage | ToolMessage | AssistantMessage | _Assistant
    alone: bool = False
    taken_from: str = ""


_decode = msgspec.json.Decoder(_Entry).decode
_decode_all = msgspec.json.Decoder(tuple[_Entry, ...]).decode


def decode_entry(body: bytes) -> Entry:
    """An entry of any release. Raises what msgspec raises."""
    return _today(_decode(body))


def decode_entries(body: bytes) -> tuple[Entry, ...]:
    """A JSON array of them."""
    return tuple(map(_today, _decode_all(body)))


def _today(entry: _Entry) -> Entry:
    return Entry(entry.seq, entry.run_id, _message(entry.message), entry.alone, entry.taken_from)


def _message(message: Message | _Assistant) -> Message:
    if not isinstance(message, _Assistant):
        return message
    calls = [ToolCall(call.id, call.name, call.arguments) for call in message.tool_calls]
    return assistant(
        message.content, calls, message.reasoning or "", name=message.name, aborted=message.aborted
    )
