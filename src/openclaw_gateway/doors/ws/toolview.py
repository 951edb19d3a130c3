"""What goes on inside a run besides its words, as the control protocol tells it. Pure.

Tool events carry the call's arguments and result as the model sees them; a failed attempt at a model and
a compaction are phases of the run's life.
"""

from typing import Any

import msgspec

from openclaw_gateway.wire.decode import DecodeError, decode
from openclaw_gateway.wire.events import Compacted, ModelFailed, ToolEnded, ToolStarted, ToolUpdated

Inside = ToolStarted | ToolUpdated | ToolEnded | ModelFailed | Compacted
_ANYTHING = msgspec.json.Decoder()


def told(event: Inside) -> tuple[str, dict[str, Any]]:
    """(stream, data) of an `agent` event."""
    match event:
        case ToolStarted():
            return "tool", {**_call(event, "start"), "args": _arguments(event.arguments)}
        case ToolUpdated():
            return "tool", {**_call(event, "update"), "partialResult": event.text}
        case ToolEnded():
            ended = {"isError": event.is_error, "result": event.text, "durationMs": event.ms}
            return "tool", {**_call(event, "result"), **ended}
        case ModelFailed():
            failed = {"provider": event.provider, "model": event.model, "code": event.code}
            return "lifecycle", {"phase": "model_failed", **failed, "attempt": event.attempt}
        case Compacted():
            return "compaction", {"phase": "end", "willRetry": False}


def _call(event: ToolStarted | ToolUpdated | ToolEnded, phase: str) -> dict[str, Any]:
    return {"phase": phase, "name": event.name, "toolCallId": event.call_id}


def _arguments(text: str) -> Any:
    try:
        return decode(_ANYTHING, text.encode("utf-8", "replace"))
    except DecodeError:
        return text
