"""What the session tools show, as JSON that a model reads: bounded, times in words. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from openclaw_gateway.tools.arguments import not_taken
from openclaw_gateway.tools.base import Said, SessionLine
from openclaw_gateway.tools.clipped import clipped

MAX_CHARS = 80_000
_MAX_MESSAGE_CHARS = 8_000


def shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def unused(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What the call gave in vain, to be told with the result."""
    names_given = not_taken(arguments, *names)
    return {"notTaken": names_given} if names_given else {}


def line(session: SessionLine) -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": session.key,
        "agentId": session.agent_id,
        "updatedAt": moment(session.updated_ms),
        "messages": session.messages,
    }
    return told | ({"label": session.label} if session.label else {})


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def newest(said: Iterable[Said]) -> tuple[list[dict[str, str]], int]:
    """The last messages that fit, in order, and how many older ones were left out."""
    messages = list(said)
    room = MAX_CHARS
    kept: list[dict[str, str]] = []
    for message in reversed(messages):
        text = clipped(message.text, _MAX_MESSAGE_CHARS)
        room -= len(text)
        if room < 0:
            break
        kept.append({"role": message.role, "text": text})
    return kept[::-1], len(messages) - len(kept)
