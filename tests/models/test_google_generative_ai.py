"""The requests of `google-generative-ai`, and odd answers; its streams are in test_recordings."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from openclaw_gateway.models.apis.google_generative_ai import api as google_generative_ai
from openclaw_gateway.models.replay import replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import Event, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolSpec

ENDPOINT = Endpoint("google", "https://generativelanguage.googleapis.com/v1beta", "the-key")
TOOLS = (
    ToolSpec("weather", "The weather.", Raw(b'{"type":"object","properties":{"city":{"type":"string"}}}')),
    ToolSpec("time", "", Raw(b'{"type":"object","properties":{}}')),
)
HI = UserMessage("hi")


def to(model: str = "gemini-2.5-flash", **settings: Any) -> ModelTarget:
    return ModelTarget(ENDPOINT, model, api="google-generative-ai", **settings)


def body(*messages: Message, target: ModelTarget | None = None, system: str = "", **more: Any) -> Any:
    target = target or to()
    request = ModelRequest(system, replay(messages, target), **more)
    return msgspec.json.decode(google_generative_ai.body(target, request, stream_usage=True))


def parse(*chunks: Any) -> tuple[Any, list[Event]]:
    parser = google_generative_ai.parser(Vendor("acme"))
    return parser, parser.feed([msgspec.json.encode(chunk) for chunk in chunks])


def test_a_bare_request() -> None:
    assert body(HI) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    assert google_generative_ai.path(to()) == "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert google_generative_ai.path(to("models/x")) == "/models/x:streamGenerateContent?alt=sse"
    assert google_generative_ai.headers(ENDPOINT) == {"x-goog-api-key": "the-key"}


def test_a_conversation() -> None:
    said = AssistantMessage(
        (
            Text("Well."),
            ToolCall("c1", "weather", '{"city":"Oslo"}', Raw(b'{"thoughtSignature":"AAA"}')),
            ToolCall("c2", "time", "[]"),
        ),
        made_by=to().made_by,
    )
    sent = body(
        SystemMessage("second"),
        assistant("Hello."),
        UserMessage("look", images=(Image("image/png", "aGk="),)),
        said,
        ToolMessage("c1", "sunny"),
        ToolMessage("c2", "broken", is_error=True),
        system="first",
    )
    assert sent["systemInstruction"] == {"parts": [{"text": "first\n\nsecond"}]}
    assert sent["contents"] == [
        {"role": "user", "parts": [{"text": "(nothing)"}]},
        {"role": "model", "parts": [{"text": "Hello."}]},
        {
            "role": "user",
            "parts": [{"text": "look"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
        },
        {
            "role": "model",
            "parts": [
                {"text": "Well."},
                {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "AAA"},
                {"functionCall": {"name": "time", "args": {"arguments": "[]"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "weather", "response": {"output": "sunny"}}},
                {"functionResponse": {"name": "time", "response": {"error": "broken"}}},
            ],
        },
    ]


def test_a_call_another_model_made_is_said_to_be_unsealed() -> None:
    said = assistant("", (ToolCall("a", "time", "{}"), ToolCall("b", "time", "{}")))
    parts = body(HI, said, target=to("gemini-3-pro-preview"))["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["skip_thought_signature_validator", None]
    assert "thoughtSignature" not in body(HI, said)["contents"][1]["parts"][0]


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (NamedTool("time"), {"mode": "ANY", "allowedFunctionNames": ["time"]}),
    ],
)
def test_tools(choice: Any, written: Any) -> None:
    sent = body(HI, tools=TOOLS, tool_choice=choice)
    assert sent["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "weather",
                    "description": "The weather.",
                    "parametersJsonSchema": {"type": "object", "properties": {"city": {"type": "string"}}},
                },
                {"name": "time", "parametersJsonSchema": {"type": "object", "properties": {}}},
            ]
        }
    ]
    assert sent.get("toolConfig") == ({"functionCallingConfig": written} if written else None)


@pytest.mark.parametrize(
    ("model", "level", "config"),
    [
        ("gemini-2.5-flash", "low", {"includeThoughts": True, "thinkingBudget": 2048}),
        ("gemini-2.5-flash", "xhigh", {"includeThoughts": True, "thinkingBudget": 24576}),
        ("gemini-2.5-flash", "off", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini-3-pro-preview", "minimal", {"includeThoughts": True, "thinkingLevel": "low"}),
        ("gemini-3-flash-preview", "minimal", {"includeThoughts": True, "thinkingLevel": "minimal"}),
        ("gemini-3.5-flash", "xhigh", {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-3-pro-preview", "off", {"includeThoughts": False, "thinkingLevel": "low"}),
    ],
)
def test_levels_of_thinking(model: str, level: str, config: Any) -> None:
    sent = body(HI, target=to(model), sampling=Sampling(reasoning_effort=level))
    assert sent["generationConfig"] == {"thinkingConfig": config}


def test_settings_and_the_form_of_the_answer() -> None:
    schema = b'{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}'
    form = Raw(b'{"type":"json_schema","json_schema":{"name":"n","schema":' + schema + b"}}")
    asked = Sampling(0.5, 0.9, 7, ("x",), 1, 0.1, 0.2, response_format=form)
    assert body(HI, sampling=asked)["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "maxOutputTokens": 7,
        "stopSequences": ["x"],
        "seed": 1,
        "frequencyPenalty": 0.1,
        "presencePenalty": 0.2,
        "responseMimeType": "application/json",
        "responseSchema": {"type": "object", "properties": {"a": {"type": "integer"}}},
    }
    both = ModelRequest("", (HI,), asked, TOOLS, parallel_tool_calls=True)
    named = google_generative_ai.unsupported(to(), both)
    assert named == ("response_format", "parallel_tool_calls")
    assert "responseMimeType" not in body(HI, sampling=asked, tools=TOOLS)["generationConfig"]
    assert (
        "responseMimeType"
        in body(HI, sampling=asked, tools=TOOLS, target=to("gemini-3-pro"))["generationConfig"]
    )


def candidate(*parts: Any, **fields: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts)}, **fields}]}


def test_calls_without_ids_get_one() -> None:
    call = {"functionCall": {"name": "f"}}
    parser, events = parse(candidate(call, call, finishReason="STOP"))
    first, second = parser.tool_calls
    assert first.id.startswith("call_")
    assert first.id != second.id
    assert events[:2] == [ToolCallStarted(0, first.id, "f"), ToolCallArguments(0, "{}")]


@pytest.mark.parametrize(
    ("reason", "meant"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter")],
)
def test_finish_reasons(reason: str, meant: str) -> None:
    parser, _ = parse(candidate({"text": "x"}, finishReason=reason))
    assert (parser.finished, parser.done, parser.finish_reason) == (True, False, meant)


def test_a_call_nobody_can_read_is_a_failure() -> None:
    for word in ("MALFORMED_FUNCTION_CALL", "OTHER", "SOMETHING_NEW"):
        parser, _ = parse(candidate(finishReason=word, finishMessage="print(x)"))
        assert parser.failure.reason == "server_error"


def test_whole_answers() -> None:
    answer = [candidate({"text": "a"}), candidate({"text": "b"}, finishReason="STOP")]
    for body_, texts in ((answer, ["a", "b"]), (answer[1], ["b"])):
        parser = google_generative_ai.parser(Vendor("acme"))
        assert parser.whole(msgspec.json.encode(body_)) == [TextDelta(text) for text in texts]
        assert parser.done
    parser = google_generative_ai.parser(Vendor("acme"))
    parser.whole(b'[{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}]')
    assert parser.failure is not None
    assert parser.failure.reason == "rate_limit"
