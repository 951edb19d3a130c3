"""The messages of a conversation, as they are stored and as the model dialects receive them.

Roles are a closed set; vendor spellings (developer, function, input_text …) are gone by the time a
message has one of these shapes. Content is plain text: doors join text parts with a newline.
"""

from msgspec import Struct


class ToolCall(Struct, frozen=True, omit_defaults=True):
    """One call the model made. `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


class SystemMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="system"):
    content: str


class UserMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="user"):
    content: str
    name: str | None = None


class AssistantMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="assistant"):
    """`aborted` marks text that was cut off because the run was aborted."""

    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str | None = None
    name: str | None = None
    aborted: bool = False


class ToolMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="tool"):
    tool_call_id: str
    content: str
    name: str | None = None


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage
