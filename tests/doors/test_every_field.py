"""Every field of OpenAI's chat request has an effect or is named; and the older words for tools."""

from typing import Any

import msgspec
import pytest
from openai.types.chat.chat_completion_stream_options_param import ChatCompletionStreamOptionsParam
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from openclaw_gateway.doors.openai.chat import decode_chat
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import ask, sdk, user
from tests.doors.tool_replies import calls

HI: dict[str, Any] = {"messages": [user("hi")]}
WEATHER: Any = {"name": "weather", "parameters": {"type": "object"}}
TOOL: Any = {"type": "function", "function": WEATHER}
# A field of today's request, with a value: what is made of it depends on it.
SERVED: dict[str, Any] = {
    "frequency_penalty": 1,
    "function_call": "none",
    "functions": [WEATHER],
    "max_completion_tokens": 5,
    "max_tokens": 5,
    "messages": [user("ho")],
    "metadata": {"a": "b"},
    "model": "openclaw/main",
    "parallel_tool_calls": False,
    "presence_penalty": 1,
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "seed": 1,
    "stop": "x",
    "store": True,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "tool_choice": "none",
    "tools": [TOOL],
    "top_p": 0.5,
    "user": "ann",
}
# What is done anyway.
NOTHING_ELSE: dict[str, Any] = {"logprobs": False, "modalities": ["text"], "n": 1}
IGNORED: dict[str, Any] = {
    "audio": {"format": "mp3", "voice": "alloy"},
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "modalities": ["text", "audio"],
    "moderation": {},
    "prediction": {"type": "content", "content": "x"},
    "prompt_cache_key": "k",
    "prompt_cache_options": {},
    "prompt_cache_retention": "24h",
    "safety_identifier": "s",
    "service_tier": "flex",
    "top_logprobs": 2,
    "verbosity": "low",
    "web_search_options": {},
}


def decoded(**fields: Any) -> Any:
    return decode_chat(msgspec.json.encode({**HI, **fields}), 100)


def test_the_list_is_that_of_the_published_request() -> None:
    published = CompletionCreateParamsStreaming.__annotations__.keys()
    assert {*SERVED, *NOTHING_ELSE, *IGNORED} == {*published}
    assert {*ChatCompletionStreamOptionsParam.__annotations__} == {"include_usage", "include_obfuscation"}


@pytest.mark.parametrize("name", SERVED)
def test_a_field_that_is_served_counts(name: str) -> None:
    asked = decoded(**{name: SERVED[name]})
    assert asked != decoded()
    assert asked.ignored == ()


@pytest.mark.parametrize("name", NOTHING_ELSE)
def test_what_is_done_anyway_may_be_asked_for(name: str) -> None:
    assert decoded(**{name: NOTHING_ELSE[name]}) == decoded()


@pytest.mark.parametrize("name", IGNORED)
def test_a_field_without_effect_is_named(name: str) -> None:
    assert decoded(**{name: IGNORED[name]}).ignored == (name,)


async def test_all_of_them_are_named_in_the_answer(gateway: RunningGateway) -> None:
    options = {"stream": True, "stream_options": {"include_obfuscation": True}}
    answer = await ask(gateway, {**HI, **IGNORED, **options})
    named = set(answer.headers["x-openclaw-ignored-params"].split(", "))
    assert named == {*IGNORED, "stream_options.include_obfuscation"}


async def test_answers_have_what_the_published_schema_demands(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.enqueue(says("a"), calls(("c1", "weather", "{}")), says("a"))
    for fields in ({}, {"tools": [TOOL]}):
        answer = (await ask(gateway, {**HI, **fields})).json
        assert answer.keys() >= {"id", "choices", "created", "model", "object"}
        (choice,) = answer["choices"]
        assert choice.keys() == {"index", "message", "finish_reason", "logprobs"}
        assert choice["logprobs"] is None
        assert choice["message"].keys() >= {"role", "content", "refusal"}
        assert choice["message"]["refusal"] is None
    *frames, done = (await ask(gateway, {**HI, "stream": True})).frames
    assert done == "[DONE]"
    for frame in frames:
        assert frame.keys() >= {"id", "choices", "created", "model", "object"}
        assert all(each.keys() >= {"index", "delta", "finish_reason"} for each in frame["choices"])


async def test_functions_are_answered_as_they_were_asked(
    gateway: RunningGateway, models: ModelServer
) -> None:
    two = calls(("c1", "weather", '{"city":"Paris"}'), ("c2", "weather", "{}"))
    models.enqueue(two, two, says("Warm."))
    async with sdk(gateway) as client:
        asked: Any = {"model": "openclaw", "functions": [WEATHER], "function_call": {"name": "weather"}}
        messages: Any = [user("How is it?")]
        answer = await client.chat.completions.create(messages=messages, store=True, **asked)
        sent = models.requests[-1].body
        assert [tool["function"]["name"] for tool in sent["tools"]] == ["weather"]
        assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
        assert answer.choices[0].finish_reason == "function_call"
        message = answer.choices[0].message
        assert message.function_call is not None
        assert (message.function_call.name, message.function_call.arguments) == (
            "weather",
            '{"city":"Paris"}',
        )
        assert message.tool_calls is None
        assert (await client.chat.completions.retrieve(answer.id)).choices == answer.choices
        stream = await client.chat.completions.create(messages=messages, stream=True, **asked)
        deltas = [chunk.choices[0] async for chunk in stream]
        said = [each.delta.function_call for each in deltas if each.delta.function_call]
        assert [one.name for one in said if one.name] == ["weather"]
        assert "".join(one.arguments or "" for one in said) == '{"city":"Paris"}'
        assert deltas[-1].finish_reason == "function_call"
        result = {"role": "function", "name": "weather", "content": "sunny"}
        messages = [*messages, message.model_dump(exclude_none=True), result]
        last = await client.chat.completions.create(messages=messages, model="openclaw", functions=[WEATHER])
        assert (last.choices[0].message.content, last.choices[0].finish_reason) == ("Warm.", "stop")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": [WEATHER], "tools": [TOOL]}, "functions"),
        ({"functions": [{"name": "a b"}]}, "functions[0].name"),
        ({"functions": [WEATHER, WEATHER]}, "functions[1].name"),
        ({"functions": [WEATHER], "function_call": {"name": "other"}}, "function_call"),
        ({"functions": [WEATHER], "function_call": "sometimes"}, "function_call"),
        ({"functions": {}}, "functions"),
    ],
)
def test_functions_that_cannot_be_are_refused_by_their_own_name(fields: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decoded(**fields)
    assert refused.value.param == param
    assert "tool_choice" not in refused.value.message or param == "functions"
