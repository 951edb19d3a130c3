"""A run's log as the events of the control protocol. Pure; the caller brings the time.

Events repeat what has been said so far, as clients expect, so a long answer told delta by delta would
cost its length squared. Therefore deltas that came together are told together, and after an event that
repeats much there is a pause (`pause_s`): a run is told at about TOLD_PER_SECOND characters a second,
however many deltas it has, and whoever falls behind is told the rest in one event.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from msgspec import UNSET, UnsetType

from openclaw_gateway.doors.ws.results import usage_object
from openclaw_gateway.doors.ws.toolview import told
from openclaw_gateway.wire.events import (
    Compacted,
    Event,
    ModelCalled,
    ModelFailed,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
    ToolEnded,
    ToolStarted,
    ToolUpdated,
    UsageReported,
)
from openclaw_gateway.wire.frames import AgentEvent, ChatEvent, ChatState
from openclaw_gateway.wire.run import RunResult, RunStatus

TOLD_PER_SECOND = 400_000
CHAT_EVERY_S = 0.15
_SHORTEST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 2.0

_CHAT_STATES: dict[RunStatus, ChatState] = {"completed": "final", "aborted": "aborted"}

Told = tuple[str, AgentEvent | ChatEvent]


class RunView:
    """One run for one client. Feed it the log from its beginning, with the time of the wall in ms."""

    def __init__(self, run_id: str, agent_id: str, session_key: str | None, started_ms: int) -> None:
        self.ended = False
        self._run_id = run_id
        self._agent_id = agent_id
        self._session_key = session_key
        self._started_ms = started_ms
        self._seq = 0
        self._text = ""
        self._reasoning = ""
        self._unsaid = ""
        self._chat_ms = 0

    @property
    def wait_s(self) -> float | None:
        """How long to wait for more of the log before `take` should be called anyway; None = for ever."""
        return CHAT_EVERY_S if self._unsaid else None

    @property
    def pause_s(self) -> float:
        """How long to let deltas gather before the next events."""
        pause = (len(self._text) + len(self._reasoning)) / TOLD_PER_SECOND
        return min(pause, _LONGEST_PAUSE_S) if pause >= _SHORTEST_PAUSE_S else 0.0

    def take(self, events: Sequence[Event], now_ms: int) -> Iterator[Told]:
        """What to tell of the next part of the log, which may be empty."""
        for kind, group in groupby(events, type):
            if kind is TextDelta:
                delta = "".join(event.text for event in group if isinstance(event, TextDelta))
                self._text += delta
                self._unsaid += delta
                yield self._agent("assistant", now_ms, {"text": self._text, "delta": delta})
            elif kind is ReasoningDelta:
                delta = "".join(event.text for event in group if isinstance(event, ReasoningDelta))
                self._reasoning += delta
                yield self._agent("thinking", now_ms, {"text": self._reasoning, "delta": delta})
            else:
                for event in group:
                    yield from self._other(event, now_ms)
        if self._unsaid and not self.ended and now_ms - self._chat_ms >= CHAT_EVERY_S * 1000:
            yield from self._chat_delta(now_ms)

    def _other(self, event: Event, now_ms: int) -> Iterator[Told]:
        match event:
            case RunStarted():
                self._started_ms = event.at_ms
                yield self._agent("lifecycle", now_ms, {"phase": "start", "startedAt": event.at_ms})
            case ModelCalled():
                data = {"phase": "model", "provider": event.provider, "model": event.model}
                yield self._agent("lifecycle", now_ms, data)
            case RunEnded():
                self.ended = True
                yield self._agent("lifecycle", now_ms, self._end(event))
                yield from self._chat_delta(now_ms)
                yield from self._chat_end(event.result, now_ms)
            case ToolStarted() | ToolUpdated() | ToolEnded() | ModelFailed() | Compacted():
                stream, data = told(event)
                yield self._agent(stream, now_ms, data)
            case UsageReported() | TextDelta() | ReasoningDelta() | ToolCallStarted() | ToolCallArguments():
                pass

    def _end(self, event: RunEnded) -> dict[str, Any]:
        result = event.result
        times = {"startedAt": self._started_ms, "endedAt": event.at_ms}
        if result.status == "completed":
            return {"phase": "end", **times, "aborted": False, "stopReason": result.finish_reason or "stop"}
        if result.status == "aborted":
            return {"phase": "end", **times, "aborted": True, "stopReason": "aborted"}
        error = result.error
        return {
            "phase": "error",
            **times,
            "error": error.message if error else result.status,
            "code": error.code if error else result.status,
        }

    def _agent(self, stream: str, now_ms: int, data: dict[str, Any]) -> Told:
        self._seq += 1
        session_key = UNSET if self._session_key is None else self._session_key
        return "agent", AgentEvent(self._run_id, self._seq, stream, now_ms, data, session_key, self._agent_id)

    def _chat_delta(self, now_ms: int) -> Iterator[Told]:
        delta, self._unsaid = self._unsaid, ""
        # A stateless run is nobody's chat.
        if delta and self._session_key is not None:
            self._chat_ms = now_ms
            message = _message(self._text, now_ms)
            yield (
                "chat",
                ChatEvent(
                    self._run_id, self._session_key, self._seq, "delta", delta_text=delta, message=message
                ),
            )

    def _chat_end(self, result: RunResult, now_ms: int) -> Iterator[Told]:
        if self._session_key is None:
            return
        state = _CHAT_STATES.get(result.status, "error")
        message: dict[str, Any] | UnsetType = UNSET
        if result.text or state == "final":
            message = _message(result.text, now_ms)
        yield (
            "chat",
            ChatEvent(
                self._run_id,
                self._session_key,
                self._seq,
                state,
                message=message,
                error_message=result.error.message if result.error and state == "error" else UNSET,
                usage=usage_object(result.usage),
                stop_reason=(result.finish_reason or "stop") if state == "final" else UNSET,
            ),
        )


def _message(text: str, now_ms: int) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "timestamp": now_ms}
