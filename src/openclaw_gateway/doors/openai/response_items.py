"""Items of the Responses API to our messages.

Pure. A conversation there is a flat list: messages, calls, results, reasoning. Neighbouring items of the
model's are one message, in their order. A reference to an item of a kept response is replaced by what
`known` has of it; what a vendor's own tools left behind is skipped and named.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.doors.openai.files import FORMATS, NamedFile, Sound, audio_of, file_of
from openclaw_gateway.doors.openai.files import check_count as check_files
from openclaw_gateway.doors.openai.images import check_count, image_of
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)

MAX_ITEMS = 20_000


class ItemPart(Struct, frozen=True):
    """A part of a message's content, or of what a tool gave back."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: Sound | None = None


# Only in items of a vendor's own tools, which are skipped.
_Odd = dict[str, Raw]
_Content = str | list[ItemPart] | _Odd | None


class Item(Struct, frozen=True):
    """An item as it comes; unknown fields are ignored. One without a type is a message."""

    type: str | None = None
    role: str | None = None
    content: _Content = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | _Odd | None = None
    output: _Content = None


ITEMS = msgspec.json.Decoder(str | list[Item])
_IMAGE = frozenset({"input_image"})
_ASIDE = _IMAGE | {"input_file", "input_audio"}
_TEXTS = {"input_text", "output_text", "text", "summary_text", None}


def references_in(sent: str | Sequence[Item]) -> frozenset[str]:
    """The ids of the items that are only named. Raises InvalidRequest for too many items."""
    if isinstance(sent, str):
        return frozenset()
    _check_items(sent)
    return frozenset(item.id for item in sent if item.type == "item_reference" and item.id is not None)


def conversation_of(
    sent: str | Sequence[Item], known: Mapping[str, Item]
) -> tuple[str, tuple[Message, ...], tuple[str, ...]]:
    """(what system and developer messages say, the conversation, types of items that were skipped).

    Raises InvalidRequest naming the item.
    """
    if isinstance(sent, str):
        return "", (UserMessage(sent),), ()
    _check_items(sent)
    instructions: list[str] = []
    messages: list[Message] = []
    said: list[Part] = []
    skipped: dict[str, None] = {}
    for index, named in enumerate(sent):
        where = f"input[{index}]"
        item = known.get(named.id or "", named) if named.type == "item_reference" else named
        kind = item.type or "message"
        if kind == "reasoning":
            # What a client may keep of it is not ours: the gateway gives no sealed reasoning away.
            continue
        part = _said(item, kind, where)
        if part is not None:
            said.append(part)
            continue
        if kind == "message" and item.role in ("system", "developer"):
            instructions.append(_text(item.content, where))
            continue
        message = _message(item, kind, where)
        if message is None:
            skipped[kind] = None
            continue
        if said:
            messages.append(AssistantMessage(tuple(said)))
            said = []
        messages.append(message)
    if said:
        messages.append(AssistantMessage(tuple(said)))
    return "\n\n".join(one for one in instructions if one), tuple(messages), tuple(skipped)


def _check_items(sent: Sequence[Item]) -> None:
    if len(sent) > MAX_ITEMS:
        raise InvalidRequest(f"`input` may hold at most {MAX_ITEMS:,} items.", param="input")


def _message(item: Item, kind: str, where: str) -> Message | None:
    """What a user or a tool says in it; None for an item that only a vendor's own tools know."""
    match kind, item.role:
        case "message", "user":
            said = _text(item.content, where, aside=_ASIDE)
            files = tuple(_files(item.content, where))
            check_files(len(files), where)
            return UserMessage(said, images=_images(item.content, where), files=files)
        case "function_call_output", _:
            return _result(item, where)
        case "item_reference", _:
            raise InvalidRequest(
                f"`{where}`: there is no such item, or it is not kept any more. Send the item itself "
                "(store: false in your client).",
                code="item_not_found",
                param=where,
            )
        case "message", role:
            raise InvalidRequest(
                f"`{where}.role`: {str(role)[:40]!r} is no role. Use user, assistant, system or developer.",
                param=f"{where}.role",
            )
        case _:
            return None


def _said(item: Item, kind: str, where: str) -> Part | None:
    """What the model said of it, if it did."""
    if kind == "function_call":
        if not item.name or not (item.call_id or item.id):
            raise InvalidRequest(f"`{where}`: a function_call has a name and a call_id.", param=where)
        if isinstance(item.arguments, dict):
            raise InvalidRequest(
                f"`{where}.arguments`: a JSON text is expected, got an object.", param=f"{where}.arguments"
            )
        return ToolCall(item.call_id or item.id or "", item.name, item.arguments or "{}")
    if kind == "message" and item.role == "assistant":
        return Text(_text(item.content, where))
    return None


