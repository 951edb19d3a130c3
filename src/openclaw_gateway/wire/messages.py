"""The messages of a conversation, as they are stored and as the model dialects receive them.

Roles are a closed set; vendor spellings (developer, function, input_text …) are gone by the time a
message has one of these shapes. Content is plain text: doors join text parts with a newline; images
stand beside it, in order.
"""

from msgspec import Struct


class ToolCall(Struct, frozen=True, omit_defaults=True):
    """One call the model made. `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


class Image(Struct, frozen=True, omit_defaults=True):
    """`data` is base64 without line breaks; `media_type` such as image/png.

    A store may keep the data of a large one beside the conversation: then `data` is "", `digest` names it
    (SHA-256 of the base64 text, in hex) and `size` is its length. `Store.whole` puts it back.
    """

    media_type: str
    data: str = ""
    digest: str = ""
    size: int = 0


class ReasoningBlock(Struct, frozen=True, omit_defaults=True):
    """Reasoning that its vendor wants back as it was: only the dialect `api` that made it resends it.

    `signature` is the vendor's seal or encrypted content; `id` its name for the block.
    """

    api: str
    text: str = ""
    signature: str = ""
    id: str = ""


class SystemMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="system"):
    content: str


class UserMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="user"):
    content: str
    name: str | None = None
    images: tuple[Image, ...] = ()


class AssistantMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="assistant"):
    """`aborted` marks text that was cut off because the run was aborted."""

    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str | None = None
    name: str | None = None
    aborted: bool = False
    blocks: tuple[ReasoningBlock, ...] = ()


class ToolMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="tool"):
    """`own` marks the result of one of the agent's own tools: the client never saw it, nor its call."""

    tool_call_id: str
    content: str
    name: str | None = None
    is_error: bool = False
    own: bool = False


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage
