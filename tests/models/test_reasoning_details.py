"""OpenRouter's reasoning goes back as it came, in however many pieces it was told."""

import msgspec
from msgspec import Raw

from openclaw_gateway.models.apis.openai_completions import api as openai_completions
from openclaw_gateway.models.replay import replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.messages import AssistantMessage, Reasoning, ToolCall, UserMessage
from tests.models.calls import apart

TARGET = ModelTarget(Endpoint("openrouter", "https://openrouter.ai/api/v1"), "m")
TOLD = [
    {"reasoning": "First ", "reasoning_details": [{"type": "reasoning.text", "text": "First ", "index": 0}]},
    {
        "reasoning": "this.",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "this.", "index": 0, "format": "anthropic-claude-v1"},
            {"type": "reasoning.text", "signature": "sig", "text": None, "index": 0},
        ],
    },
    {"content": "Let me look."},
    {
        "tool_calls": [{"index": 0, "id": "c1", "function": {"name": "ls", "arguments": "{}"}}],
        "reasoning_details": [{"type": "reasoning.encrypted", "data": "AAA", "id": "c1", "index": 1}],
    },
]
WHOLE = [
    {
        "type": "reasoning.text",
        "text": "First this.",
        "index": 0,
        "format": "anthropic-claude-v1",
        "signature": "sig",
    },
    {"type": "reasoning.encrypted", "data": "AAA", "id": "c1", "index": 1},
]


def test_details_go_back_whole_and_in_order() -> None:
    parser = openai_completions.parser(Vendor("openrouter"))
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in TOLD]
    events = apart([*parser.feed([msgspec.json.encode(chunk) for chunk in chunks]), *parser.ending()])
    (sealed,) = (event for event in events if type(event).__name__ == "Sealed")
    assert msgspec.json.decode(sealed.payload) == WHOLE  # type: ignore[union-attr]
    assert parser.tool_calls == (ToolCall("c1", "ls", "{}"),)


def test_only_the_model_that_thought_it_gets_it_back() -> None:
    details = Raw(msgspec.json.encode(WHOLE))
    said = AssistantMessage((Reasoning("First this.", details), *CALLS), made_by=TARGET.made_by)

    def sent(target: ModelTarget) -> object:
        request = ModelRequest("", replay([UserMessage("a"), said], target))
        body = openai_completions.body(target, request, stream_usage=True)
        return msgspec.json.decode(body)["messages"][1].get("reasoning_details")

    assert sent(TARGET) == WHOLE
    assert sent(ModelTarget(TARGET.endpoint, "another")) is None


CALLS = (ToolCall("c1", "ls", "{}"),)


def test_a_seal_of_gemini_through_the_openai_mode_stays_on_its_call() -> None:
    parser = openai_completions.parser(Vendor("google"))
    extra = {"google": {"thought_signature": "S"}}
    call = {"index": 0, "id": "c1", "function": {"name": "ls", "arguments": "{}"}, "extra_content": extra}
    parser.feed([msgspec.json.encode({"choices": [{"delta": {"tool_calls": [call]}}]})])
    parser.ending()
    said = AssistantMessage(parser.tool_calls, made_by=TARGET.made_by)
    request = ModelRequest("", replay([UserMessage("a"), said], TARGET))
    sent = msgspec.json.decode(openai_completions.body(TARGET, request, stream_usage=True))
    assert sent["messages"][1]["tool_calls"][0]["extra_content"] == extra


def test_a_call_of_another_model_is_said_to_be_unsealed_to_gemini_through_the_openai_mode() -> None:
    url = "https://generativelanguage.googleapis.com/v1beta/openai"
    gemini = ModelTarget(Endpoint("google", url), "gemini-3-pro-preview")
    foreign = AssistantMessage(
        (ToolCall("c1", "ls", "{}"), ToolCall("c2", "ls", "{}")), made_by=TARGET.made_by
    )
    request = ModelRequest("", replay([UserMessage("a"), foreign], gemini))
    sent = msgspec.json.decode(openai_completions.body(gemini, request, stream_usage=True))
    seals = [call.get("extra_content") for call in sent["messages"][1]["tool_calls"]]
    assert seals == [{"google": {"thought_signature": "skip_thought_signature_validator"}}, None]
