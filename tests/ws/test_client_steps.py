"""What a gateway tells of a run, as our own client takes it, whatever the gateway is."""

import tracemalloc
from typing import Any

import pytest

from openclaw_gateway.client.steps import Ended, Said, Steps
from openclaw_gateway.wire.frames import AgentEvent


@pytest.mark.parametrize("nothing", ["text", 3, True, ["x"], None])
@pytest.mark.parametrize("state", ["final", "aborted"])
def test_a_message_and_a_usage_that_are_no_objects_are_passed_over(nothing: Any, state: str) -> None:
    (ended,) = Steps().chat({"state": state, "message": nothing, "usage": nothing})
    assert isinstance(ended, Ended)
    assert ended.usage == {}


def said(text: str) -> AgentEvent:
    return AgentEvent("run", 0, "assistant", 0, {"delta": text})


def test_one_word_more_costs_the_same_behind_a_long_text() -> None:
    steps = Steps()
    for _ in range(64):
        steps.agent(said("x" * 16_384))
    tracemalloc.start()
    try:
        assert steps.agent(said("y")) == Said("y")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100_000
    assert steps.said == "x" * 16_384 * 64 + "y"