def _text(content: _Content, where: str, field: str = "content", *, aside: frozenset[str] = _IMAGE) -> str:
    """`aside` are the types of parts that are no text and stand elsewhere."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, dict):
        raise InvalidRequest(
            f"`{where}.{field}`: a text or an array of parts is expected, got an object.",
            param=f"{where}.{field}",
        )
    texts = []
    for index, part in enumerate(content):
        if part.type in aside:
            continue
        if part.type not in _TEXTS and part.type != "refusal":
            raise InvalidRequest(
                f"`{where}.{field}[{index}]`: parts of type {str(part.type)[:40]!r} are not accepted; this "
                "endpoint takes text parts, and of user messages input_image, input_file and input_audio.",
                code="unsupported_content_part",
                param=f"{where}.{field}[{index}]",
            )
        texts.append(part.text or part.refusal or "")
    return "\n".join(texts)


def _images(content: _Content, where: str) -> tuple[Image, ...]:
    if not isinstance(content, list):
        return ()
    images = []
    for index, part in enumerate(content):
        if part.type == "input_image":
            at = f"{where}.content[{index}]"
            if part.image_url is None and part.file_id is not None:
                raise InvalidRequest(
                    f"`{at}`: files are not kept here: send the image as a data URL.", param=at
                )
            images.append(image_of(part.image_url or "", at))
    check_count(len(images))
    return tuple(images)


def _files(content: _Content, where: str) -> Iterator[File]:
    for index, part in enumerate(content if isinstance(content, list) else ()):
        at = f"{where}.content[{index}]"
        if part.type == "input_file":
            yield file_of(NamedFile(part.file_data, part.file_id, part.file_url, part.filename), at)
        elif part.type == "input_audio":
            yield audio_of(part.input_audio, at)


def _result(item: Item, where: str) -> ToolMessage:
    if not item.call_id:
        raise InvalidRequest(
            f"`{where}.call_id` is missing: a function_call_output names the call it answers.",
            param=f"{where}.call_id",
        )
    return ToolMessage(item.call_id, _text(item.output, where, "output"), images=_images(item.output, where))


def items_of(messages: Sequence[Message], mark: str) -> list[dict[str, Any]]:
    """What a request said, as items again."""
    items: list[dict[str, Any]] = []
    for message in messages:
        match message:
            case UserMessage():
                parts: list[dict[str, Any]] = [{"type": "input_text", "text": message.content}]
                parts += map(_file_part, message.files)
                parts += (_image_part(image) for image in message.images if image.data)
                items.append({"type": "message", "role": "user", "status": "completed", "content": parts})
            case ToolMessage():
                items.append(
                    {
                        "type": "function_call_output",
                        "call_id": message.tool_call_id,
                        "output": _output(message),
                        "status": "completed",
                    }
                )
            case AssistantMessage():
                items += map(_said_item, message.parts)
            case SystemMessage():
                pass
    return [{"id": f"item_{mark}_{place}", **item} for place, item in enumerate(items)]


def _output(message: ToolMessage) -> str | list[dict[str, Any]]:
    """A text, as long as it is nothing else."""
    images = [_image_part(image) for image in message.images if image.data]
    text = [{"type": "input_text", "text": message.content}] if message.content else []
    return [*text, *images] if images else message.content


def _image_part(image: Image) -> dict[str, Any]:
    url = f"data:{image.media_type};base64,{image.data}"
    return {"type": "input_image", "detail": "auto", "image_url": url}


def _file_part(file: File) -> dict[str, Any]:
    """As it came; of a text file the text is what is kept."""
    if file.media_type.startswith("audio/"):
        form = next((form for form, kind in FORMATS.items() if kind == file.media_type), "mp3")
        return {"type": "input_audio", "input_audio": {"data": file.data, "format": form}}
    data = file.data or base64.b64encode(file.text.encode(errors="replace")).decode("ascii")
    url = f"data:{file.media_type};base64,{data}"
    return {"type": "input_file", "filename": file.name, "file_data": url}


def _said_item(part: Part) -> dict[str, Any]:
    match part:
        case ToolCall():
            call = {"call_id": part.id, "name": part.name, "arguments": part.arguments}
            return {"type": "function_call", "status": "completed", **call}
        case Text():
            content = [{"type": "output_text", "text": part.text, "annotations": []}]
            return {"type": "message", "role": "assistant", "status": "completed", "content": content}
        case Reasoning():
            return {"type": "reasoning", "summary": [{"type": "summary_text", "text": part.text}]}
