"""Tool calls in chat completion chunks, in the shapes that providers really send."""

from typing import Any

import msgspec
import pytest

from openclaw_gateway.models.apis.openai_completions.stream import ChunkParser
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import Event, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.messages import ToolCall


def parse(*deltas: dict[str, Any], finish: str | None = "tool_calls") -> tuple[ChunkParser, list[Event]]:
    parser = ChunkParser(Vendor("acme"))
    events: list[Event] = []
    for delta in [*deltas, None]:
        choice = {"index": 0, "delta": delta or {}, "finish_reason": None if delta else finish}
        events += parser.feed([msgspec.json.encode({"choices": [choice]})])
    events += parser.feed([b"[DONE]"])
    return parser, events + parser.ending()


def piece(
    index: int | None = None, call_id: str | None = None, name: str | None = None, arguments: Any = None
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    call = {"index": index, "id": call_id, "function": function, "type": "function"}
    return {"tool_calls": [{key: value for key, value in call.items() if value is not None}]}


def test_as_openai_sends_them() -> None:
    parser, events = parse(
        {"role": "assistant", "content": None},
        piece(0, "call_a", "weather", ""),
        piece(0, arguments='{"city"'),
        piece(0, arguments=': "Oslo"}'),
        piece(1, "call_b", "time", ""),
        piece(1, arguments="{}"),
    )
    assert events == [
        ToolCallStarted(0, "call_a", "weather"),
        ToolCallArguments(0, '{"city"'),
        ToolCallArguments(0, ': "Oslo"}'),
        ToolCallStarted(1, "call_b", "time"),
        ToolCallArguments(1, "{}"),
    ]
    assert parser.finish_reason == "tool_calls"
    assert parser.tool_calls == (
        ToolCall("call_a", "weather", '{"city": "Oslo"}'),
        ToolCall("call_b", "time", "{}"),
    )


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        # All calls at once, without an index.
        (
            [
                {
                    "tool_calls": [
                        {"id": "a", "function": {"name": "f", "arguments": '{"x":1}'}},
                        {"id": "b", "function": {"name": "f", "arguments": '{"x":2}'}},
                    ]
                }
            ],
            [("a", "f", '{"x":1}'), ("b", "f", '{"x":2}')],
        ),
        # The same index for two calls: their ids tell them apart.
        (
            [piece(0, "a", "f", '{"x":1}'), piece(0, "b", "g", '{"x":2}')],
            [("a", "f", '{"x":1}'), ("b", "g", '{"x":2}')],
        ),
        # Id and name again in every delta.
        (
            [piece(0, "a", "f", '{"x"'), piece(0, "a", "f", ":1}")],
            [("a", "f", '{"x":1}')],
        ),
        # An empty string for what is not new.
        ([piece(0, "a", "f", "{"), piece(0, "", "", "}")], [("a", "f", "{}")]),
        # A name in two halves.
        (
            [piece(0, "a", "get_"), piece(0, None, "weather"), piece(0, None, None, "{}")],
            [("a", "get_weather", "{}")],
        ),
        # The name first, the id later.
        ([piece(0, None, "f"), piece(0, "a", None, "{}")], [("a", "f", "{}")]),
        # No arguments at all.
        ([piece(0, "a", "f")], [("a", "f", "{}")]),
        ([piece(0, "a", "f", "")], [("a", "f", "{}")]),
        # The object itself instead of its text.
        ([piece(0, "a", "f", {"x": 1})], [("a", "f", '{"x":1}')]),
        # Calls side by side.
        (
            [
                piece(0, "a", "f"),
                piece(1, "b", "g"),
                piece(0, None, None, '{"x":1}'),
                piece(1, None, None, "{}"),
            ],
            [("a", "f", '{"x":1}'), ("b", "g", "{}")],
        ),
    ],
)
def test_in_other_shapes(deltas: list[dict[str, Any]], calls: list[tuple[str, str, str]]) -> None:
    parser, events = parse(*deltas)
    assert parser.tool_calls == tuple(ToolCall(*call) for call in calls)
    assert [event for event in events if isinstance(event, ToolCallStarted)] == [
        ToolCallStarted(index, call[0], call[1]) for index, call in enumerate(calls)
    ]
    for index, call in enumerate(calls):
        said = [e.text for e in events if isinstance(e, ToolCallArguments) and e.index == index]
        assert "".join(said) == call[2]


@pytest.mark.parametrize(
    "deltas",
    [
        [piece(0, None, "f", "{}"), piece(1, None, "f", "{}")],
        [piece(None, None, "f", "{}"), piece(None, None, "f", "{}")],
        [piece(0, "same", "f", "{}"), piece(1, "same", "f", "{}")],
        [piece(None, "same", "f", "{}"), piece(None, "same", "f", "{}")],
    ],
)
def test_every_call_has_an_id_of_its_own(deltas: list[dict[str, Any]]) -> None:
    first, second = parse(*deltas)[0].tool_calls
    assert first.id != second.id
    assert second.id.startswith("call_")
    assert (first.arguments, second.arguments) == ("{}", "{}")


def test_the_form_before_tools() -> None:
    parser, _ = parse(
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"x":1}'}},
        finish="function_call",
    )
    (call,) = parser.tool_calls
    assert (call.name, call.arguments) == ("f", '{"x":1}')
    assert parser.finish_reason == "tool_calls"


def test_a_finish_reason_may_come_before_the_last_arguments() -> None:
    parser = ChunkParser(Vendor("acme"))
    for delta in (piece(0, "a", "f"), piece(0, arguments='{"x":1}')):
        choice = {"delta": delta, "finish_reason": "tool_calls"}
        parser.feed([msgspec.json.encode({"choices": [choice]})])
    parser.ending()
    assert parser.tool_calls == (ToolCall("a", "f", '{"x":1}'),)


def test_a_finish_reason_of_stop_changes_nothing() -> None:
    parser, _ = parse(piece(0, "a", "f", "{}"), finish="stop")
    assert parser.finish_reason == "tool_calls"
    assert len(parser.tool_calls) == 1


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_what_was_cut_off_is_not_called(finish: str) -> None:
    parser, events = parse(piece(0, "a", "f", '{"x":'), finish=finish)
    assert parser.finish_reason == finish
    assert parser.tool_calls == ()
    assert events == [ToolCallStarted(0, "a", "f"), ToolCallArguments(0, '{"x":')]


def test_text_beside_a_call() -> None:
    _, events = parse({"content": "Let me look."}, piece(0, "a", "f", "{}"))
    assert events[0] == TextDelta("Let me look.")


def test_a_whole_answer() -> None:
    parser = ChunkParser(Vendor("acme"))
    message = {"content": None, **piece(None, "a", "f", "{}")}
    body = msgspec.json.encode({"choices": [{"message": message, "finish_reason": "tool_calls"}]})
    assert parser.whole(body) == [ToolCallStarted(0, "a", "f"), ToolCallArguments(0, "{}")]
    assert parser.ending() == []
    assert parser.tool_calls == (ToolCall("a", "f", "{}"),)
