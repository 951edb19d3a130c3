"""The messages of a conversation, as they are stored and as the model dialects receive them.

Roles are a closed set; vendor spellings (developer, function, input_text …) are gone by the time a
message has one of these shapes. What people and tools say is plain text, images and files beside it, in
order: doors join text parts with a newline. What a model says is a sequence of parts, as it came.
"""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType


class Text(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="text"):
    """`payload`, here and in the other parts, is JSON that the vendor wants back with the part, in a shape
    that only the dialect knows which made it; it means nothing to any other provider or model."""

    text: str
    payload: Raw | UnsetType = UNSET


class Reasoning(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="reasoning"):
    """`text` is "" where the vendor keeps what the model thought to itself."""

    text: str = ""
    payload: Raw | UnsetType = UNSET


class ToolCall(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call"):
    """One call the model made. `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str
    payload: Raw | UnsetType = UNSET


Part = Text | Reasoning | ToolCall


class MadeBy(Struct, frozen=True):
    """The model that said something, as it was asked: `api` is the dialect's name."""

    provider: str
    api: str
    model: str


class Media(Struct, frozen=True, omit_defaults=True):
    """`data` is base64 without line breaks; `media_type` such as image/png. Without `data` and `digest` it is
    not to be had.

    A store may keep the data of a large one beside the conversation: then `data` is "", `digest` names it
    (SHA-256 of the base64 text, in hex) and `size` is its length. `Store.whole` puts it back.
    """

    media_type: str
    data: str = ""
    digest: str = ""
    size: int = 0


class Image(Media, frozen=True, omit_defaults=True):
    """One of the kinds that models see."""


class File(Media, frozen=True, omit_defaults=True):
    """A document, or a recording. `text` is what it says, as far as that was read: of a text file all there
    is, of a PDF for models that do not take it as it is."""

    name: str = ""
    text: str = ""


M = TypeVar("M", bound=Media)


class SystemMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="system"):
    content: str


class UserMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="user"):
    content: str
    name: str | None = None
    images: tuple[Image, ...] = ()
    files: tuple[File, ...] = ()


class AssistantMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="model"):
    """What a model said in one answer, in its order. `made_by` is None where a client says that it was said.
    `aborted` marks text that was cut off because the run was aborted. A `note` was written into the
    transcript by its owner: no model has said it, and a client that resends its history does not know it.

    (Stored under the role "model"; what stands under "assistant" is in the shape before this one:
    `sessions/older_messages`.)
    """

    parts: tuple[Part, ...] = ()
    name: str | None = None
    aborted: bool = False
    made_by: MadeBy | None = None
    note: bool = False

    @property
    def content(self) -> str:
        """All of the text."""
        parts = self.parts
        if len(parts) == 1 and type(parts[0]) is Text:
            return parts[0].text
        return "".join([part.text for part in parts if type(part) is Text])

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple([part for part in self.parts if type(part) is ToolCall])

    @property
    def reasoning(self) -> str:
        """All that was thought, as far as it was told."""
        return "".join([part.text for part in self.parts if type(part) is Reasoning])


def assistant(
    text: str = "",
    calls: Sequence[ToolCall] = (),
    reasoning: str = "",
    *,
    name: str | None = None,
    aborted: bool = False,
) -> AssistantMessage:
    """An answer whose order nobody has told: reasoning, text, calls."""
    parts: list[Part] = [Reasoning(reasoning)] if reasoning else []
    if text:
        parts.append(Text(text))
    return AssistantMessage((*parts, *calls), name, aborted)


class ToolMessage(Struct, frozen=True, omit_defaults=True, tag_field="role", tag="tool"):
    """`own` marks the result of one of the agent's own tools: the client never saw it, nor its call."""

    tool_call_id: str
    content: str
    name: str | None = None
    is_error: bool = False
    own: bool = False
    images: tuple[Image, ...] = ()


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage
WithImages = UserMessage | ToolMessage


def media_of(message: Message) -> Sequence[Media]:
    """All that a message brings besides text."""
    if type(message) is UserMessage:
        return (*message.images, *message.files) if message.files else message.images
    return message.images if type(message) is ToolMessage else ()
