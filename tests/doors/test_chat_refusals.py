"""What a wrong request is told: status, code and parameter, through a real socket."""

from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import CHAT, Answer, ask, assistant, http, say, user

HI = {"messages": [user("hi")]}
FUNCTION = {"type": "function", "function": {"name": "f"}}


@pytest.mark.promise("error-keys", "error.invalid_request")
@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"temperature": 3}, "temperature", "invalid_request"),
        ({"temperature": "x"}, "temperature", "invalid_request"),
        ({"top_p": 2}, "top_p", "invalid_request"),
        ({"frequency_penalty": 3}, "frequency_penalty", "invalid_request"),
        ({"presence_penalty": -3}, "presence_penalty", "invalid_request"),
        ({"seed": 1.5}, "seed", "invalid_request"),
        ({"seed": 10**40}, "seed", "invalid_request"),
        ({"stop": ["a"] * 5}, "stop", "invalid_request"),
        ({"stop": ""}, "stop", "invalid_request"),
        ({"stop": 5}, "stop", "invalid_request"),
        ({"max_tokens": 0}, "max_tokens", "invalid_request"),
        ({"max_completion_tokens": "x"}, "max_completion_tokens", "invalid_request"),
        ({"max_completion_tokens": 5, "max_tokens": -1}, "max_tokens", "invalid_request"),
        ({"stream": "yes"}, "stream", "invalid_request"),
        ({"stream_options": {"include_usage": "x"}}, "stream_options.include_usage", "invalid_request"),
        ({"user": 5}, "user", "invalid_request"),
        ({"n": 2}, "n", "invalid_request"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_request"),
        ({"tool_choice": "required"}, "tool_choice", "invalid_request"),
        ({"tool_choice": "bogus"}, "tool_choice", "invalid_request"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            "tool_choice",
            "invalid_request",
        ),
        ({"tools": [FUNCTION], "tool_choice": {"type": "function"}}, "tool_choice", "invalid_request"),
        ({"tool_choice": {"type": "required"}}, "tool_choice", "invalid_request"),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "banana", "function": {"name": "f"}}},
            "tool_choice.type",
            "invalid_request",
        ),
        ({"tools": {}}, "tools", "invalid_request"),
        ({"tools": [{"type": "x"}]}, "tools[0].type", "invalid_request"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "invalid_request"),
        (
            {"tools": [{"type": "function", "function": {"name": ""}}]},
            "tools[0].function.name",
            "invalid_request",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": 5}}]},
            "tools[0].function.parameters",
            "invalid_request",
        ),
        (
            {"tools": [FUNCTION] * 2},
            "tools[1].function.name",
            "invalid_request",
        ),
        ({"model": 5}, "model", "invalid_request"),
        ({"model": "openclaw/nosuch"}, "model", "agent_not_found"),
    ],
)
async def test_fields(gateway: RunningGateway, fields: dict[str, Any], param: str, code: str) -> None:
    answer = await ask(gateway, {**HI, **fields})
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert (answer.error["param"], answer.error["code"]) == (param, code)


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ([], "messages"),
        ("x", "messages"),
        ([{"role": "system", "content": "s"}], "messages"),
        ([user(" ")], "messages"),
        ([{"role": "user", "content": None}], "messages"),
        ([assistant(" ")], "messages"),
        ([{"role": "system", "content": "s"}, assistant("hi"), user(" ")], "messages"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([user("a"), {"role": "alien", "content": "x"}], "messages[1].role"),
        ([{"content": "hi"}], "messages[0]"),
        ([5], "messages[0]"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
        ([{"role": "function", "name": "f", "content": "x"}], "messages[0].name"),
        (
            [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "input_audio"}]}],
            "messages[0].content[1]",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}],
            "messages[0].content[1]",
        ),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}],
            "messages[0].content[0]",
        ),
        (
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "x"},
                        {"type": "image_url", "image_url": "data:image/png;base64,!"},
                    ],
                }
            ],
            "messages[0].content[1]",
        ),
        ([{"role": "user", "content": [{"type": "text", "text": 5}]}], "messages[0].content[0].text"),
    ],
)
async def test_messages(gateway: RunningGateway, messages: Any, param: str) -> None:
    answer = await ask(gateway, {"messages": messages})
    assert answer.status == 400
    assert answer.error["param"] == param


