"""Chat completions that are kept: what is remembered of them, what they are listed by, and their shapes.

Pure. One that is kept is the completion that was answered, with its metadata.
Source: platform.openai.com/docs/api-reference/chat/list, /chat/getMessages.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.doors.openai.body import parse
from openclaw_gateway.doors.openai.chat import ChatRequest
from openclaw_gateway.doors.openai.chunks import completion
from openclaw_gateway.doors.openai.functions import with_function_call
from openclaw_gateway.doors.openai.metadata import take_metadata
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.runs.kept import KeptAnswer, KeptHead
from openclaw_gateway.wire.messages import AssistantMessage, Message, SystemMessage, ToolMessage, UserMessage
from openclaw_gateway.wire.run import Keep

_METADATA_FIELD = re.compile(r"metadata\[(.*)\]", re.DOTALL)


class About(Struct, frozen=True):
    """What is remembered of the request beside the conversation."""

    model: str
    metadata: dict[str, str] = {}
    functions: bool = False


class _Update(Struct, frozen=True):
    metadata: Raw | msgspec.UnsetType = msgspec.UNSET


_about = msgspec.json.Decoder(About)
_update = msgspec.json.Decoder(_Update)


def keep_of(chat: ChatRequest, model: str) -> Keep:
    """How the answer to a request is kept; `model` is the name it carries."""
    about = About(model, chat.metadata or {}, chat.functions)
    return Keep(Raw(msgspec.json.encode(about)), told=chat.instructions, kind="chat", labels=labels_of(about))


def about_of(kept: KeptAnswer | KeptHead) -> About:
    return _about.decode(kept.about)


def updated(data: bytes, max_depth: int) -> dict[str, str]:
    """The new metadata that a body says. Raises InvalidRequest."""
    body = parse(data, max_depth)
    metadata = take_metadata(body)
    if metadata is None and _update.decode(data or b"{}").metadata is msgspec.UNSET:
        raise InvalidRequest(
            "`metadata` is required: what shall stand in the place of the present one; null for none.",
            param="metadata",
        )
    return metadata or {}


def labels_of(about: About) -> tuple[str, ...]:
    return (
        *(_label("metadata", key, value) for key, value in about.metadata.items()),
        _label("model", about.model),
        _label("all"),
    )


def labels_in(query: Mapping[str, str]) -> tuple[str, ...]:
    """What a list is to have; the rarest first."""
    named = ((_METADATA_FIELD.fullmatch(name), value) for name, value in query.items())
    metadata = tuple(_label("metadata", found[1], value) for found, value in named if found)
    model = query.get("model")
    return (*metadata, *((_label("model", model),) if model else ()), _label("all"))


def _label(*words: str) -> str:
    """Of one length, whatever a client has written."""
    return blake2b(msgspec.json.encode(("chat", *words)), digest_size=16).hexdigest()


def completion_of(run_id: str, kept: KeptAnswer | KeptHead) -> bytes:
    about = about_of(kept)
    answer = completion(run_id, kept.created_ms // 1000, about.model, kept.result, about.metadata)
    return with_function_call(answer) if about.functions else answer


def messages_of(run_id: str, kept: KeptAnswer) -> list[dict[str, Any]]:
    """What its request said, oldest first; of its instructions, which are one text by now, one message."""
    told = [_message("system", kept.told)] if kept.told else []
    said = [*told, *map(_said, kept.asked)]
    return [{"id": f"{run_id}-{place}", **message} for place, message in enumerate(said)]


def _said(message: Message) -> dict[str, Any]:
    match message:
        case UserMessage():
            return _message("user", message.content, name=message.name, content_parts=_parts(message))
        case ToolMessage():
            return _message("tool", message.content, name=message.name, tool_call_id=message.tool_call_id)
        case AssistantMessage():
            calls = _calls(message)
            content = message.content or (None if calls else "")
            more = {"tool_calls": calls} if calls else {}
            return _message("assistant", content, name=message.name, **more)
        case SystemMessage():
            return _message("system", message.content)


def _message(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    usual = {"name": None, "refusal": None, "content_parts": None}
    return {"role": role, "content": content, **usual, **more}


def _calls(message: AssistantMessage) -> Sequence[dict[str, Any]]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]


def _parts(message: UserMessage) -> Sequence[dict[str, Any]] | None:
    if not message.images:
        return None
    text = [{"type": "text", "text": message.content}] if message.content else []
    urls = (f"data:{image.media_type};base64,{image.data}" for image in message.images if image.data)
    return [*text, *({"type": "image_url", "image_url": {"url": url}} for url in urls)]
