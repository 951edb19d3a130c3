"""A run's log as the events of the control protocol. Pure; the caller brings the time.

One view serves every client that follows the run, each from its own place: what is due to most of them is
encoded once, without the two numbers that differ (the event's of the run, the frame's of the connection).
Nothing is kept per event: whoever is behind, or comes late, is told the missing part in one. An event's
number says how much of the run has been told with it. It follows from the log alone, so a client that comes
back goes on behind the last event that it has, whoever told it that one. The events `chat`, whose readers
look at nothing else, and in version 3 those of the agent repeat what has been said so far, at most every
CHAT_EVERY_S; in version 4 those of the agent have what is new alone.

With all that is repeated a long answer would cost its length squared. Therefore deltas that came together are
told together, and after much text there is a pause (`pause_s`): a run is told at about TOLD_PER_SECOND
characters a second, however many deltas it has.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

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
    Sealed,
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

EventName = Literal["agent", "chat"]
Told = tuple[EventName, bytes]
_encode = msgspec.json.Encoder().encode


class Progress(Struct):
    """How far one client has been told: of the steps, of each text. `told` is how much of the view's `size`
    that is. `is_older`: its events `agent` are those of version 3, which say whose they are (by the schema of
    version 4 they may not, and `chat` says it) and repeat the text so far. What it has from before is up to
    the event `behind`; what it has of `chat` is not known, so its next one says all (`replaces`)."""

    is_older: bool = False
    behind: int = 0
    replaces: bool = False
    steps: int = 0
    thinking: int = 0
    text: int = 0
    chat: int = 0
    told: int = 0

    @property
    def seq(self) -> int:
        """The run's number of its last event."""
        return self.steps + self.thinking + self.text


class _Step(Struct, frozen=True):
    """What is told as it is, after so much of each text. `tail` is the payload from behind its number. Empty:
    nothing is told, but what comes before is told before what follows."""

    name: EventName
    tail: bytes
    thinking: int
    text: int
    chat: int


