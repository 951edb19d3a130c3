"""A transcript as the client saw it: the agent's own tools left no trace, the client's did."""

import pytest

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.sessions.client_view import as_seen, check_tool_results, without_orphans
from openclaw_gateway.sessions.reconcile import reconcile
from openclaw_gateway.wire.messages import (
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)


def calls(*ids: str) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(call_id, "f", "{}") for call_id in ids)


U = UserMessage
A = assistant


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
    assert reconcile(as_seen(stored), [*seen, new]) == (len(seen), (new,))


@pytest.mark.parametrize(
    ("before", "sent", "left"),
    [
        ([], [U("q"), A("", calls("1")), theirs("1")], [0, 1, 2]),
        ([A("", calls("1"))], [theirs("1")], [0]),
        # A client that cut the beginning of what it resends.
        ([], [theirs("1"), A("a"), U("p")], [1, 2]),
        ([], [theirs("1"), theirs("2"), U("p")], [2]),
        ([A("", calls("1"))], [theirs("2"), theirs("1"), U("p")], [1, 2]),
        ([], [theirs("1"), A("", calls("2")), theirs("2")], [1, 2]),
        ([], [theirs("1"), U("p"), A("Well,")], [1, 2]),
        ([], [U("q"), theirs("1")], [0]),
        # A result before its call is none of it.
        ([], [theirs("1"), A("", calls("1")), U("q")], [1, 2]),
    ],
)
def test_results_without_their_call_are_left_out(
    before: list[Message], sent: list[Message], left: list[int]
) -> None:
    assert without_orphans(before, sent) == tuple(sent[at] for at in left)


@pytest.mark.parametrize("sent", [[theirs("2")], [U("q"), A("a"), theirs("2")], [theirs("1"), theirs("2")]])
def test_a_request_that_asks_about_nothing_else_is_refused(sent: list[Message]) -> None:
    with pytest.raises(InvalidRequest, match="'2'") as caught:
        without_orphans([U("q"), A("", calls("3"))], sent)
    assert caught.value.code == "unknown_tool_call_id"


@pytest.mark.promise("error.missing_tool_results")
def test_the_results_of_one_message_come_together() -> None:
    check_tool_results([U("q"), A("", calls("1", "2")), theirs("1"), theirs("2")])
    check_tool_results([U("q"), A("", calls("1", "2")), theirs("1"), U("never mind")])
    with pytest.raises(InvalidRequest, match="2") as caught:
        check_tool_results([U("q"), A("", calls("1", "2")), theirs("1")])
    assert caught.value.code == "missing_tool_results"
