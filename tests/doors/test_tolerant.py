"""`tolerant`: a body in the words of the Responses API at /v1/chat/completions, as Cursor sends it."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from openclaw_gateway.doors.openai.chat import decode_chat
from openclaw_gateway.doors.openai.tolerant import decode_tolerant
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import ask, user
from tests.doors.tool_replies import calls

ON = {"gateway": {"http": {"endpoints": {"chatCompletions": {"tolerant": True}}}}}
FLAT: Any = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
NESTED: Any = {
    "type": "function",
    "function": {name: FLAT[name] for name in ("name", "parameters", "strict")},
}
CALL: Any = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}}
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
SCHEMA: Any = {"name": "answer", "schema": {"type": "object"}, "strict": True}


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(model_config(models.base_url, ON)) as gateway:
        yield gateway


def encoded(body: Any) -> bytes:
    return msgspec.json.encode(body)


@pytest.mark.parametrize(
    ("sent", "means"),
    [
        ({"input": "hi"}, {"messages": [user("hi")]}),
        ({"input": [user("hi")], "stream": True}, {"messages": [user("hi")], "stream": True}),
        (
            {"messages": [user("hi")], "instructions": "Be brief."},
            {"messages": [{"role": "system", "content": "Be brief."}, user("hi")]},
        ),
        (
            {
                "instructions": "Be brief.",
                "input": [
                    {"role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                    {"type": "reasoning", "id": "rs_1", "summary": []},
                    {
                        "type": "message",
                        "id": "msg_1",
                        "status": "completed",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "Let me look.", "annotations": []}],
                    },
                    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"a":1}'},
                    {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": ""},
                    {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
                    {
                        "type": "function_call_output",
                        "call_id": "c2",
                        "output": [{"type": "input_text", "text": "rain"}],
                    },
                ],
                "tools": [FLAT],
                "tool_choice": {"type": "function", "name": "weather"},
            },
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "system", "content": "Be kind."},
                    user("hi"),
                    {
                        "role": "assistant",
                        "content": "Let me look.",
                        "tool_calls": [
                            CALL,
                            {"id": "c2", "type": "function", "function": {"name": "weather"}},
                        ],
                    },
                    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
                    {"role": "tool", "tool_call_id": "c2", "content": "rain"},
                ],
                "tools": [NESTED],
                "tool_choice": {"type": "function", "function": {"name": "weather"}},
            },
        ),
        (
            {
                "input": [
                    user("hi"),
                    {"role": "assistant", "content": None, "tool_calls": [CALL]},
                    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
                ]
            },
            {
                "messages": [
                    user("hi"),
                    {"role": "assistant", "content": None, "tool_calls": [CALL]},
                    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
                ]
            },
        ),
        (
            {
                "messages": [
                    user("hi"),
                    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"a":1}'},
                    {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
                ]
            },
            {
                "messages": [
                    user("hi"),
                    {"role": "assistant", "content": None, "tool_calls": [CALL]},
                    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
                ]
            },
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": PNG}]}]},
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}]},
        ),
        (
            {
                "input": "hi",
                "max_output_tokens": 9,
                "reasoning": {"effort": "low", "summary": "auto"},
                "text": {"format": {"type": "json_schema", **SCHEMA}},
                "stream_options": {"include_usage": True},
                "metadata": {"a": "b"},
            },
            {
                "messages": [user("hi")],
                "max_completion_tokens": 9,
                "reasoning_effort": "low",
                "response_format": {"type": "json_schema", "json_schema": SCHEMA},
                "stream_options": {"include_usage": True},
                "metadata": {"a": "b"},
            },
        ),
        (
            {"input": "hi", "text": {"format": {"type": "text"}}},
            {"messages": [user("hi")], "response_format": {"type": "text"}},
        ),
        ({"messages": [user("hi")], "tools": [FLAT]}, {"messages": [user("hi")], "tools": [NESTED]}),
    ],
)
def test_either_way_of_saying_it_is_the_same_request(sent: Any, means: Any) -> None:
    assert decode_tolerant(encoded(sent), 100) == decode_chat(encoded(means), 100)
    assert decode_tolerant(encoded(means), 100) == decode_chat(encoded(means), 100)


def test_what_is_left_out_is_named() -> None:
    body = {
        "input": [user("hi"), {"type": "web_search_call", "id": "ws_1"}],
        "tools": [FLAT, {"type": "custom", "name": "apply"}, {"type": "web_search"}],
        "include": ["reasoning.encrypted_content"],
        "text": {"verbosity": "low"},
    }
    asked = decode_tolerant(encoded(body), 100)
    assert set(asked.ignored) == {
        "include",
        "verbosity",
        "input.web_search_call",
        "tools.custom",
        "tools.web_search",
    }
    assert asked.client_tools.names == {"weather"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "hi", "previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": "hi", "conversation": "c"}, "conversation"),
        ({"input": 7}, "input"),
        ({"input": [7]}, "input[0]"),
        ({"input": []}, "messages"),
        ({"input": [user("a"), {"type": "item_reference", "id": "msg_1"}]}, "input[1]"),
        ({"input": [user("a"), {"type": "function_call", "name": "x"}]}, "input[1]"),
        ({"input": [user("a"), {"type": "function_call_output", "output": "x"}]}, "input[1].tool_call_id"),
        (
            {"instructions": "I", "input": [{"type": "reasoning"}, {"role": "wizard", "content": "a"}]},
            "input[1].role",
        ),
        ({"instructions": "I", "messages": [{"role": "wizard", "content": "a"}]}, "messages[0].role"),
        ({"instructions": 7, "messages": [user("a")], "max_output_tokens": 0}, "max_completion_tokens"),
        ({}, "messages"),
    ],
)
def test_what_cannot_be_is_refused_where_the_client_wrote_it(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_tolerant(encoded(body), 100)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ('{"input": [{"role": "user", "content": "hi", "x": 1e999}]}', "input"),
        ('{"input": "hi", "tools": [1e999]}', "tools"),
        ('{"input": "hi", "text": {"x": 1e999}}', "text"),
        ('{"input": "hi", "reasoning": {"x": 1e999}}', "reasoning"),
        *(
            (
                f'{{"messages": [{{"role": "assistant", "content": "a", "tool_calls": {calls}}}, '
                '{"type": "function_call", "name": "f", "call_id": "c"}, {"role": "user", "content": "b"}]}',
                "messages[0].tool_calls",
            )
            for calls in ("5", "true", '{"a": 1}')
        ),
    ],
)
def test_what_has_another_shape_is_refused(body: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_tolerant(body.encode(), 100)
    assert refused.value.param == param


@pytest.mark.promise("tolerant")
async def test_the_answer_is_a_chat_completion(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(calls(("c1", "weather", "{}")), says("Warm."))
    body: dict[str, Any] = {"model": "openclaw", "input": [user("How is it?")], "tools": [FLAT]}
    first = await ask(there, body)
    assert (first.status, first.json["object"]) == (200, "chat.completion")
    assert first.json["choices"][0]["finish_reason"] == "tool_calls"
    made = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}
    frames = (await ask(there, {**body, "input": [user("How is it?"), made, result], "stream": True})).frames
    assert frames[0]["object"] == "chat.completion.chunk"
    assert [one["role"] for one in models.requests[-1].body["messages"]][1:] == ["user", "assistant", "tool"]


async def test_without_it_the_refusal_names_the_key(gateway: RunningGateway) -> None:
    refused = await ask(gateway, {"model": "openclaw", "input": "hi"})
    assert (refused.status, refused.error["code"]) == (400, "responses_body")
    assert "gateway.http.endpoints.chatCompletions.tolerant" in refused.error["message"]
