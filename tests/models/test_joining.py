"""Deltas that came together are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.models.joining import joined
from openclaw_gateway.wire.events import (
    Event,
    ModelCalled,
    ReasoningDelta,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
)

CALL = ToolCallStarted(0, "c", "t")


@pytest.mark.parametrize(
    ("came", "left"),
    [
        ([], []),
        ([TextDelta("a")], [TextDelta("a")]),
        ([TextDelta("a"), TextDelta("b")], [TextDelta("ab")]),
        (
            [ReasoningDelta("x"), ReasoningDelta("y"), TextDelta("a")],
            [ReasoningDelta("xy"), TextDelta("a")],
        ),
        ([TextDelta("a"), CALL, TextDelta("b")], [TextDelta("a"), CALL, TextDelta("b")]),
        ([CALL, ToolCallArguments(0, "{"), ToolCallArguments(0, "}")], [CALL, ToolCallArguments(0, "{}")]),
        (
            [ToolCallArguments(0, "1"), ToolCallArguments(1, "2"), ToolCallArguments(0, "3")],
            [ToolCallArguments(0, "1"), ToolCallArguments(1, "2"), ToolCallArguments(0, "3")],
        ),
    ],
)
def test_what_says_more_of_the_same_is_joined(came: list[Event], left: list[Event]) -> None:
    assert joined(came) == left


_EVENTS = st.lists(
    st.one_of(
        st.builds(TextDelta, st.text(max_size=3)),
        st.builds(ReasoningDelta, st.text(max_size=3)),
        st.builds(ToolCallArguments, st.integers(0, 1), st.text(max_size=3)),
        st.just(CALL),
        st.just(ModelCalled("p", "m")),
    )
)


@given(_EVENTS)
def test_nothing_is_lost_and_the_order_stays(events: list[Event]) -> None:
    once = joined(events)
    assert joined(once) == once
    for kind in (TextDelta, ReasoningDelta):
        words = ["".join(e.text for e in each if isinstance(e, kind)) for each in (events, once)]
        assert words[0] == words[1]
    others = [[e for e in each if isinstance(e, ToolCallStarted | ModelCalled)] for each in (events, once)]
    assert others[0] == others[1]
