"""Items of a session: what was said in it, as the Agents API shows it.

Pure. As over every HTTP door, what an agent did with its own tools is not shown, and what it said between is
one message. An item has the same id here and in the events of its turn.
Source: the types of the `openai` package, 3.52 (types/beta/agent_session_item).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from openclaw_gateway.doors.agents.resources import turn_id
from openclaw_gateway.doors.openai.response_object import mark_of
from openclaw_gateway.sessions.client_view import BETWEEN_ROUNDS, as_seen
from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)

Json = dict[str, Any]


def items_of(entries: Sequence[Entry]) -> list[Json]:
    """All there are, oldest first. The entries of a turn are adjacent."""
    items: list[Json] = []
    for run_id, of_turn in groupby(entries, lambda entry: entry.run_id):
        items += turn_items(run_id, [entry.message for entry in of_turn])
    return items


def turn_items(run_id: str, messages: Sequence[Message]) -> Iterator[Json]:
    """Those of one turn."""
    seen = as_seen(messages)
    thoughts = [message.reasoning for message in messages if isinstance(message, AssistantMessage)]
    for place, message in enumerate(seen):
        if isinstance(message, AssistantMessage):
            is_answer = place == len(seen) - 1
            thought = BETWEEN_ROUNDS.join(filter(None, thoughts)) if is_answer else ""
            yield from _said(run_id, message, place, thought, is_answer=is_answer)
        else:
            yield from asked_items(run_id, [message], place)


def asked_items(run_id: str, messages: Sequence[Message], first: int = 0) -> Iterator[Json]:
    """What users and tools say, from the place `first` of a turn on."""
    for place, message in enumerate(messages, first):
        base = {"id": f"item_{mark_of(run_id)}_{place}", "turn_id": turn_id(run_id), "status": "completed"}
        match message:
            case UserMessage():
                content = (
                    *_text(message.content),
                    *map(_text_of_file, message.files),
                    *_images(message.images),
                )
                yield {**base, "type": "message", "role": "user", "content": content, "phase": None}
            case ToolMessage():
                yield {
                    **base,
                    "type": "function_call_output",
                    "call_id": message.tool_call_id,
                    "output": message.content,
                    "error": None,
                }
            case AssistantMessage() | SystemMessage():
                # What the gateway says of an entry that it cannot read is for its operator.
                pass


def message_item(run_id: str, text: str, status: str, id_: str | None = None) -> Json:
    """What the model said in a turn; one that is begun has no text yet."""
    return {
        "id": id_ or f"msg_{mark_of(run_id)}",
        "turn_id": turn_id(run_id),
        "type": "message",
        "role": "assistant",
        "phase": "final_answer",
        "status": status,
        "content": () if status == "in_progress" else (output_text(text),),
    }


def reasoning_item(run_id: str, text: str, status: str, place: int = 0) -> Json:
    return {
        "id": f"rs_{mark_of(run_id)}{f'_{place}' if place else ''}",
        "turn_id": turn_id(run_id),
        "type": "reasoning",
        "status": status,
        "summary": () if status == "in_progress" else ({"type": "summary_text", "text": text},),
    }


def call_item(run_id: str, call: ToolCall, place: int, id_: str | None = None) -> Json:
    """A call of a tool that is the client's."""
    return {
        "id": id_ or f"fc_{mark_of(run_id)}{f'_{place}' if place else ''}",
        "turn_id": turn_id(run_id),
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "status": "completed",
    }


def output_text(text: str) -> Json:
    return {"type": "output_text", "text": text}


def _said(
    run_id: str, message: AssistantMessage, place: int, thought: str, *, is_answer: bool
) -> Iterator[Json]:
    if thought:
        yield reasoning_item(run_id, thought, "completed")
    # What a client has sent as said before stands in the turn in which it was sent.
    id_ = None if is_answer else f"item_{mark_of(run_id)}_{place}"
    calls = message.tool_calls
    if message.content or not calls:
        status = "incomplete" if message.aborted else "completed"
        yield message_item(run_id, message.content, status, id_)
    for index, call in enumerate(calls):
        yield call_item(run_id, call, index, id_ and f"{id_}_{index}")


def _text(text: str) -> tuple[Json, ...]:
    return ({"type": "input_text", "text": text},) if text else ()


def _text_of_file(file: Any) -> Json:
    """The API has no words for files: what one says stands elsewhere, its name here."""
    return {"type": "input_text", "text": f"[{file.name or 'file'}]"}


def _images(images: Sequence[Image]) -> Iterator[Json]:
    for image in images:
        if image.data:
            yield {"type": "input_image", "image_url": f"data:{image.media_type};base64,{image.data}"}
