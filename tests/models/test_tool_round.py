"""A whole tool loop in every dialect: the model calls, the result goes back, the model answers."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.testing.model_server import Call, ModelServer, Reasoning, calls, says
from openclaw_gateway.wire.events import ReasoningDelta, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.messages import Message, ToolMessage, UserMessage
from openclaw_gateway.wire.run import ToolSpec, Usage
from tests.models.calls import caller, run, target

TOOL = ToolSpec("weather", "The weather.", Raw(b'{"type":"object","properties":{"city":{"type":"string"}}}'))
ARGUMENTS = '{"city":"Oslo"}'
USAGE = Usage(30, 20, 50, 8, 0)

# Where each dialect must find the call and its result in the second request.
BACK: dict[str, list[str]] = {
    "openai-completions": ['"tool_call_id":"call_1"', '"tool_calls":[{"type":"function","id":"call_1"'],
    "openai-responses": [
        '"type":"function_call_output","call_id":"call_1"',
        '"encrypted_content":"sealed-by-m"',
    ],
    "anthropic-messages": ['"tool_use_id":"call_1"', '"signature":"sealed-by-m"', '"type":"tool_use"'],
    "ollama": ['"tool_call_id":"call_1"', '"thinking":"hm"', '"tool_calls":[{"id":"call_1"'],
    "google-generative-ai": ['"functionResponse":{"name":"weather"', '"thoughtSignature":"sealed-by-m"'],
}


@pytest.mark.promise("dialects")
@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("api", sorted(DIALECTS))
async def test_call_result_answer(models: ModelServer, api: str, *, as_json: bool) -> None:
    steps = (Reasoning("hm"), "Let me look.", Call("weather", ARGUMENTS))
    models.script("m", calls(*steps, usage=USAGE, as_json=as_json), says("It is ", "sunny."))
    messages: list[Message] = [UserMessage("weather?")]
    async with caller() as models_:
        to = target(models, api=api)
        first = await run(models_, to, messages=messages, tools=(TOOL,))
        assert first.finish_reason == "tool_calls"
        assert [(call.id, call.name, call.arguments) for call in first.tool_calls] == [
            ("call_1", "weather", ARGUMENTS)
        ]
        said = [event for event in first.events if isinstance(event, ToolCallStarted | ToolCallArguments)]
        assert said[0] == ToolCallStarted(0, "call_1", "weather")
        assert "".join(event.text for event in said if isinstance(event, ToolCallArguments)) == ARGUMENTS
        assert "".join(first.texts) == "Let me look."
        if not as_json:
            assert ReasoningDelta("hm") in first.events
        messages.append(first.said)
        messages.append(ToolMessage("call_1", "sunny"))
        second = await run(models_, to, messages=messages, tools=(TOOL,))
    assert second.finish_reason == "stop"
    assert [event for event in second.events if isinstance(event, TextDelta)] == [
        TextDelta("It is "),
        TextDelta("sunny."),
    ]
    sent = msgspec.json.encode(models.requests[1].body).decode()
    sealed = [] if as_json else BACK.get(api, BACK["openai-completions"])
    assert [what for what in sealed if what not in sent] == []


@pytest.mark.promise("usage")
@pytest.mark.parametrize("api", sorted(DIALECTS))
async def test_usage_means_the_same_everywhere(models: ModelServer, api: str) -> None:
    models.script("m", says("ok", usage=USAGE, finish="length"))
    async with caller() as models_:
        outcome = await run(models_, target(models, api=api))
    assert outcome.finish_reason == "length"
    # What was cached is not told by Ollama.
    meant = msgspec.structs.replace(USAGE, cached_tokens=0) if api == "ollama" else USAGE
    assert outcome.events[-1].usage == meant  # type: ignore[union-attr]


@pytest.mark.parametrize("api", sorted(DIALECTS))
async def test_the_key_is_shown_as_the_dialect_does(models: ModelServer, api: str) -> None:
    models.script("m", says("ok"))
    async with caller() as models_:
        await run(models_, target(models, api=api))
    headers: Any = models.requests[0].headers
    shown = [
        name
        for name in ("Authorization", "x-api-key", "x-goog-api-key")
        if "hunter2" in headers.get(name, "")
    ]
    expected = {"anthropic-messages": "x-api-key", "google-generative-ai": "x-goog-api-key"}
    assert shown == [expected.get(api, "Authorization")]
