"""The requests of `anthropic-messages`, and its answers in one piece; its streams are in test_recordings."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from openclaw_gateway.models.apis.anthropic_messages import api as anthropic_messages
from openclaw_gateway.models.replay import replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import ReasoningDelta, Sealed, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    MadeBy,
    Message,
    Reasoning,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolSpec

ENDPOINT = Endpoint("anthropic", "https://api.anthropic.com/v1", "the-key")
MADE_BY = MadeBy("anthropic", "anthropic-messages", "claude-sonnet-4-5")
SEALED = Reasoning("hm", Raw(b'{"signature":"c2VhbA"}'))
TOOLS = (
    ToolSpec("weather", "The weather.", Raw(b'{"type":"object","properties":{"city":{"type":"string"}}}')),
    ToolSpec("time", "", Raw(b'{"type":"object"}')),
)
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {}}}},
}
FORM = Raw(msgspec.json.encode({"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}))


def claude(model: str = "claude-sonnet-4-5", **settings: Any) -> ModelTarget:
    return ModelTarget(ENDPOINT, model, api="anthropic-messages", **settings)


def body(*messages: Message, to: ModelTarget | None = None, system: str = "", **more: Any) -> dict[str, Any]:
    to = to or claude(cache="")
    request = ModelRequest(system, replay(messages, to), **more)
    raw = anthropic_messages.body(to, request, stream_usage=True)
    return dict(msgspec.json.decode(raw))


def test_a_bare_request() -> None:
    assert body(UserMessage("hi")) == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 64000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "stream": True,
    }
    assert body(UserMessage("hi"), to=claude("their-own"))["max_tokens"] == 8192


def test_who_we_are() -> None:
    assert anthropic_messages.headers(ENDPOINT) == {"anthropic-version": "2023-06-01", "x-api-key": "the-key"}
    assert anthropic_messages.path(claude()) == "/messages"
    bare = ModelTarget(Endpoint("acme", "https://acme.example/anthropic"), "m")
    assert anthropic_messages.path(bare) == "/v1/messages"
    assert "x-api-key" not in anthropic_messages.headers(bare.endpoint)


def test_turns_alternate_whatever_the_conversation_was() -> None:
    sent = body(
        SystemMessage("second"),
        assistant("Good morning. "),
        UserMessage("a"),
        UserMessage("b", images=(Image("image/png", "aGk="),)),
        AssistantMessage(
            (
                SEALED,
                Text("Let me look."),
                ToolCall("call_1", "f", '{"x":1}'),
                ToolCall("c2", "g", ""),
            ),
            made_by=MADE_BY,
        ),
        ToolMessage("call_1", "one"),
        ToolMessage("c2", "", is_error=True),
        UserMessage("and?"),
        assistant(" "),
        system="first",
    )
    assert sent["system"] == [{"type": "text", "text": "first\n\nsecond"}]
    assert sent["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "(nothing)"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Good morning."}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "text", "text": "b"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2VhbA"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "c2", "name": "g", "input": {"arguments": ""}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "one"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "(nothing)", "is_error": True},
                {"type": "text", "text": "and?"},
            ],
        },
    ]


def test_what_the_vendor_hid_goes_back_hidden() -> None:
    hidden = Reasoning(payload=Raw(b'{"data":"ZGF0YQ"}'))
    said = AssistantMessage((hidden, Text("b")), made_by=MADE_BY)
    sent = body(UserMessage("a"), said)
    assert sent["messages"][1]["content"][0] == {"type": "redacted_thinking", "data": "ZGF0YQ"}


@pytest.mark.parametrize(
    ("ttl", "mark"),
    [("5m", {"type": "ephemeral"}), ("1h", {"type": "ephemeral", "ttl": "1h"}), ("", None)],
)
def test_what_may_be_kept_is_marked(ttl: str, mark: Any) -> None:
    sent = body(UserMessage("a"), UserMessage("b"), to=claude(cache=ttl), system="s", tools=TOOLS)
    first, last = sent["messages"][0]["content"]
    assert "cache_control" not in first
    assert "cache_control" not in sent["tools"][0]
    marks = [sent["system"][0], sent["tools"][1], last]
    assert [block.get("cache_control") for block in marks] == [mark] * 3


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        ("auto", None, None),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        (NamedTool("time"), True, {"type": "tool", "name": "time", "disable_parallel_tool_use": False}),
    ],
)
def test_tools(choice: Any, parallel: bool | None, written: Any) -> None:
    sent = body(UserMessage("a"), tools=TOOLS, tool_choice=choice, parallel_tool_calls=parallel)
    assert sent["tools"] == [
        {
            "name": "weather",
            "description": "The weather.",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
        {"name": "time", "input_schema": {"type": "object"}},
    ]
    assert sent.get("tool_choice") == written


def budget(tokens: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens}


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("model", "asked", "thinking", "rest"),
    [
        ("claude-sonnet-4-5", ("low", None), budget(2048), (64000, None)),
        ("claude-sonnet-4-5", ("high", 5000), budget(16384), (21384, None)),
        ("claude-sonnet-4-5", ("high", 60000), budget(16384), (64000, None)),
        ("claude-sonnet-4-5", ("max", None), budget(62976), (64000, None)),
        ("claude-sonnet-4-5", ("adaptive", None), budget(8192), (64000, None)),
        ("claude-3-7-sonnet-20250219", ("minimal", None), budget(1024), (64000, None)),
        ("claude-opus-4-6", ("xhigh", None), ADAPTIVE, (128000, "high")),
        ("claude-opus-4-6", ("max", None), ADAPTIVE, (128000, "max")),
        ("claude-opus-4-6", ("adaptive", 100), ADAPTIVE, (8292, None)),
        ("claude-opus-4-6", ("off", 100), None, (100, None)),
        ("claude-opus-4-7", ("xhigh", 100), ADAPTIVE, (32868, "xhigh")),
        ("claude-opus-5", ("minimal", None), ADAPTIVE, (128000, "low")),
        ("claude-opus-5", ("off", None), {"type": "disabled"}, (128000, None)),
        ("claude-sonnet-5-5", ("off", None), {"type": "between_tools"}, (128000, None)),
        ("claude-opus-5.5", ("off", 100), ADAPTIVE, (2148, "low")),
        ("theirs", ("medium", None), budget(8192), (16384, None)),
    ],
)
def test_levels_of_thinking(model: str, asked: tuple[str, int | None], thinking: Any, rest: Any) -> None:
    """`rest` is the limit of the answer and the effort that is named."""
    sampling = Sampling(reasoning_effort=asked[0], temperature=0.5)
    if asked[1] is not None:
        sampling = msgspec.structs.replace(sampling, max_tokens=asked[1])
    sent = body(UserMessage("a"), to=claude(model), sampling=sampling)
    assert sent.get("thinking") == thinking
    assert (sent["max_tokens"], sent.get("output_config", {}).get("effort")) == rest
    assert ("temperature" in sent) is (thinking is None)


def test_thinking_gives_way_to_what_the_vendor_refuses_beside_it() -> None:
    think = Sampling(reasoning_effort="low")
    insisted = body(UserMessage("a"), tools=TOOLS, tool_choice="required", sampling=think)
    assert "thinking" not in insisted
    calls = (ToolCall("c", "time", "{}"),)
    of_another = (UserMessage("a"), assistant("", calls), ToolMessage("c", "9"))
    assert "thinking" not in body(*of_another, sampling=think)
    assert "thinking" in body(*of_another, UserMessage("b"), sampling=think)
    own = (UserMessage("a"), AssistantMessage((SEALED, *calls), made_by=MADE_BY), ToolMessage("c", "9"))
    assert "thinking" in body(*own, sampling=think)


def test_who_cannot_be_made_to_call_a_tool_is_asked_to_and_the_field_is_named() -> None:
    request = ModelRequest("", (UserMessage("a"),), tools=TOOLS, tool_choice="required")
    newest = claude("claude-opus-5-5", cache="")
    assert "tool_choice" not in body(UserMessage("a"), to=newest, tools=TOOLS, tool_choice="required")
    assert anthropic_messages.unsupported(newest, request) == ("tool_choice",)
    before = claude("claude-opus-5", cache="")
    sent = body(UserMessage("a"), to=before, tools=TOOLS, tool_choice="required")
    assert (sent["tool_choice"], sent["thinking"]) == ({"type": "any"}, {"type": "disabled"})
    assert anthropic_messages.unsupported(before, request) == ()


def test_who_thinks_unasked_has_room_for_it_beside_the_answer() -> None:
    sent = body(UserMessage("a"), to=claude("claude-sonnet-5"), sampling=Sampling(max_tokens=100))
    assert ("thinking" not in sent, sent["max_tokens"]) == (True, 100 + 16384)


def test_sampling() -> None:
    asked = Sampling(temperature=1.7, top_p=0.5, stop=("END", "\n"), seed=1, max_tokens=5)
    sent = body(UserMessage("a"), sampling=asked)
    del sent["messages"], sent["model"], sent["stream"]
    assert sent == {"max_tokens": 5, "temperature": 1.0, "stop_sequences": ["END"]}
    old = body(UserMessage("a"), to=claude("claude-3-opus-20240229"), sampling=asked)
    assert (old["temperature"], old["top_p"]) == (1.0, 0.5)


def test_a_schema_is_closed_as_the_vendor_wants_it() -> None:
    sent = body(UserMessage("a"), sampling=Sampling(response_format=FORM))
    schema = sent["output_config"]["format"]["schema"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["a"]["items"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("model", "asked", "names"),
    [
        ("claude-sonnet-4-5", Sampling(seed=1, frequency_penalty=1, presence_penalty=1), 3),
        ("claude-sonnet-4-5", Sampling(temperature=1, top_p=1), ("top_p",)),
        ("claude-opus-4-8", Sampling(temperature=1, top_p=1), ("temperature", "top_p")),
        ("claude-sonnet-4-5", Sampling(temperature=1, reasoning_effort="low"), ("temperature",)),
        ("claude-sonnet-4-5", Sampling(max_tokens=9, reasoning_effort="low"), ()),
        ("claude-3-opus-20240229", Sampling(reasoning_effort="low"), ("reasoning_effort",)),
        ("claude-sonnet-4-5", Sampling(max_tokens=9, reasoning_effort="off"), ()),
        ("claude-3-opus-20240229", Sampling(response_format=FORM), ("response_format",)),
        ("claude-sonnet-4-5", Sampling(response_format=FORM), ()),
        ("claude-sonnet-4-5", Sampling(response_format=Raw(b'{"type":"json_object"}')), ("response_format",)),
        ("claude-sonnet-4-5", Sampling(response_format=Raw(b'{"type":"text"}')), ()),
    ],
)
def test_what_has_no_effect_is_named(model: str, asked: Sampling, names: Any) -> None:
    request = ModelRequest("", (UserMessage("a"),), asked)
    found = anthropic_messages.unsupported(claude(model), request)
    assert found == names if isinstance(names, tuple) else len(found) == names


def test_a_whole_message() -> None:
    parser = anthropic_messages.parser(Vendor("acme"))
    message = {
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Yes."},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    assert parser.whole(msgspec.json.encode(message)) == [
        ReasoningDelta("hm"),
        Sealed("reasoning", Raw(b'{"signature":"s"}')),
        TextDelta("Yes."),
        ToolCallStarted(0, "t", "f"),
        ToolCallArguments(0, '{"x":1}'),
    ]
    assert parser.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("reason", "meant"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
    ],
)
def test_stop_reasons(reason: str, meant: str) -> None:
    parser = anthropic_messages.parser(Vendor("acme"))
    parser.feed([msgspec.json.encode({"type": "message_delta", "delta": {"stop_reason": reason}})])
    assert (parser.finished, parser.finish_reason) == (True, meant)


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "message": "Overloaded, too many tokens"},
        {"type": "error", "error": "too many tokens"},
        {"error": {"message": "too many tokens"}},
    ],
)
def test_errors_as_proxies_write_them(error: Any) -> None:
    parser = anthropic_messages.parser(Vendor("acme"))
    assert parser.feed([msgspec.json.encode(error)]) == []
    assert parser.failure is not None
    assert parser.failure.reason == "context_overflow"
    assert "too many tokens" in parser.failure.message