@pytest.mark.promise("error.invalid_json", "error.json_too_deep", "error.responses_body")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{nope", "invalid_json"),
        (b"", "invalid_request"),
        (b"[]", "invalid_json"),
        (b"null", "invalid_json"),
        (b'"x"', "invalid_json"),
        (b'{"messages":[{"role":"user","content":"\xff\xfe"}]}', "invalid_json"),
        (b'{"messages":[{"role":"user","content":"\\ud83d"}]}', "invalid_json"),
        (b'{"messages":[{"role":"user","content":"\\udc00x"}]}', "invalid_json"),
        (b'{"messages":[{"role":"user","content":NaN}]}', "invalid_json"),
        (b'{"input":"hi","model":"openclaw"}', "responses_body"),
        (b'{"x":' + b"[" * 65 + b"]" * 65 + b"}", "json_too_deep"),
        (b'{"x":' + b'{"a":' * 200_000, "json_too_deep"),
    ],
)
async def test_bodies(gateway: RunningGateway, body: bytes, code: str) -> None:
    answer = await ask(gateway, body)
    assert answer.status == 400
    assert answer.error["code"] == code
    assert answer.error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (rb'{"messages":[{"role":"user","content":"cut \ud83d"}]}', "messages[0].content"),
        (rb'{"messages":[{"role":"user","content":[{"type":"text","text":"\ude00"}]}]}',
         "messages[0].content[0].text"),
        (b'{"messages":[{"role":"user","content":"\xed\xa0\xbd"}]}', "messages[0].content"),
        (rb'{"messages":[{"role":"user","content":"x"}],"user":"\ud83d"}', "user"),
        (rb'{"messages":[{"role":"user","content":"x"}],"stop":["a","\ud83d"]}', "stop[1]"),
        (b'{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f",'
         b'"parameters":{"type":"object","title":"\xed\xa0\xbd"}}}]}', "tools[0].function.parameters.title"),
    ],
)  # fmt: skip
async def test_half_an_emoji_is_named_as_such(gateway: RunningGateway, body: bytes, param: str) -> None:
    answer = await ask(gateway, body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert param in answer.error["message"]
    assert "half of an emoji" in answer.error["message"]


async def test_strings_full_of_brackets_are_not_deep(gateway: RunningGateway) -> None:
    text = '[{"\\' * 500
    assert (await say(gateway, text)).content == text


async def test_null_fields_count_as_absent(gateway: RunningGateway) -> None:
    names = """
        temperature top_p max_tokens max_completion_tokens stop seed frequency_penalty presence_penalty
        response_format reasoning_effort n stream stream_options tools tool_choice user model metadata
        logprobs functions function_call parallel_tool_calls store service_tier
    """
    answer = await ask(gateway, {**HI, **dict.fromkeys(names.split())})
    assert answer.status == 200
    assert "x-openclaw-ignored-params" not in answer.headers


async def test_the_beginning_of_an_answer_may_stand_last(gateway: RunningGateway) -> None:
    assert (await ask(gateway, {"messages": [user("hi"), assistant("Well,")]})).status == 200


async def test_ignored_fields_are_named(gateway: RunningGateway) -> None:
    answer = await ask(gateway, {**HI, "logit_bias": {}, "logprobs": True, "bad\r\nname": 1})
    assert answer.status == 200
    named = set(answer.headers["x-openclaw-ignored-params"].split(", "))
    assert named == {"logit_bias", "logprobs"}


async def test_duplicate_keys_do_not_confuse(gateway: RunningGateway) -> None:
    body = b'{"messages":[{"role":"user","content":"one"}],"messages":[{"role":"user","content":"two"}]}'
    assert (await ask(gateway, body)).content == "two"


async def test_any_content_type_is_taken(gateway: RunningGateway) -> None:
    body = b'{"messages":[{"role":"user","content":"hi"}]}'
    for kind in ("text/plain", "application/octet-stream"):
        assert (await ask(gateway, body, headers={"Content-Type": kind})).status == 200


@pytest.mark.promise("error.model_not_found")
@pytest.mark.parametrize("model", ["gpt-4o", "agent:"])
async def test_an_unknown_model_is_not_found(gateway: RunningGateway, model: str) -> None:
    answer = await say(gateway, "hi", model=model)
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
    assert (answer.error["type"], answer.error["param"]) == ("invalid_request_error", "model")
    assert "`openclaw/main`" in answer.error["message"]


async def test_unknown_model_may_mean_the_default_agent(models: ModelServer) -> None:
    lenient = {
        "gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": True, "unknownModel": "default"}}}}
    }
    async with running_gateway(model_config(models.base_url, lenient)) as gateway:
        answer = await say(gateway, "hi", model="gpt-4o")
        assert (answer.status, answer.json["model"]) == (200, "gpt-4o")
        assert (await say(gateway, "hi", model="openclaw/nosuch")).error["code"] == "agent_not_found"


@pytest.mark.promise("error.method_not_allowed")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_methods(gateway: RunningGateway, method: str) -> None:
    async with http(gateway) as session, session.request(method, CHAT) as response:
        answer = Answer(response.status, response.headers.copy(), await response.text())
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST, GET"
    assert answer.error["code"] == "method_not_allowed"


@pytest.mark.promise("error.not_found")
async def test_unknown_path(gateway: RunningGateway) -> None:
    async with http(gateway) as session, session.post("/v1/nosuch") as response:
        answer = Answer(response.status, response.headers.copy(), await response.text())
    assert (answer.status, answer.error["code"]) == (404, "not_found")


async def test_images_reach_the_model(gateway: RunningGateway, models: ModelServer) -> None:
    picture = "data:image/png;base64,iVBORw0KGgo="
    parts = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": picture}}]
    answer = await ask(gateway, {"messages": [{"role": "user", "content": parts}]})
    assert answer.status == 200
    sent = models.requests[0].messages[-1]["content"]
    assert {"type": "image_url", "image_url": {"url": picture}} in sent
    assert {"type": "text", "text": "what is this?"} in sent
