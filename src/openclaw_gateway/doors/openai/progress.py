"""What the agent does with its own tools, told in a stream to a client that asked for it. Pure.

Never as text of the answer, and never as `tool_calls`: those are the client's to execute. `extension` is a
chunk that says nothing but to who knows its `x_openclaw`; `reasoning` are lines among the thoughts, for front
ends that show these. A tool's name and how it ended are told, not what it was given or gave.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from openclaw_gateway.config.schema import Progress
from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, ReasoningDelta, ToolEnded, ToolStarted
from openclaw_gateway.wire.run import RunResult


class ToolAtWork(Struct, frozen=True):
    id: str
    name: str
    status: Literal["started", "completed", "failed"]
    ms: int | UnsetType = UNSET


class Beside(Struct, frozen=True):
    tool: ToolAtWork


class ProgressVoice:
    """A voice that is told of the agent's tools as well."""

    def __init__(self, voice: ChatVoice, progress: Progress) -> None:
        self._voice = voice
        self._progress = progress

    def head(self) -> bytes:
        return self._voice.head()

    def deltas(self, events: Sequence[Event]) -> bytes:
        return b"".join(map(self._worded, events))

    def end(self, result: RunResult) -> bytes:
        return self._voice.end(result)

    def failure(self, error: ErrorInfo) -> bytes:
        return self._voice.failure(error)

    def whole(self, result: RunResult) -> bytes:
        return self._voice.whole(result)

    def refusal(self, error: ErrorInfo) -> bytes:
        return self._voice.refusal(error)

    def _worded(self, event: Event) -> bytes:
        match event:
            case ToolStarted(call_id=id_, name=name):
                if self._progress == "extension":
                    return self._beside(ToolAtWork(id_, name, "started"))
                return self._voice.deltas((ReasoningDelta(f"[{name} …]\n"),))
            case ToolEnded(call_id=id_, name=name, is_error=failed, ms=ms):
                if self._progress == "extension":
                    return self._beside(ToolAtWork(id_, name, "failed" if failed else "completed", ms))
                return self._voice.deltas((ReasoningDelta(f"[{name} failed]\n"),)) if failed else b""
            case _:
                return self._voice.deltas((event,))

    def _beside(self, tool: ToolAtWork) -> bytes:
        return self._voice.beside(b"x_openclaw", msgspec.json.encode(Beside(tool)))
