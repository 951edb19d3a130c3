"""The requests of `openai-responses`, and its answers in one piece; its streams are in test_recordings."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from openclaw_gateway.models.apis.openai_responses import api as openai_responses
from openclaw_gateway.models.family import Family, Thinking
from openclaw_gateway.models.replay import replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import ReasoningDelta, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolSpec

ENDPOINT = Endpoint("openai", "https://api.openai.com/v1", "the-key")
TOOL = ToolSpec("time", "The time.", Raw(b'{"type":"object"}'))
HI = UserMessage("hi")


def to(model: str = "gpt-4.1", **settings: Any) -> ModelTarget:
    return ModelTarget(ENDPOINT, model, api="openai-responses", **settings)


def body(*messages: Message, target: ModelTarget | None = None, system: str = "", **more: Any) -> Any:
    target = target or to()
    request = ModelRequest(system, replay(messages, target), **more)
    return msgspec.json.decode(openai_responses.body(target, request, stream_usage=True))


def test_a_bare_request_leaves_nothing_at_the_vendor() -> None:
    assert body(HI) == {
        "model": "gpt-4.1",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "stream": True,
        "store": False,
    }
    assert openai_responses.headers(ENDPOINT) == {"Authorization": "Bearer the-key"}
    assert openai_responses.path(to()) == "/responses"


def test_a_conversation() -> None:
    sealed = Reasoning("hm", Raw(b'{"encrypted_content":"gAAA","id":"rs_1"}'))
    sent = body(
        SystemMessage("second"),
        UserMessage("look", images=(Image("image/png", "aGk="),)),
        AssistantMessage((sealed, Text("Well."), ToolCall("c1", "time", "{}")), made_by=to().made_by),
        ToolMessage("c1", "nine", is_error=True),
        system="first",
    )
    assert sent["instructions"] == "first\n\nsecond"
    assert sent["input"] == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "auto"},
            ],
        },
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAAA",
            "id": "rs_1",
        },
        {"role": "assistant", "content": "Well."},
        {"type": "function_call", "call_id": "c1", "name": "time", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "nine"},
    ]


@pytest.mark.parametrize(
    ("model", "level", "family", "reasoning", "sealed"),
    [
        ("gpt-4.1", None, None, None, False),
        ("gpt-5-mini", None, None, None, True),
        ("o3", "high", None, {"effort": "high", "summary": "auto"}, True),
        ("gpt-5.1", "none", None, {"effort": "none"}, True),
        ("other", "low", None, {"effort": "low", "summary": "auto"}, True),
        ("other", "low", Family(thinking=Thinking("never")), None, False),
    ],
)
def test_levels_of_thinking(
    model: str, level: str | None, family: Family | None, reasoning: Any, *, sealed: bool
) -> None:
    sampling = Sampling(reasoning_effort=level) if level else Sampling()
    sent = body(HI, target=to(model, **({} if family is None else {"family": family})), sampling=sampling)
    assert sent.get("reasoning") == reasoning
    assert sent.get("include") == (["reasoning.encrypted_content"] if sealed else None)


@pytest.mark.parametrize(
    ("choice", "written"),
    [("auto", None), ("required", "required"), (NamedTool("time"), {"type": "function", "name": "time"})],
)
def test_tools(choice: Any, written: Any) -> None:
    sent = body(HI, tools=(TOOL,), tool_choice=choice, parallel_tool_calls=True)
    assert sent["tools"] == [
        {
            "type": "function",
            "name": "time",
            "description": "The time.",
            "parameters": {"type": "object"},
            "strict": False,
        }
    ]
    assert (sent.get("tool_choice"), sent["parallel_tool_calls"]) == (written, True)


def test_settings_and_the_form_of_the_answer() -> None:
    form = b'{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}}'
    asked = Sampling(temperature=0.5, top_p=0.9, max_tokens=1, stop=("x",), seed=1, response_format=Raw(form))
    sent = body(HI, sampling=asked)
    assert (sent["temperature"], sent["top_p"], sent["max_output_tokens"]) == (0.5, 0.9, 16)
    assert sent["text"]["format"] == {
        "type": "json_schema",
        "name": "n",
        "strict": True,
        "schema": {"type": "object"},
    }
    assert "stop" not in sent
    assert openai_responses.unsupported(to(), ModelRequest("", (HI,), asked)) == ("stop", "seed")
    plain = body(HI, sampling=Sampling(response_format=Raw(b'{"type":"json_object"}')))
    assert plain["text"] == {"format": {"type": "json_object"}}


def test_a_whole_response() -> None:
    parser = openai_responses.parser(Vendor("acme"))
    response = {
        "status": "completed",
        "output": [
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "Yes."}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    assert parser.whole(msgspec.json.encode(response)) == [
        ReasoningDelta("hm"),
        TextDelta("Yes."),
        ToolCallStarted(0, "c", "f"),
        ToolCallArguments(0, "{}"),
    ]
    assert (parser.done, parser.finish_reason) == (True, "tool_calls")


@pytest.mark.parametrize(
    ("event", "finish", "failure"),
    [
        ({"type": "response.incomplete", "response": {"status": "incomplete"}}, "length", None),
        (
            {
                "type": "response.incomplete",
                "response": {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            },
            "content_filter",
            None,
        ),
        ({"type": "response.cancelled", "response": {"status": "cancelled"}}, None, "server_error"),
        (
            {"type": "error", "error": {"code": "context_length_exceeded", "message": "x"}},
            None,
            "context_overflow",
        ),
        ({"type": "error", "code": 429, "message": "slow down"}, None, "rate_limit"),
        ({"type": "error", "code": "rate_limit_exceeded", "message": {"text": 1}}, None, "rate_limit"),
        ({"type": "response.completed"}, "stop", None),
    ],
)
def test_endings(event: Any, finish: str | None, failure: str | None) -> None:
    parser = openai_responses.parser(Vendor("acme"))
    assert parser.feed([msgspec.json.encode(event)]) == []
    assert (parser.failure.reason if parser.failure else None) == failure
    if finish is not None:
        assert (parser.done, parser.finish_reason) == (True, finish)


@pytest.mark.parametrize(
    "unknown",
    [
        {"type": "response.some_new.delta", "delta": {"text": "x"}},
        {"type": "response.output_item.added", "item": {"type": "mcp_call", "arguments": {"a": 1}}},
        {"type": "response.output_item.done", "item": {"type": "new", "content": "text", "summary": {}}},
        {"type": "response.output_item.done", "item": {"type": "reasoning", "content": {"text": 1}}},
    ],
)
def test_what_is_not_known_ends_nothing(unknown: Any) -> None:
    parser = openai_responses.parser(Vendor("acme"))
    known = {"type": "response.output_text.delta", "delta": "hi"}
    assert parser.feed([msgspec.json.encode(each) for each in (unknown, known)]) == [TextDelta("hi")]
    assert parser.failure is None


def test_values_in_other_forms() -> None:
    parser = openai_responses.parser(Vendor("acme"))
    items = [
        {"type": "message", "content": "Yes."},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": {"a": 1}},
    ]
    assert parser.whole(msgspec.json.encode({"status": "completed", "output": items})) == [
        TextDelta("Yes."),
        ToolCallStarted(0, "c", "f"),
        ToolCallArguments(0, '{"a":1}'),
    ]
