"""What a run emits while it goes. One log per run; every door reads the same one.

The first event is always RunStarted, the last always RunEnded, and nothing follows it.
"""

from msgspec import Struct

from openclaw_gateway.wire.run import RunResult, Usage


class RunStarted(Struct, frozen=True, tag_field="kind", tag="started"):
    """The run has its session (if any) and begins. Times are Unix milliseconds."""

    run_id: str
    agent_id: str
    session_key: str | None
    at_ms: int


class ModelCalled(Struct, frozen=True, tag_field="kind", tag="model"):
    """An attempt at a model begins."""

    provider: str
    model: str
    attempt: int = 1


class TextDelta(Struct, frozen=True, tag_field="kind", tag="text"):
    text: str


class ReasoningDelta(Struct, frozen=True, tag_field="kind", tag="reasoning"):
    text: str


class UsageReported(Struct, frozen=True, tag_field="kind", tag="usage"):
    """What one model call cost; the run's total is in RunEnded."""

    usage: Usage


class RunEnded(Struct, frozen=True, tag_field="kind", tag="ended"):
    result: RunResult
    at_ms: int


Event = RunStarted | ModelCalled | TextDelta | ReasoningDelta | UsageReported | RunEnded
