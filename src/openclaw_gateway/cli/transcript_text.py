"""A transcript as the gateway tells it, as Markdown for people. Pure."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def markdown(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A piece for each message of `chat.history`, each ends with a line end."""
    for message in messages:
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(message["timestamp"] / 1000))
        about = message.get("toolName") or message.get("model") or ""
        title = f"{message['role']}{f' ({about})' if about else ''}, {at}"
        parts = [text for part in message["content"] if (text := _part(part))]
        yield "\n\n".join([f"## {title}", *parts]) + "\n"


def _part(part: Mapping[str, Any]) -> str:
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "thinking", "thinking": str(text)}:
            return _quoted(text)
        case {"type": "toolCall", "name": name}:
            called = json.dumps(part.get("arguments"), ensure_ascii=False, indent=1)
            return f"Calls `{name}`:\n\n```json\n{called}\n```"
        case {"type": kind}:
            return f"[{kind}]"
        case _:
            return ""


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
