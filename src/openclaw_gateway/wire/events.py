"""What a run emits while it goes. One log per run; every door reads the same one.

The first event is always RunStarted, the last always RunEnded, and nothing follows it. An event is
`public` when the client that asked may be told of it: it is part of the answer. The others are what goes
on behind an answer, which is the operator's business; how a run ended, a client is told in its own way.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from msgspec import Raw, Struct

from openclaw_gateway.wire.run import RunResult, Usage


class RunStarted(Struct, frozen=True, tag_field="kind", tag="started"):
    """The run has its session (if any) and begins. Times are Unix milliseconds."""

    public: ClassVar[bool] = False
    run_id: str
    agent_id: str
    session_key: str | None
    at_ms: int


class ModelCalled(Struct, frozen=True, tag_field="kind", tag="model"):
    """An attempt at a model begins."""

    public: ClassVar[bool] = False
    provider: str
    model: str
    attempt: int = 1


class TextDelta(Struct, frozen=True, tag_field="kind", tag="text"):
    """`pieces` are what the model's provider sent, where `text` is more than one of them."""

    public: ClassVar[bool] = True
    text: str
    pieces: tuple[str, ...] = ()


class ReasoningDelta(Struct, frozen=True, tag_field="kind", tag="reasoning"):
    public: ClassVar[bool] = True
    text: str


class ToolCallStarted(Struct, frozen=True, tag_field="kind", tag="call"):
    """The model begins to call a tool. `index` counts the calls of one model message from 0.

    In a run's log only calls of the client's tools appear; the agent's own are ToolStarted/ToolEnded.
    """

    public: ClassVar[bool] = True
    index: int
    id: str
    name: str


class ToolCallArguments(Struct, frozen=True, tag_field="kind", tag="call_arguments"):
    """The next fragment of a call's JSON arguments, as the model wrote it."""

    public: ClassVar[bool] = True
    index: int
    text: str


class Sealed(Struct, frozen=True, tag_field="kind", tag="sealed"):
    """The vendor wants `payload` back with what was said: with the last part of that kind if that has none
    yet, else with a new one that says nothing. The part is complete. Never in a run's log."""

    public: ClassVar[bool] = False
    of: Literal["text", "reasoning"]
    payload: Raw


class ToolStarted(Struct, frozen=True, tag_field="kind", tag="tool_started"):
    """One of the agent's own tools is executed. `arguments` is JSON text."""

    public: ClassVar[bool] = False
    call_id: str
    name: str
    arguments: str


class ToolUpdated(Struct, frozen=True, tag_field="kind", tag="tool_updated"):
    """Output of a tool that is still running."""

    public: ClassVar[bool] = False
    call_id: str
    name: str
    text: str


class ToolEnded(Struct, frozen=True, tag_field="kind", tag="tool_ended"):
    public: ClassVar[bool] = False
    call_id: str
    name: str
    text: str
    is_error: bool
    ms: int


class ModelFailed(Struct, frozen=True, tag_field="kind", tag="model_failed"):
    """An attempt failed. `retry_in_s` None = not with this model again; `code` is the error's."""

    public: ClassVar[bool] = False
    provider: str
    model: str
    attempt: int
    code: str
    retry_in_s: float | None = None


class Compacted(Struct, frozen=True, tag_field="kind", tag="compacted"):
    """Everything up to `covers_to_seq` is from now on told to the model as a summary."""

    public: ClassVar[bool] = False
    covers_to_seq: int


class UsageReported(Struct, frozen=True, tag_field="kind", tag="usage"):
    """What one model call cost; the run's total is in RunEnded. `model` is the reference of whom it was that
    counted, where that is not said by the ModelCalled before."""

    public: ClassVar[bool] = False
    usage: Usage
    model: str = ""


class RunEnded(Struct, frozen=True, tag_field="kind", tag="ended"):
    public: ClassVar[bool] = False
    result: RunResult
    at_ms: int


Event = (
    RunStarted
    | ModelCalled
    | ModelFailed
    | TextDelta
    | ReasoningDelta
    | ToolCallStarted
    | ToolCallArguments
    | Sealed
    | ToolStarted
    | ToolUpdated
    | ToolEnded
    | Compacted
    | UsageReported
    | RunEnded
)


def begins_anew(events: Sequence[Event], place: int) -> bool:
    """Whether who has read `place` events of a run is told of another beginning of it: what he knows of the
    run so far counts no more."""
    return place > 0 and len(events) > 0 and type(events[0]) is RunStarted


_SAYING = frozenset({TextDelta, ReasoningDelta, ToolCallStarted, ToolCallArguments})


def say_something(events: Iterable[Event]) -> bool:
    """Whether a reader is told something by them: text, reasoning or a call."""
    # A loop, for each batch of an answer passes here: a generator costs as much as three events.
    for event in events:  # noqa: SIM110
        if type(event) in _SAYING:
            return True
    return False
