"""A transcript as the control protocol shows it: the shape of OpenClaw's `chat.history`. Pure.

Each message says where it stands (`__openclaw`): its place from 1, and an id by which it is forked from.
A message is {role, content, timestamp}; content is a list of parts: text, thinking, toolCall. What a tool
gave back has the role toolResult. Images are named by their kind, not sent: a history would be megabytes.
Who wants to see one asks for it by the message's id and its number among the message's images (`chat.image`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from openclaw_gateway.sessions.places import place_id
from openclaw_gateway.sessions.store import Entry, RunRecord
from openclaw_gateway.wire.decode import DecodeError, decode
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    SystemMessage,
    Text,
    ToolMessage,
    UserMessage,
)

_ANYTHING = msgspec.json.Decoder()


def shown(
    entries: Sequence[Entry], runs: Mapping[str, RunRecord], else_ms: int, most_chars: int
) -> list[Any]:
    """`runs` by their ids say when something was said, as long as they are kept; else it was at `else_ms`,
    in Unix milliseconds. A text of more than `most_chars` characters is cut, and says so."""
    return [
        # How a client knows a message again that it has sent, or has heard in events.
        {
            **_message(each, runs.get(each.run_id), else_ms, most_chars),
            "__openclaw": _identity(each, runs.get(each.taken_from or each.run_id)),
        }
        for each in entries
    ]


def too_large(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as shown, without its content, which no frame has room for."""
    return {**message, "content": [_text("(this message is too large to be shown)", 100)]}


def _message(entry: Entry, run: RunRecord | None, else_ms: int, most: int) -> dict[str, Any]:
    began = else_ms if run is None else run.created_ms
    ended = else_ms if run is None else run.ended_ms or run.created_ms
    message = entry.message
    match message:
        case UserMessage() | SystemMessage():
            return _told(
                "user" if isinstance(message, UserMessage) else "system", _asked(message, most), began
            )
        case AssistantMessage():
            said: dict[str, Any] = _told("assistant", _said(message, most), ended)
            if message.made_by is not None:
                said |= {"provider": message.made_by.provider, "model": message.made_by.model}
            if message.aborted or message.note:
                said["stopReason"] = "aborted" if message.aborted else "injected"
            return said
        case ToolMessage():
            return {
                **_told("toolResult", [_text(message.content, most), *_images(message.images)], ended),
                "toolCallId": message.tool_call_id,
                "toolName": message.name or "",
                "isError": message.is_error,
            }


def _identity(entry: Entry, run: RunRecord | None) -> dict[str, Any]:
    name = run.name if run is not None else None
    whose = name or entry.taken_from or entry.run_id
    identity = {"id": place_id(entry), "seq": entry.seq, "runId": whose}
    if name is not None and isinstance(entry.message, UserMessage):
        identity["idempotencyKey"] = name
    return identity


def _told(role: str, content: list[Any], at_ms: int) -> dict[str, Any]:
    return {"role": role, "content": content, "timestamp": at_ms}


def _asked(message: Message, most: int) -> list[Any]:
    parts: list[Any] = [_text(message.content, most)]
    if isinstance(message, UserMessage):
        parts += _images(message.images)
        parts += [
            {"type": "file", "mimeType": file.media_type, "fileName": file.name} for file in message.files
        ]
    return parts


def _images(images: Sequence[Image]) -> list[Any]:
    return [{"type": "image", "mimeType": image.media_type, "omitted": True} for image in images]


def _said(message: AssistantMessage, most: int) -> list[Any]:
    parts: list[Any] = []
    for part in message.parts:
        match part:
            case Text():
                parts.append(_text(part.text, most))
            case Reasoning():
                if part.text:
                    parts.append({"type": "thinking", "thinking": _cut(part.text, most)})
            case _:
                call: dict[str, Any] = {"type": "toolCall", "id": part.id, "name": part.name}
                parts.append(call | {"arguments": _arguments(part.arguments, most)})
    return parts


def _text(text: str, most: int) -> dict[str, str]:
    return {"type": "text", "text": _cut(text, most)}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n…(truncated)…"


def _arguments(text: str, most: int) -> Any:
    if len(text) > most:
        return {"truncated": _cut(text, most)}
    try:
        return decode(_ANYTHING, text.encode("utf-8", "replace"))
    except DecodeError:
        return text
