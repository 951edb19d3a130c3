"""POST /v1/responses: through the real `openai` client, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel

from openclaw_gateway.doors.openai.response_events import ResponseVoice
from openclaw_gateway.doors.openai.response_object import ResponseObject
from openclaw_gateway.doors.openai.responses import decode_responses
from openclaw_gateway.errors import GatewayError, InvalidRequest, ProviderError
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Cut, ModelServer, Reasoning, fails, says
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.wire.run import RunResult, Usage
from tests.doors.chat import Answer, http, sdk
from tests.doors.tool_replies import calls

ON = {"gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}}}
MISSING = "previous_response_not_found"
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(model_config(models.base_url, ON)) as gateway:
        yield gateway


async def post(
    gateway: RunningGateway, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Answer:
    async with (
        http(gateway) as session,
        session.post("/v1/responses", json=body, headers=headers) as response,
    ):
        return Answer(response.status, response.headers.copy(), await response.text())


@pytest.mark.promise("responses")
async def test_create(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says(Reasoning("hm"), "Hello ", "there", usage=Usage(9, 2, 11, 4, 1)))
    async with sdk(there) as client:
        answer = await client.responses.create(model="openclaw", input="hi", instructions="Be brief.")
    assert answer.output_text == "Hello there"
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert (answer.status, answer.id[:5], answer.instructions) == ("completed", "resp_", "Be brief.")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (9, 2, 11)
    assert answer.usage.input_tokens_details.cached_tokens == 4
    assert answer.usage.output_tokens_details.reasoning_tokens == 1
    sent = models.requests[-1].body
    assert sent["messages"][-1] == {"role": "user", "content": "hi"}
    assert "Be brief." in sent["messages"][0]["content"]


def checked(events: list[ResponseStreamEvent]) -> Response:
    """The rules of the stream; the response that its last event holds."""
    kinds = [event.type for event in events]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert kinds[:2] == ["response.created", "response.in_progress"]
    added = [event.item.id for event in events if event.type == "response.output_item.added"]
    done = [event.item.id for event in events if event.type == "response.output_item.done"]
    last = events[-1]
    assert last.type in ("response.completed", "response.incomplete")
    assert sorted(done, key=str) == sorted(added, key=str)
    assert added == [item.id for item in last.response.output]
    assert len(set(added)) == len(added)
    return last.response


async def streamed(gateway: RunningGateway, **fields: Any) -> list[ResponseStreamEvent]:
    async with sdk(gateway) as client:
        stream = await client.responses.create(model="openclaw", stream=True, **fields)
        return [event async for event in stream]


async def test_stream(there: RunningGateway, models: ModelServer) -> None:
    models.script(
        "mock-echo", says(Reasoning("hm, "), Reasoning("yes"), "a", "b", " c", usage=Usage(7, 3, 10))
    )
    events = await streamed(there, input="hi")
    response = checked(events)
    assert [e.delta for e in events if e.type == "response.output_text.delta"] == ["a", "b", " c"]
    assert [e.delta for e in events if e.type == "response.reasoning_summary_text.delta"] == ["hm, ", "yes"]
    assert [e.type for e in events[2:]] == [
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        *["response.reasoning_summary_text.delta"] * 2,
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 3,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert response.output_text == "abc"[:2] + " c"
    assert response.usage is not None
    assert response.usage.total_tokens == 10


async def test_calls_of_the_client_s_tools_and_their_results(
    there: RunningGateway, models: ModelServer
) -> None:
    models.enqueue(
        calls(("c1", "weather", '{"city":"Oslo"}'), ("c2", "weather", '{"city":"Rome"}')),
        says("Cold and warm."),
    )
    events = await streamed(there, input="How is it?", tools=[WEATHER])
    response = checked(events)
    asked = [item for item in response.output if item.type == "function_call"]
    assert [one.arguments for one in asked] == ['{"city":"Oslo"}', '{"city":"Rome"}']
    told = [e.arguments for e in events if e.type == "response.function_call_arguments.done"]
    assert told == [one.arguments for one in asked]
    history: list[Any] = [{"role": "user", "content": "How is it?"}]
    history += [item.model_dump(exclude_none=True) for item in response.output]
    history += [
        {"type": "function_call_output", "call_id": one.call_id, "output": f"{at} degrees"}
        for at, one in enumerate(asked)
    ]
    async with sdk(there) as client:
        answer = await client.responses.create(model="openclaw", input=history, tools=[WEATHER])
    assert answer.output_text == "Cold and warm."
    upstream = models.requests[-1].body["messages"][-4:]
    assert [one["role"] for one in upstream] == ["user", "assistant", "tool", "tool"]
    assert [one["tool_call_id"] for one in upstream[2:]] == [c["id"] for c in upstream[1]["tool_calls"]]
    assert [one["content"] for one in upstream[2:]] == ["0 degrees", "1 degrees"]


async def test_whole_and_stream_end_in_the_same_response(there: RunningGateway, models: ModelServer) -> None:
    for reply in (
        says("x", finish="length"),
        says("x", finish="content_filter"),
        calls(("c1", "weather", "{}")),
    ):
        models.enqueue(reply, reply)
        fields: Any = {"input": "hi", "tools": [WEATHER], "metadata": {"a": "b"}, "max_output_tokens": 9}
        response = checked(await streamed(there, **fields))
        async with sdk(there) as client:
            whole = await client.responses.create(model="openclaw", **fields)
        own = {"id", "created_at", "completed_at", "output"}
        assert whole.model_dump(exclude=own) == response.model_dump(exclude=own)
        assert [item.type for item in whole.output] == [item.type for item in response.output]
        assert whole.metadata == {"a": "b"}


async def test_when_it_was_complete_is_said_of_what_is(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(says("one"), says("two"), says("three", finish="length"), fails(401))
    async with sdk(there) as client:
        whole = await client.responses.create(model="openclaw", input="hi")
        events = await streamed(there, input="hi")
        response = checked(events)
        for each in (whole, response):
            assert each.completed_at is not None
            assert 0 <= each.completed_at - each.created_at <= 60
            assert await client.responses.retrieve(each.id) == each
        begun = [e.response for e in events if e.type in ("response.created", "response.in_progress")]
        cut = await client.responses.create(model="openclaw", input="hi")
        background = await client.responses.create(model="openclaw", input="hi", background=True)
        await there.wait_no_runs()
        failed = await client.responses.retrieve(background.id)
    assert (cut.status, failed.status) == ("incomplete", "failed")
    assert [each.completed_at for each in (*begun, cut, background, failed)] == [None] * 5


async def test_structured_output(there: RunningGateway, models: ModelServer) -> None:
    class Point(BaseModel):
        x: int

    models.script("mock-echo", says('{"x": 3}'))
    async with sdk(there) as client:
        answer = await client.responses.parse(model="openclaw", input="hi", text_format=Point)
    assert answer.output_parsed == Point(x=3)
    wanted = models.requests[-1].body["response_format"]
    assert wanted["type"] == "json_schema"
    assert (wanted["json_schema"]["name"], wanted["json_schema"]["strict"]) == ("Point", True)


async def test_failures_are_statuses_before_the_first_word_and_events_behind_it(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", fails(401))
    async with sdk(there) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.responses.create(model="openclaw", input="hi")
        with pytest.raises(openai.AuthenticationError):
            await client.responses.create(model="openclaw", input="hi", stream=True)
    models.script("mock-echo", says("half", Cut()))
    last = (await streamed(there, input="hi"))[-1]
    assert last.type == "response.failed"
    assert last.response.status == "failed"
    assert last.response.error is not None
    assert (last.response.error.code, bool(last.response.error.message)) == ("server_error", True)
    (item,) = last.response.output
    assert item.type == "message"
    assert item.status == "incomplete"
    assert last.response.output_text == "half"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProviderError("rate_limit", "x"), "rate_limit_exceeded"),
        (ProviderError("overloaded", "x"), "server_error"),
        (ProviderError("context_overflow", "x"), "context_length_exceeded"),
        (ProviderError("billing", "x"), "insufficient_quota"),
        (InvalidRequest("x", code="images_unsupported"), "invalid_prompt"),
        (GatewayError("x"), "server_error"),
    ],
)
def test_a_failed_response_says_why_in_openai_s_words(error: GatewayError, code: str) -> None:
    voice = ResponseVoice(ResponseObject("chatcmpl_1", 1, "openclaw", {}))
    said = msgspec.json.decode(voice.failure(error_info(error)).split(b"data: ")[1].split(b"\n")[0])
    assert said["response"]["error"] == {"code": code, "message": "x"}


@pytest.mark.promise("responses-left-out")
async def test_tools_of_the_vendor_alone_are_left_out_and_named(
    there: RunningGateway, models: ModelServer
) -> None:
    tools = [WEATHER, {"type": "web_search"}, {"type": "namespace", "name": "n", "tools": []}]
    body = {
        "model": "openclaw",
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
            {"type": "tool_search_call", "arguments": {"goal": "x"}, "content": {}},
        ],
        "tools": tools,
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "prompt_cache_key": "k",
    }
    answer = await post(there, body)
    assert answer.status == 200
    ignored = answer.headers["x-openclaw-ignored-params"].split(", ")
    assert {
        "include",
        "prompt_cache_key",
        "tools.web_search",
        "tools.namespace",
        "input.web_search_call",
        "input.computer_call_output",
        "input.tool_search_call",
    } == {*ignored}
    sent = models.requests[-1].body
    assert [tool["function"]["name"] for tool in sent["tools"] if "weather" in str(tool)] == ["weather"]
    assert "Be kind." in sent["messages"][0]["content"]


@pytest.mark.promise("error.chat_body", "error.previous_response_not_found", "error.item_not_found")
@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({}, "input", "invalid_request"),
        ({"messages": []}, "messages", "chat_body"),
        ({"input": ""}, "input", "missing_user_message"),
        ({"input": []}, "input", "missing_user_message"),
        ({"input": 5}, "input", "invalid_request"),
        ({"input": [{"role": "alien", "content": "x"}]}, "input[0].role", "invalid_request"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]", "item_not_found"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0]", "invalid_request"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id", "invalid_request"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0]",
            "invalid_file",
        ),
        (
            {"input": "x", "previous_response_id": "resp_1"},
            "previous_response_id",
            "previous_response_not_found",
        ),
        ({"input": "x", "previous_response_id": "resp_" + "0" * 32}, "previous_response_id", MISSING),
        (
            {"input": "x", "previous_response_id": "r", "conversation": "c"},
            "previous_response_id",
            "invalid_request",
        ),
        ({"input": "x", "conversation": " "}, "conversation", "invalid_request"),
        ({"input": "x", "conversation": {"id": ""}}, "conversation", "invalid_request"),
        ({"input": "x", "prompt": {"id": "p"}}, "prompt", "invalid_request"),
        ({"input": [{"role": "user", "content": {}}]}, "input[0].content", "invalid_request"),
        (
            {"input": [{"type": "function_call", "name": "f", "call_id": "c", "arguments": {}}]},
            "input[0].arguments",
            "invalid_request",
        ),
        (
            {"input": [{"type": "function_call_output", "call_id": "c", "output": {}}]},
            "input[0].output",
            "invalid_request",
        ),
        ({"input": "x", "background": True, "store": False}, "background", "invalid_request"),
        ({"input": "x", "max_output_tokens": 0}, "max_output_tokens", "invalid_request"),
        ({"input": "x", "text": {"format": {"type": "json_schema"}}}, "text.format", "invalid_request"),
        ({"input": "x", "tool_choice": "required"}, "tool_choice", "invalid_request"),
    ],
)
async def test_what_is_wrong_is_named(
    there: RunningGateway, fields: dict[str, Any], param: str, code: str
) -> None:
    answer = await post(there, {"model": "openclaw", **fields})
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, param, code)


async def test_a_user_has_a_conversation(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(says("one"), says("two"))
    for text in ("first", "second"):
        answer = await post(there, {"model": "openclaw", "input": text, "user": "ann"})
        assert answer.headers["x-openclaw-session-key"].endswith("ann")
    said = [one["content"] for one in models.requests[-1].body["messages"][-3:]]
    assert said == ["first", "one", "second"]


@pytest.mark.promise("responses-kept", "error.response_not_found")
async def test_a_response_is_kept_gone_on_from_and_deleted(
    there: RunningGateway, models: ModelServer
) -> None:
    models.enqueue(says(Reasoning("hm"), "one"), says("two"), says("three"), says("other"))
    async with sdk(there) as client:
        first = await client.responses.create(model="openclaw", input="first", instructions="Be A.")
        second = await client.responses.create(
            model="openclaw", input="second", previous_response_id=first.id, user="ann"
        )
        await client.responses.create(model="openclaw", input="third", previous_response_id=second.id)
        assert said(models) == ["first", "one", "second", "two", "third"]
        assert "Be A." not in str(models.requests[-1].body["messages"][0])
        # Another answer from the same place.
        other = await client.responses.create(model="openclaw", input="again", previous_response_id=first.id)
        assert said(models) == ["first", "one", "again"]
        assert other.previous_response_id == first.id
        again = await client.responses.retrieve(first.id)
        assert again == first
        listed = await client.responses.input_items.list(second.id)
        assert [item.type for item in listed.data] == ["message"]
        await client.responses.delete(first.id)
        for call in (client.responses.retrieve, client.responses.delete):
            with pytest.raises(openai.NotFoundError, match="not found"):
                await call(first.id)
        with pytest.raises(openai.BadRequestError, match="not all before it is kept"):
            await client.responses.create(model="openclaw", input="x", previous_response_id=second.id)
        unkept = await client.responses.create(model="openclaw", input="x", store=False)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(unkept.id)


def said(models: ModelServer) -> list[str]:
    return [one["content"] for one in models.requests[-1].body["messages"] if one["role"] != "system"]


async def test_items_may_be_named_instead_of_sent(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(calls(("c1", "weather", "{}"), text="Let me look."), says("Warm."))
    asked: Any = {"role": "user", "content": "How is it?"}
    async with sdk(there) as client:
        first = await client.responses.create(model="openclaw", input=[asked], tools=[WEATHER])
        call = first.output[-1]
        assert call.type == "function_call"
        named: Any = [{"type": "item_reference", "id": item.id} for item in first.output]
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "20 degrees"}
        answer = await client.responses.create(
            model="openclaw", input=[asked, *named, result], tools=[WEATHER]
        )
    assert answer.output_text == "Warm."
    upstream = [one for one in models.requests[-1].body["messages"] if one["role"] != "system"]
    assert [one["role"] for one in upstream] == ["user", "assistant", "tool"]
    assert upstream[1]["content"] == "Let me look."
    assert upstream[2]["content"] == "20 degrees"


async def test_the_agent_s_own_tools_are_remembered_with_a_response(
    there: RunningGateway, models: ModelServer
) -> None:
    models.enqueue(calls(("c1", "session_status", "{}")), says("Fine."), says("Still."))
    async with sdk(there) as client:
        first = await client.responses.create(model="openclaw", input="How are you?")
        await client.responses.create(model="openclaw", input="And now?", previous_response_id=first.id)
    roles = [one["role"] for one in models.requests[-1].body["messages"] if one["role"] != "system"]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


async def test_a_conversation_is_named(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(says("one"), says("two"))
    for text in ("first", "second"):
        answer = await post(there, {"model": "openclaw", "input": text, "conversation": {"id": "Conv 1"}})
        assert answer.json["conversation"] == {"id": "Conv 1"}
    assert said(models) == ["first", "one", "second"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/responses", 405),
        ("GET", "/v1/responses/resp_1", 404),
        ("GET", "/v1/responses/../x", 404),
        ("GET", "/v1/responses/resp_1/nosuch", 404),
        ("POST", "/v1/responses/resp_1/cancel", 404),
        ("DELETE", "/v1/responses/%00", 404),
        ("PUT", "/v1/responses/resp_1", 405),
    ],
)
async def test_paths_of_responses(there: RunningGateway, method: str, path: str, status: int) -> None:
    async with http(there) as session, session.request(method, path) as response:
        assert response.status == status


async def test_off_unless_switched_on(gateway: RunningGateway) -> None:
    answer = await post(gateway, {"model": "openclaw", "input": "hi"})
    assert (answer.status, answer.error["code"]) == (404, "endpoint_disabled")
    assert "gateway.http.endpoints.responses.enabled" in answer.error["message"]
    assert "use Responses API" in answer.error["message"]


async def test_images_are_seen(there: RunningGateway, models: ModelServer) -> None:
    pixel = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
        "RU5ErkJggg=="
    )
    part = {"type": "input_image", "image_url": pixel, "detail": "auto"}
    answer = await post(
        there,
        {
            "model": "openclaw",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "?"}, part]}],
        },
    )
    if answer.status == 200:
        assert pixel[:40] in msgspec.json.encode(models.requests[-1].body).decode()
    else:
        assert answer.error["code"] == "images_unsupported"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 1 << 70}, "max_output_tokens"),
        ({"reasoning": {"effort": "x" * 33}}, "reasoning.effort"),
        ({"text": {"format": {"type": "json_schema", "schema": None}}}, "text.format.schema"),
        ({"text": {"format": {"type": "json_schema", "schema": []}}}, "text.format.schema"),
    ],
)
def test_what_no_provider_takes_is_refused_as_in_a_chat(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_responses(msgspec.json.encode({"input": "hi", **fields}), 64)
    assert refused.value.param == param


def test_a_verbosity_that_no_model_is_told_of_is_named() -> None:
    asked = {"input": "hi", "text": {"verbosity": "low", "format": {"type": "text"}}}
    assert decode_responses(msgspec.json.encode(asked), 64).ignored == ("text.verbosity",)


def test_what_was_written_to_a_cache_is_told() -> None:
    result = RunResult("completed", "hi", usage=Usage(9, 2, 11, 4, 1, 3))
    usage = ResponseObject("chatcmpl_1", 0, "m", {}).resource(result)["usage"]
    assert usage["input_tokens_details"] == {"cached_tokens": 4, "cache_write_tokens": 3}
