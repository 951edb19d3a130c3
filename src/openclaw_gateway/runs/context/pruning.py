"""Shortens old tool results in what a model is sent; the transcript itself stays whole.

Pure. Above one part of the window long results keep their head and tail, above a second part the oldest
are replaced by a placeholder. Never touched: anything but tool results, what stands before the first
user message, and what belongs to the last answers of the model. Messages are only ever made shorter,
never removed, so every call keeps its result.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from openclaw_gateway.config.schema import ContextPruning, PrunedTools
from openclaw_gateway.runs.context.size import text_tokens
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolMessage, UserMessage


def prune(
    messages: Sequence[Message], used_tokens: int, window: int, settings: ContextPruning
) -> tuple[Sequence[Message], int]:
    """(the messages, how many tokens that saves); the very same messages when there is nothing to do.

    `used_tokens` is everything the model would be sent, with its instructions and tools. Whether the
    prompt cache is cold (mode "cache-ttl") is the caller's business: there is no clock here.
    """
    if settings.mode == "off" or used_tokens < settings.soft_trim_ratio * window:
        return messages, 0
    places = _prunable(messages, settings)
    if not places:
        return messages, 0
    shortened = list(messages)
    saved = 0
    for place in places:
        saved += _shorten(shortened, place, _trimmed(_content(shortened, place), settings))
    enough = settings.hard_clear_ratio * window
    if settings.hard_clear.enabled and used_tokens - saved >= enough:
        left = sum(len(_content(shortened, place)) for place in places)
        if left >= settings.min_prunable_tool_chars:
            for place in places:
                if used_tokens - saved < enough:
                    break
                saved += _shorten(shortened, place, settings.hard_clear.placeholder)
    return (tuple(shortened), saved) if saved else (messages, 0)


def _prunable(messages: Sequence[Message], settings: ContextPruning) -> list[int]:
    """Where results stand that may be shortened, oldest first."""
    end = len(messages)
    if settings.keep_last_assistants:
        answers = [at for at, message in enumerate(messages) if isinstance(message, AssistantMessage)]
        if len(answers) < settings.keep_last_assistants:
            return []
        end = answers[-settings.keep_last_assistants]
    names: dict[str, str] = {}
    places: list[int] = []
    user_seen = False
    for at in range(end):
        message = messages[at]
        if isinstance(message, UserMessage):
            user_seen = True
        elif isinstance(message, AssistantMessage):
            names = {call.id: call.name for call in message.tool_calls}
        elif isinstance(message, ToolMessage) and user_seen:
            name = message.name or names.get(message.tool_call_id, "")
            if _allowed(name, settings.tools):
                places.append(at)
    return places


def _allowed(name: str, tools: PrunedTools) -> bool:
    name = name.lower()
    if any(fnmatchcase(name, pattern.lower()) for pattern in tools.deny):
        return False
    return not tools.allow or any(fnmatchcase(name, pattern.lower()) for pattern in tools.allow)


def _trimmed(text: str, settings: ContextPruning) -> str:
    soft = settings.soft_trim
    if len(text) <= soft.max_chars:
        return text
    tail = text[max(0, len(text) - soft.tail_chars) :]
    note = f"the first {soft.head_chars} and the last {soft.tail_chars} of {len(text)} characters"
    return f"{text[: soft.head_chars]}\n...\n{tail}\n\n[Tool result trimmed: kept {note}.]"


def _content(messages: list[Message], place: int) -> str:
    return messages[place].content


def _shorten(messages: list[Message], place: int, text: str) -> int:
    """Put `text` in place of a message's if that is shorter; the tokens saved."""
    message = messages[place]
    saved = text_tokens(message.content) - text_tokens(text)
    if saved <= 0 or not isinstance(message, ToolMessage):
        return 0
    messages[place] = replace(message, content=text)
    return saved
