"""Every event says whether a client may be told of it."""

from typing import get_args

from openclaw_gateway.wire.events import (
    Event,
    ReasoningDelta,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
)


def test_every_event_says_itself_whether_it_is_public() -> None:
    kinds = get_args(Event)
    assert all(isinstance(vars(kind).get("public"), bool) for kind in kinds)
    assert {kind for kind in kinds if kind.public} == {
        TextDelta,
        ReasoningDelta,
        ToolCallStarted,
        ToolCallArguments,
    }
