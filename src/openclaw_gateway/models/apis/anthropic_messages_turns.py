"""A conversation as `anthropic-messages` takes it: turns of blocks, user and assistant by turns.

Pure; part of the dialect of that name. Rules: neighbours of one role are merged, tool results are blocks
of the user's turn, no text block is blank, and reasoning that this vendor sealed goes back first.
"""

import re
from collections.abc import Iterable
from typing import Any

from openclaw_gateway.models.apis.anthropic_messages_stream import NAME, REDACTED
from openclaw_gateway.models.apis.calls import as_object
from openclaw_gateway.models.apis.images import NO_IMAGE
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    ReasoningBlock,
    SystemMessage,
    ToolMessage,
    UserMessage,
)

_ID = re.compile(r"[^a-zA-Z0-9_-]")
# For a turn that would be empty or missing: the vendor refuses both.
_NOTHING = "(nothing)"

Block = dict[str, Any]
Turn = dict[str, Any]


def turns(messages: Iterable[Message], *, images: bool) -> list[Turn]:
    """`images` False: the model cannot see any, and is told that there was one."""
    made: list[Turn] = []
    for message in messages:
        if type(message) is SystemMessage:
            continue
        role, blocks = _turn(message, images=images)
        if made and made[-1]["role"] == role:
            made[-1]["content"] += blocks
        else:
            made.append({"role": role, "content": blocks})
    if not made or made[0]["role"] == "assistant":
        made.insert(0, {"role": "user", "content": []})
    for turn in made:
        if not turn["content"]:
            turn["content"].append({"type": "text", "text": _NOTHING})
    return made


def _turn(message: Message, *, images: bool) -> tuple[str, list[Block]]:
    match message:
        case AssistantMessage():
            return "assistant", _assistant(message)
        case ToolMessage():
            return "user", [_result(message)]
        case UserMessage():
            return "user", [*_text(message.content), *_images(message.images, seen=images)]
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
            case AssistantMessage(tool_calls=(_, *_)):
                waiting = any(block.api == NAME for block in message.blocks)
            case _:
                pass
    return waiting


def _text(text: str) -> list[Block]:
    return [{"type": "text", "text": text}] if text.strip() else []


def _images(images: tuple[Image, ...], *, seen: bool) -> list[Block]:
    if not seen:
        return [{"type": "text", "text": NO_IMAGE} for _ in images]
    return [
        {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.data}}
        for image in images
    ]


def _result(message: ToolMessage) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": _id(message.tool_call_id)}
    if message.content:
        block["content"] = message.content
    if message.is_error:
        block["is_error"] = True
    return block


def _assistant(message: AssistantMessage) -> list[Block]:
    blocks = [_thought(block) for block in message.blocks if block.api == NAME]
    # Blank space at the end of what a model said is refused when it is the last turn.
    blocks += _text(message.content.rstrip())
    for call in message.tool_calls:
        blocks.append(
            {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": as_object(call.arguments)}
        )
    return blocks


def _thought(block: ReasoningBlock) -> Block:
    if block.id == REDACTED:
        return {"type": "redacted_thinking", "data": block.signature}
    return {"type": "thinking", "thinking": block.text, "signature": block.signature}


def _id(call_id: str) -> str:
    # Other vendors' ids have other characters, and a session may have begun there.
    return _ID.sub("_", call_id) or "call"
