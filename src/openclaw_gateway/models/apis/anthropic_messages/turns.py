"""A conversation as `anthropic-messages` takes it: turns of blocks, user and assistant by turns.

Pure; part of the dialect of that name. Rules: neighbours of one role are merged, tool results are blocks
of the user's turn, no text block is blank, and reasoning that this vendor sealed goes back in its place.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from openclaw_gateway.models.alternation import NOTHING
from openclaw_gateway.models.apis.calls import as_object
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

Block = dict[str, Any]
Turn = dict[str, Any]


def turns(messages: Iterable[Message]) -> list[Turn]:
    made: list[Turn] = []
    for message in messages:
        if type(message) is SystemMessage:
            continue
        role, blocks = _turn(message)
        if made and made[-1]["role"] == role:
            made[-1]["content"] += blocks
        else:
            made.append({"role": role, "content": blocks})
    if not made or made[0]["role"] == "assistant":
        made.insert(0, {"role": "user", "content": []})
    for turn in made:
        if not turn["content"]:
            turn["content"].append({"type": "text", "text": NOTHING})
    return made


def _turn(message: Message) -> tuple[str, list[Block]]:
    match message:
        case AssistantMessage():
            return "assistant", _assistant(message)
        case ToolMessage():
            return "user", [_result(message)]
        case UserMessage():
            said = [*_text(message.content), *_images(message.images)]
            return "user", [*map(_document, message.files), *said]
        case SystemMessage():
            return "user", []


def may_think(messages: Iterable[Message]) -> bool:
    """Whether the vendor lets a model think on from here with a budget.

    It refuses to while results are given back for calls whose sealed thinking is missing: they were made by
    another model, or without thinking.
    """
    waiting = True
    for message in messages:
        match message:
            case UserMessage():
                waiting = True
            case AssistantMessage() if message.tool_calls:
                waiting = any(map(_is_sealed, message.parts))
            case _:
                pass
    return waiting


def _text(text: str) -> list[Block]:
    return [{"type": "text", "text": text}] if text.strip() else []


def _images(images: tuple[Image, ...]) -> list[Block]:
    return [
        {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.data}}
        for image in images
    ]


def _document(file: File) -> Block:
    source = {"type": "base64", "media_type": file.media_type, "data": file.data}
    return {"type": "document", "source": source, **({"title": file.name} if file.name else {})}


def _result(message: ToolMessage) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": message.tool_call_id}
    if message.images:
        block["content"] = [*_text(message.content), *_images(message.images)]
    else:
        block["content"] = message.content
    if message.is_error and not message.images:
        # (An error with an image is refused.)
        block["is_error"] = True
    return block


def _assistant(message: AssistantMessage) -> list[Block]:
    blocks: list[Block] = []
    for part in message.parts:
        match part:
            case Text(text):
                blocks += _text(text)
            case Reasoning(text, payload):
                if payload is not UNSET:
                    blocks.append(_thought(text, msgspec.json.decode(payload)))
            case ToolCall():
                said = as_object(part.arguments)
                blocks.append({"type": "tool_use", "id": part.id, "name": part.name, "input": said})
    if blocks and blocks[-1]["type"] == "text":
        # Blank space at the end of what a model said is refused when it is the last turn.
        blocks[-1]["text"] = blocks[-1]["text"].rstrip()
    return blocks


def _is_sealed(part: Part) -> bool:
    return isinstance(part, Reasoning) and part.payload is not UNSET


def _thought(text: str, payload: Any) -> Block:
    if "data" in payload:
        return {"type": "redacted_thinking", "data": payload["data"]}
    return {"type": "thinking", "thinking": text, "signature": payload["signature"]}
