"""A run as a client is told of it, in steps: what is new in each event, and nothing twice. Pure.

The gateway tells a run from its beginning to whoever begins to follow it. After a lost connection it is
therefore told again, and what is known already is left out here.
"""

from typing import Any, Literal

from msgspec import Struct

from openclaw_gateway.wire.frames import AgentEvent

Ending = Literal["completed", "aborted", "failed"]


class Said(Struct, frozen=True):
    text: str


class Thought(Struct, frozen=True):
    text: str


class ToolBegan(Struct, frozen=True):
    """`arguments` is JSON as the model wrote it, or its text where it wrote none."""

    call_id: str
    name: str
    arguments: Any


class ToolWorks(Struct, frozen=True):
    """What a tool has written since."""

    call_id: str
    name: str
    text: str


class ToolDone(Struct, frozen=True):
    call_id: str
    name: str
    failed: bool
    text: str
    ms: int


class ModelFailed(Struct, frozen=True):
    """The next model, or the same one again, is asked."""

    model: str
    code: str


class Compacted(Struct, frozen=True):
    """What was said earlier has been summed up for the model."""


class Waits(Struct, frozen=True):
    """`before` runs of the session come first."""

    before: int


class Ended(Struct, frozen=True):
    """`reason` is the model's for a run that completed; `message` and `code` are of one that failed. `usage`
    is tokens in the protocol's words, {} where it is not told."""

    status: Ending
    reason: str = ""
    message: str = ""
    code: str = ""
    usage: dict[str, int] = {}


Step = Said | Thought | ToolBegan | ToolWorks | ToolDone | ModelFailed | Compacted | Waits | Ended


class Steps:
    """What is known of one run; it has `begun` once its turn has come."""

    def __init__(self) -> None:
        # The pieces of its text, and how long they are: to put them together at each would be quadratic.
        self._pieces: list[str] = []
        self._length = 0
        self.ended = False
        self.begun = False
        self._thought = 0
        self._inside = 0
        self._code = ""
        self.begin_again()

    @property
    def said(self) -> str:
        """Its text so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def begin_again(self) -> None:
        """What comes next is told from the run's beginning."""
        self._text_at = self._thought_at = self._inside_at = 0

    def agent(self, event: AgentEvent) -> Step | None:
        """What an `agent` event of the run brings; None where that is nothing new."""
        self.begun = True
        data = event.data
        match event.stream, data.get("phase"):
            case ("assistant", _):
                return self._text(str(data.get("delta", "")))
            case ("thinking", _):
                return self._thinking(str(data.get("delta", "")))
            case ("lifecycle", "error"):
                self._code = str(data.get("code") or "")
                return None
            case _:
                step = _inside(event.stream, data)
        if step is None:
            return None
        # They come in the same order whenever the run is told.
        self._inside_at += 1
        if self._inside_at <= self._inside:
            return None
        self._inside = self._inside_at
        return step

    def chat(self, payload: dict[str, Any]) -> tuple[Step, ...]:
        """What a `chat` event brings: the end, and before it what of the text no event told."""
        state = payload.get("state")
        if state not in ("final", "aborted", "error") or self.ended:
            return ()
        missing = self._missing(message_text(_object(payload.get("message"))))
        self.ended = True
        if state == "error":
            text = str(payload.get("errorMessage") or "The run failed.")
            return (*missing, Ended("failed", message=text, code=self._code))
        usage = _object(payload.get("usage"))
        if state == "aborted":
            return (*missing, Ended("aborted", usage=usage))
        return (*missing, Ended("completed", str(payload.get("stopReason") or "stop"), usage=usage))

    def found(self, ending: Ended, text: str) -> tuple[Step, ...]:
        """It has ended while nobody was told; `text` is what it answered in all, as far as that is known."""
        if self.ended:
            return ()
        self.ended = True
        return (*self._rest(text), ending)

    def _missing(self, text: str) -> tuple[Said, ...]:
        return self._rest(text) if text.startswith(self.said) else ()

    def _rest(self, text: str) -> tuple[Said, ...]:
        new = text[len(self.said) :] if text.startswith(self.said) else f"\n\n{text}"
        if not new.strip() or self.said.endswith(text):
            return ()
        self._add(new)
        return (Said(new),)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _text(self, delta: str) -> Said | None:
        new = delta[max(0, self._length - self._text_at) :]
        self._text_at += len(delta)
        if new:
            self._add(new)
        return Said(new) if new else None

    def _thinking(self, delta: str) -> Thought | None:
        new = delta[max(0, self._thought - self._thought_at) :]
        self._thought_at += len(delta)
        self._thought += len(new)
        return Thought(new) if new else None


def _object(value: Any) -> dict[str, Any]:
    """It comes from the network: what is no object has nothing in it."""
    return value if isinstance(value, dict) else {}


def _inside(stream: str, data: dict[str, Any]) -> Step | None:
    """What goes on in a run besides its words."""
    call_id, name = str(data.get("toolCallId", "")), str(data.get("name", ""))
    match stream, data.get("phase"):
        case ("tool", "start"):
            return ToolBegan(call_id, name, data.get("args"))
        case ("tool", "update"):
            return ToolWorks(call_id, name, str(data.get("partialResult", "")))
        case ("tool", "result"):
            failed, ms = data.get("isError") is True, data.get("durationMs")
            text = str(data.get("result", ""))
            return ToolDone(call_id, name, failed, text, ms if isinstance(ms, int) else 0)
        case ("lifecycle", "model_failed"):
            return ModelFailed(f"{data.get('provider')}/{data.get('model')}", str(data.get("code")))
        case ("compaction", "end"):
            return Compacted()
        case _:
            return None


def message_text(message: dict[str, Any]) -> str:
    """The text of a message of the protocol, without what was thought."""
    return content_text(message.get("content"))


def content_text(content: Any) -> str:
    """The text of its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))
