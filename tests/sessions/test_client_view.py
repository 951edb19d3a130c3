"""A transcript as the client saw it: the agent's own tools left no trace, the client's did."""

import pytest

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.sessions.client_view import as_seen, check_tool_results
from openclaw_gateway.sessions.reconcile import reconcile
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage


def calls(*ids: str) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(call_id, "f", "{}") for call_id in ids)


U = UserMessage
A = AssistantMessage


def own(call_id: str) -> ToolMessage:
    return ToolMessage(call_id, "r", own=True)


def theirs(call_id: str) -> ToolMessage:
    return ToolMessage(call_id, "r")


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        ([U("q"), A("a")], [U("q"), A("a")]),
        ([U("q"), A("", calls("1")), own("1"), A("a")], [U("q"), A("a")]),
        (
            [U("q"), A("wait", calls("1")), own("1"), A("", calls("2")), own("2"), A("a"), U("p"), A("b")],
            [U("q"), A("wait\n\na"), U("p"), A("b")],
        ),
        (
            [U("q"), A("x", calls("1", "2")), own("1"), theirs("2"), A("a")],
            [U("q"), A("x", calls("2")), theirs("2"), A("a")],
        ),
        (
            [U("q"), A("x", calls("1")), own("1"), A("y", calls("2")), theirs("2"), A("z")],
            [U("q"), A("x\n\ny", calls("2")), theirs("2"), A("z")],
        ),
        # The same id once of an own tool, once of the client's.
        (
            [U("q"), A("", calls("1")), own("1"), A("a"), U("p"), A("", calls("1")), theirs("1"), A("b")],
            [U("q"), A("a"), U("p"), A("", calls("1")), theirs("1"), A("b")],
        ),
    ],
)
def test_as_seen(stored: list[Message], seen: list[Message]) -> None:
    assert list(as_seen(stored)) == seen
    new = U("new")
    assert reconcile(as_seen(stored), [*seen, new]) == (new,)


def test_a_tool_result_needs_its_call() -> None:
    check_tool_results([U("q"), A("", calls("1")), theirs("1")])
    with pytest.raises(InvalidRequest, match="'2'") as caught:
        check_tool_results([U("q"), A("", calls("1")), theirs("2")])
    assert caught.value.code == "unknown_tool_call_id"