class RunView:
    """Feed it the log from its beginning, with the time of the wall in ms. `size` is about how many bytes
    there are to tell in all, each part told once."""

    def __init__(
        self,
        shown_id: str,
        agent_id: str,
        session_key: str | None,
        started_ms: int,
        *,
        is_chat: bool = True,
    ) -> None:
        self.ended = False
        self.size = 0
        self._run_id = shown_id
        self._agent_id = agent_id
        self._session_key = session_key
        # A stateless run is nobody's chat, and a summary is no answer.
        self._is_chat = is_chat and session_key is not None
        self._started_ms = started_ms
        self._now_ms = started_ms
        self._steps: list[_Step] = []
        self._due = 0  # how many of them there are up to the last one that is told
        self._lost = False
        # Which of both texts grew last, since the last step.
        self._grows: str | None = None
        self._text = ""
        self._reasoning = ""
        self._chat = 0  # how much of the text chat windows may be told
        self._chat_ms = 0
        # How much of both texts clients of version 3 may be told.
        self._grown_text = self._grown_thinking = self._grown_ms = 0
        self._newest: dict[str, tuple[tuple[int, int], bytes]] = {}
        self._heads: dict[EventName, bytes] = {"agent": _head(self._agent("", {}))}
        # What an event `agent` ends with, up to its brace.
        self._named = len(_encode(self._agent("", {})).partition(b'"data":{}')[2])
        if self._is_chat:
            self._heads["chat"] = _head(self._chat_event("delta"))

    @property
    def wait_s(self) -> float | None:
        """How long to wait for more of the log before `fold` should be called anyway; None = for ever."""
        waits = self._is_chat and self._chat < len(self._text)
        return CHAT_EVERY_S if waits or not self._has_grown else None

    @property
    def pause_s(self) -> float:
        """How long to let deltas gather before the next `fold`."""
        pause = (len(self._text) + len(self._reasoning)) / TOLD_PER_SECOND
        return min(pause, _LONGEST_PAUSE_S) if pause >= _SHORTEST_PAUSE_S else 0.0

    def fold(self, events: Sequence[Event], now_ms: int) -> None:
        """Take in the next part of the log, which may be empty."""
        self._now_ms = now_ms
        text: list[str] = []
        reasoning: list[str] = []
        for event in events:
            if isinstance(event, TextDelta):
                if self._grows == "thinking":
                    self._say(text, reasoning)
                    self._turn_over()
                self._grows = "text"
                text.append(event.text)
            elif isinstance(event, ReasoningDelta):
                if self._grows == "text":
                    self._say(text, reasoning)
                    self._turn_over()
                self._grows = "thinking"
                reasoning.append(event.text)
            else:
                self._say(text, reasoning)
                self._other(event)
        self._say(text, reasoning)
        if not self.ended and now_ms - self._chat_ms >= CHAT_EVERY_S * 1000:
            self._say_chat()
        if not self._has_grown and (self.ended or now_ms - self._grown_ms >= CHAT_EVERY_S * 1000):
            self._grown_text, self._grown_thinking = len(self._text), len(self._reasoning)
            self._grown_ms = now_ms

    @property
    def _has_grown(self) -> bool:
        return self._grown_text == len(self._text) and self._grown_thinking == len(self._reasoning)

    def lose(self, now_ms: int) -> None:
        """The log is not kept any more: clients are told that there is a gap before what still follows."""
        self._now_ms = now_ms
        self._lost = True
        self._step("agent", self._agent("error", {"reason": "events lost"}))

    def next(self, place: Progress) -> Told | None:
        """(name, payload) of the next event for a client, whose place moves on; None when it knows all."""
        if place.behind and not self._lost:
            self._pass(place)
            if place.seq < place.behind:
                return None
            place.behind = 0
        step = self._next_step(place)
        while step is not None and not step.tail and self._has(place, step):
            place.steps += 1
            step = self._next_step(place)
        if step is None:
            thinking, text, chat = len(self._reasoning), len(self._text), self._chat
        else:
            thinking, text, chat = step.thinking, step.text, step.chat
        if place.is_older and place.steps >= self._due:
            thinking, text = min(thinking, self._grown_thinking), min(text, self._grown_text)
        if place.thinking < thinking:
            tail = self._said("thinking", self._reasoning, place.thinking, thinking, place)
            place.told += thinking - place.thinking
            place.thinking = thinking
            return self._spliced("agent", tail, place)
        if place.text < text:
            tail = self._said("assistant", self._text, place.text, text, place)
            place.told += text - place.text
            place.text = text
            return self._spliced("agent", tail, place)
        if place.chat < chat:
            tail = self._chat_delta(place.chat, chat, replaces=place.replaces)
            place.chat, place.replaces = chat, False
            return self._spliced("chat", tail, place)
        if step is None or not step.tail:
            return None
        place.steps += 1
        place.told += len(step.tail)
        return self._spliced(step.name, step.tail, place)

    def _next_step(self, place: Progress) -> _Step | None:
        return self._steps[place.steps] if place.steps < len(self._steps) else None

    def _has(self, place: Progress, step: _Step) -> bool:
        return place.thinking >= step.thinking and place.text >= step.text

    def _pass(self, place: Progress) -> None:
        """Move on, and tell nothing, to where the client has been before, as far as that is known here."""
        while (left := place.behind - place.seq) > 0:
            step = self._next_step(place)
            thinking, text = len(self._reasoning), len(self._text)
            if step is not None:
                thinking, text = step.thinking, step.text
            if place.thinking < thinking:
                more = min(thinking - place.thinking, left)
                place.thinking += more
            elif place.text < text:
                more = min(text - place.text, left)
                place.text += more
            elif step is not None:
                more = len(step.tail)
                place.steps += 1
                place.chat = max(place.chat, step.chat)
            else:
                return
            place.told += more

    def _spliced(self, name: EventName, tail: bytes, place: Progress) -> Told:
        if name == "agent" and not place.is_older:
            tail = tail[: -self._named] + b"}"
        return name, b"%b%d%b" % (self._heads[name], place.seq, tail)

    def _said(self, stream: str, text: str, start: int, end: int, place: Progress) -> bytes:
        def payload() -> AgentEvent:
            data = {"text": text[:end]} if place.is_older else {}
            return self._agent(stream, {**data, "delta": text[start:end]})

        return self._once(f"{stream} 3" if place.is_older else stream, (start, end), "agent", payload)

    def _chat_delta(self, start: int, end: int, *, replaces: bool) -> bytes:
        def payload() -> ChatEvent:
            message = _message(self._text[:end], self._now_ms)
            if replaces:
                return self._chat_event("delta", delta_text=self._text[:end], message=message, replace=True)
            return self._chat_event("delta", delta_text=self._text[start:end], message=message)

        return self._once("chat anew" if replaces else "chat", (start, end), "chat", payload)

    def _once(
        self, kind: str, part: tuple[int, int], name: EventName, payload: Callable[[], AgentEvent | ChatEvent]
    ) -> bytes:
        """Most clients are at the same place: theirs is encoded once."""
        known = self._newest.get(kind)
        if known is None or known[0] != part:
            known = self._newest[kind] = (part, self._tail(name, payload()))
        return known[1]

    def _say(self, text: list[str], reasoning: list[str]) -> None:
        if text:
            said = "".join(text)
            self._text += said
            self.size += len(said)
            text.clear()
        if reasoning:
            said = "".join(reasoning)
            self._reasoning += said
            self.size += len(said)
            reasoning.clear()

    def _say_chat(self) -> None:
        if self._is_chat and self._chat < len(self._text):
            self._chat = len(self._text)
            self._chat_ms = self._now_ms

    def _other(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._started_ms = event.at_ms
                data: dict[str, Any] = {"phase": "start", "startedAt": event.at_ms}
                self._step("agent", self._agent("lifecycle", data))
            case ModelCalled():
                data = {"phase": "model", "provider": event.provider, "model": event.model}
                self._step("agent", self._agent("lifecycle", data))
            case RunEnded():
                self.ended = True
                self._step("agent", self._agent("lifecycle", self._end(event)))
                self._say_chat()
                self._chat_end(event.result)
            case ToolStarted() | ToolUpdated() | ToolEnded() | ModelFailed() | Compacted():
                stream, data = told(event)
                self._step("agent", self._agent(stream, data))
            case TextDelta() | ReasoningDelta() | ToolCallStarted() | ToolCallArguments():
                pass
            case UsageReported() | Sealed():
                pass

    def _end(self, event: RunEnded) -> dict[str, Any]:
        result = event.result
        times = {"startedAt": self._started_ms, "endedAt": event.at_ms}
        taken = {"answeredBy": result.taken_by} if result.taken_by else {}
        if result.status == "completed":
            return {"phase": "end", **times, "aborted": False, "stopReason": _stop_reason(result), **taken}
        if result.status == "aborted":
            return {"phase": "end", **times, "aborted": True, "stopReason": "aborted", **taken}
        error = result.error
        return {
            "phase": "error",
            **times,
            **taken,
            "error": error.message if error else result.status,
            "code": error.code if error else result.status,
        }

    def _chat_end(self, result: RunResult) -> None:
        if not self._is_chat:
            return
        state = _CHAT_STATES.get(result.status, "error")
        message: dict[str, Any] | UnsetType = UNSET
        if result.text or (state == "final" and not result.taken_by):
            message = _message(result.text, self._now_ms)
        event = self._chat_event(
            state,
            message=message,
            error_message=result.error.message if result.error and state == "error" else UNSET,
            # The published schema has none of a run that was aborted.
            usage=usage_object(result.usage) if state != "aborted" else UNSET,
            stop_reason=_stop_reason(result) if state == "final" else UNSET,
        )
        self._step("chat", event)

    def _step(self, name: EventName, payload: AgentEvent | ChatEvent) -> None:
        tail = self._tail(name, payload)
        self.size += len(tail)
        self._steps.append(_Step(name, tail, len(self._reasoning), len(self._text), self._chat))
        self._due = len(self._steps)
        self._grows = None

    def _turn_over(self) -> None:
        """The other text grows from now on. So both have one order, in which they are counted."""
        self._steps.append(_Step("agent", b"", len(self._reasoning), len(self._text), 0))

    def _tail(self, name: EventName, payload: AgentEvent | ChatEvent) -> bytes:
        return _encode(payload)[len(self._heads[name]) + 1 :]

    def _agent(self, stream: str, data: dict[str, Any]) -> AgentEvent:
        session_key = UNSET if self._session_key is None else self._session_key
        return AgentEvent(self._run_id, 0, stream, self._now_ms, data, session_key, self._agent_id)

    def _chat_event(self, state: ChatState, **more: Any) -> ChatEvent:
        return ChatEvent(self._run_id, self._session_key or "", 0, state, **more)


def _head(payload: AgentEvent | ChatEvent) -> bytes:
    """What all events of a run begin with, up to its number, which is 0 here."""
    encoded = _encode(payload)
    return encoded[: encoded.index(b'"seq":0') + len(b'"seq":')]


def _stop_reason(result: RunResult) -> str:
    """A message that another run has taken up has no answer of its own."""
    return "steered" if result.taken_by else result.finish_reason or "stop"


def _message(text: str, now_ms: int) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "timestamp": now_ms}
