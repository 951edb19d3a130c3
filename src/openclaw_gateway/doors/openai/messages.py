"""OpenAI chat messages to ours.

Pure. Accepts what real clients send: text or parts, developer and function roles, null content beside
tool calls, extra fields. System and developer texts are taken out and joined, in order; every other
message keeps its role.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from openclaw_gateway.doors.openai.files import NamedFile, Sound, audio_of, file_of
from openclaw_gateway.doors.openai.files import check_count as check_files
from openclaw_gateway.doors.openai.images import check_count, image_of
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Image,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)


class ImageUrl(Struct, frozen=True):
    url: str


class Part(Struct, frozen=True):
    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    image_url: str | ImageUrl | None = None
    file: NamedFile | None = None
    input_audio: Sound | None = None


class CalledFunction(Struct, frozen=True):
    name: str
    arguments: str | None = None


class WireCall(Struct, frozen=True):
    id: str
    function: CalledFunction


class ChatMessage(Struct, frozen=True):
    """A message as it comes; unknown fields are ignored."""

    role: str
    content: str | list[Part] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[WireCall] | None = None
    function_call: CalledFunction | None = None
    reasoning_content: str | None = None
    refusal: str | None = None


MAX_MESSAGES = 10_000
MAX_CALLS = 128
CHAT_MESSAGES = msgspec.json.Decoder(list[ChatMessage])
_TEXT_PARTS = {"text", "input_text", "output_text", None}
_IMAGE_PARTS = {"image_url", "input_image"}
_FILE_PARTS = {"file", "input_audio"}
_ASIDE = _IMAGE_PARTS | _FILE_PARTS


def translate(sent: Sequence[ChatMessage]) -> tuple[str, tuple[Message, ...], bool]:
    """(the client's instructions, the conversation, whether it brings more than text). Raises InvalidRequest
    naming the message."""
    if len(sent) > MAX_MESSAGES:
        raise InvalidRequest(
            f"`messages` may hold at most {MAX_MESSAGES:,} messages: send the newest ones.", param="messages"
        )
    instructions: list[str] = []
    conversation: list[Message] = []
    brings = False
    newest: dict[str, str] = {}  # of each function's name, the id of the newest call
    for index, message in enumerate(sent):
        where = f"messages[{index}]"
        text = _text(message, where)
        match message.role:
            case "system" | "developer":
                if text:
                    instructions.append(text)
            case "user":
                asked = _asked(message, text, where)
                brings |= bool(asked.images or asked.files)
                conversation.append(asked)
            case "assistant":
                said = _assistant(message, text, index)
                newest.update((call.name, call.id) for call in reversed(said.tool_calls))
                conversation.append(said)
            case "tool":
                conversation.append(_tool(message, text, where))
            case "function":
                called = newest.get(message.name or "")
                if called is not None:
                    conversation.append(ToolMessage(called, text, message.name))
                elif index == len(sent) - 1:
                    raise _no_such_call(message, where)
            case role:
                raise InvalidRequest(
                    f"`{where}.role`: {role[:40]!r} is no role. Use system, developer, user, assistant, "
                    "tool or function.",
                    param=f"{where}.role",
                )
    if not asks_something(conversation):
        raise missing_user_message("messages")
    return "\n\n".join(instructions), tuple(conversation), brings


def _text(message: ChatMessage, where: str) -> str:
    content = message.content
    if content is None or isinstance(content, str):
        return content or message.refusal or ""
    texts = []
    for index, part in enumerate(content):
        if part.type in _ASIDE and message.role == "user":
            continue
        if part.type not in _TEXT_PARTS and part.type != "refusal":
            raise InvalidRequest(
                f"`{where}.content[{index}]`: parts of type {str(part.type)[:40]!r} are not accepted; this "
                "endpoint takes text parts, and image_url, file and input_audio parts of user messages.",
                code="unsupported_content_part",
                param=f"{where}.content[{index}]",
            )
        texts.append(part.text or part.refusal or "")
    return "\n".join(texts)


def _asked(message: ChatMessage, text: str, where: str) -> UserMessage:
    if type(message.content) is not list:
        return UserMessage(text, message.name)
    files = tuple(_files(message.content, where))
    check_files(len(files), where)
    return UserMessage(text, message.name, _images(message.content, where), files)


def _images(content: Sequence[Part], where: str) -> tuple[Image, ...]:
    images = []
    for index, part in enumerate(content):
        if part.type in _IMAGE_PARTS:
            url = part.image_url.url if isinstance(part.image_url, ImageUrl) else part.image_url
            images.append(image_of(url or "", f"{where}.content[{index}]"))
    check_count(len(images))
    return tuple(images)


def _files(content: Sequence[Part], where: str) -> Iterator[File]:
    for index, part in enumerate(content):
        if part.type == "file":
            yield file_of(part.file, f"{where}.content[{index}]")
        elif part.type == "input_audio":
            yield audio_of(part.input_audio, f"{where}.content[{index}]")


def _assistant(message: ChatMessage, text: str, index: int) -> AssistantMessage:
    if message.tool_calls and len(message.tool_calls) > MAX_CALLS:
        raise InvalidRequest(
            f"`messages[{index}].tool_calls` may hold at most {MAX_CALLS} calls.",
            param=f"messages[{index}].tool_calls",
        )
    calls = [
        ToolCall(call.id, call.function.name, call.function.arguments or "{}")
        for call in message.tool_calls or ()
    ]
    if message.function_call is not None:
        call = message.function_call
        calls.append(ToolCall(f"call_fn_{index}", call.name, call.arguments or "{}"))
    return assistant(text, calls, message.reasoning_content or "", name=message.name)


def _tool(message: ChatMessage, text: str, where: str) -> ToolMessage:
    if not message.tool_call_id:
        raise InvalidRequest(
            f"`{where}.tool_call_id` is missing: a tool message names the call it answers.",
            param=f"{where}.tool_call_id",
        )
    return ToolMessage(message.tool_call_id, text, message.name)


def _no_such_call(message: ChatMessage, where: str) -> InvalidRequest:
    return InvalidRequest(
        f"`{where}.name`: no earlier assistant message calls the function {str(message.name)[:64]!r}.",
        param=f"{where}.name",
    )


def asks_something(conversation: Sequence[Message]) -> bool:
    """Whether there is anything to answer in it, or to go on with."""
    return any(map(_asks, conversation)) or _goes_on(conversation)


def missing_user_message(param: str) -> InvalidRequest:
    return InvalidRequest(
        f"Missing user message in `{param}`: send at least one message with text whose role is user.",
        code="missing_user_message",
        param=param,
    )


def _goes_on(conversation: Sequence[Message]) -> bool:
    """Whether it is the assistant's words alone: what clients that cut a conversation may have left of it."""
    if not all(isinstance(message, AssistantMessage) for message in conversation):
        return False
    return any(message.content.strip() for message in conversation)


def _asks(message: Message) -> bool:
    """Whether there is something to answer in it."""
    match message:
        case UserMessage():
            return bool(message.content.strip() or message.images or message.files)
        case ToolMessage():
            return True
        case _:
            return False
