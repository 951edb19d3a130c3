"""The endpoint through the real `openai` client."""

import asyncio
import contextlib

import msgspec
import openai
import pytest
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Hang, ModelServer, Reasoning, fails, hangs, says
from openclaw_gateway.testing.replies import Reply
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import http, say, sdk
from tests.doors.tool_replies import calls


@pytest.mark.promise("sdk")
async def test_create(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("Hello ", "there", usage=Usage(9, 2, 11, 4, 1)))
    async with sdk(gateway) as client:
        answer = await client.chat.completions.create(
            model="openclaw", messages=[{"role": "user", "content": "hi"}]
        )
    assert answer.choices[0].message.content == "Hello there"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.id.startswith("chatcmpl_")
    assert answer.model == "openclaw"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 11
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 4
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 1


async def test_stream_keeps_the_provider_s_deltas(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("a", "b", " c", finish="length"))
    async with sdk(gateway) as client:
        chunks = [
            chunk
            async for chunk in await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}], stream=True
            )
        ]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].delta.content for c in chunks[1:-1]] == ["a", "b", " c"]
    assert chunks[-1].choices[0].finish_reason == "length"
    assert len({(c.id, c.created, c.model) for c in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


@pytest.mark.promise("usage")
async def test_stream_with_usage(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("hi", usage=Usage(7, 3, 10)))
    async with sdk(gateway) as client:
        chunks = [
            chunk
            async for chunk in await client.chat.completions.create(
                model="openclaw",
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        ]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 10


async def test_reasoning_is_passed_on_apart_from_the_answer(
    gateway: RunningGateway, models: ModelServer
) -> None:
    for field in ("reasoning_content", "reasoning"):
        models.enqueue(says(Reasoning("think", field), "answer"), says(Reasoning("think", field), "answer"))
        async with sdk(gateway) as client:
            whole = await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}]
            )
            stream = await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}], stream=True
            )
            thoughts = [getattr(c.choices[0].delta, "reasoning_content", None) async for c in stream]
        assert whole.choices[0].message.content == "answer"
        assert getattr(whole.choices[0].message, "reasoning_content") == "think"  # noqa: B009
        assert [thought for thought in thoughts if thought] == ["think"]


@pytest.mark.promise("error.invalid_api_key")
async def test_wrong_key(gateway: RunningGateway) -> None:
    async with sdk(gateway, api_key="wrong") as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}]
            )
    assert caught.value.code == "invalid_api_key"


@pytest.mark.promise("error.agent_not_found")
async def test_unknown_agent(gateway: RunningGateway) -> None:
    async with sdk(gateway) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(
                model="openclaw/nosuch", messages=[{"role": "user", "content": "hi"}]
            )
    assert caught.value.code == "agent_not_found"
    assert caught.value.param == "model"
    assert caught.value.request_id


@pytest.mark.promise("endpoint-off", "error.endpoint_disabled")
async def test_endpoint_off(models: ModelServer) -> None:
    off = {"gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": False}}}}}
    async with running_gateway(model_config(models.base_url, off)) as gateway, sdk(gateway) as client:
        with pytest.raises(openai.NotFoundError, match=r"gateway\.http\.endpoints\.chatCompletions\.enabled"):
            await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}]
            )


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_fails_before_the_first_token_gives_its_status(
    gateway: RunningGateway, models: ModelServer, stream: bool
) -> None:
    models.script("mock-echo", fails(400, message="bad thing"))
    async with sdk(gateway) as client:
        with pytest.raises(openai.BadRequestError, match="bad thing") as caught:
            await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}], stream=stream
            )
    assert caught.value.code == "provider_rejected_request"


async def test_cancelling_the_client_aborts_the_upstream(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it can no more be one whose connection was cut, and which asks again."""
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 0.05)
    models.script("mock-echo", hangs())
    async with sdk(gateway) as client:
        request = asyncio.create_task(
            client.chat.completions.create(model="openclaw", messages=[{"role": "user", "content": "hi"}])
        )
        await models.wait_requests(1)
        request.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await request
        await models.wait_aborted(1)


@pytest.mark.promise("client-leaves")
async def test_closing_a_stream_aborts_the_upstream(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_gateway.doors.delivery.HEAD_LOST_S", 0.0)
    models.script("mock-echo", says("one", Hang()))
    async with sdk(gateway) as client:
        stream = await client.chat.completions.create(
            model="openclaw", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        async for chunk in stream:
            if chunk.choices[0].delta.content == "one":
                break
        await stream.close()
        await models.wait_aborted(1)


@pytest.mark.promise("agents-are-listed")
async def test_models(gateway: RunningGateway) -> None:
    async with sdk(gateway) as client:
        listed = [model.id async for model in client.models.list()]
        one = await client.models.retrieve("clawdbot/main")
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("openclaw/nosuch")
    assert listed == ["openclaw", "openclaw/default", "openclaw/main"]
    assert one.id == "clawdbot/main"


# What OpenAI's published schema demands beside what the client's types do: fields that may be null, and
# may not be left out.
MESSAGE = {"role", "content", "refusal"}
CHOICE = {"index", "message", "finish_reason", "logprobs"}
CHUNK_CHOICE = {"index", "delta", "finish_reason", "logprobs"}


@pytest.mark.parametrize(
    "reply",
    [
        says("Hello"),
        says(Reasoning("hm"), "Hello", usage=Usage(9, 2, 11, 4, 1)),
        says("cut", finish="length"),
        calls(("call_1", "f", "{}"), text="One moment."),
        calls(("call_1", "f", "{}"), ("call_2", "f", '{"a": 1}')),
    ],
)
async def test_answers_are_as_the_published_schema_has_them(
    gateway: RunningGateway, models: ModelServer, reply: Reply
) -> None:
    models.script("mock-echo", reply, reply)
    tool = {"type": "function", "function": {"name": "f"}}
    whole = await say(gateway, "hi", tools=[tool])
    ChatCompletion.model_validate_json(whole.text, strict=True)
    (choice,) = whole.json["choices"]
    assert choice.keys() >= CHOICE
    assert choice["message"].keys() >= MESSAGE
    assert (choice["logprobs"], choice["message"]["refusal"]) == (None, None)
    stream = await say(gateway, "hi", tools=[tool], stream=True, stream_options={"include_usage": True})
    *chunks, usage, done = stream.frames
    assert done == "[DONE]"
    for chunk in (*chunks, usage):
        ChatCompletionChunk.model_validate_json(msgspec.json.encode(chunk), strict=True)
        assert all(choice.keys() == CHUNK_CHOICE for choice in chunk["choices"])


async def test_the_list_of_models_is_as_the_published_schema_has_it(gateway: RunningGateway) -> None:
    async with http(gateway) as session, session.get("/v1/models") as response:
        listed = await response.json()
    assert listed["object"] == "list"
    for model in listed["data"]:
        Model.model_validate_json(msgspec.json.encode(model), strict=True)


@pytest.mark.parametrize(
    ("reply", "raised", "code"),
    [
        (fails(400, "x", code="context_length_exceeded"), openai.BadRequestError, "context_length_exceeded"),
        (fails(413, "x"), openai.BadRequestError, "context_length_exceeded"),
        (fails(404, "no such model"), openai.NotFoundError, "provider_model_not_found"),
    ],
)
async def test_the_client_raises_what_it_would_with_openai(
    gateway: RunningGateway, models: ModelServer, reply: Reply, raised: type[openai.APIStatusError], code: str
) -> None:
    models.script("mock-echo", reply)
    async with sdk(gateway) as client:
        with pytest.raises(raised) as caught:
            await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}]
            )
    assert caught.value.code == code


async def test_an_unknown_model_is_not_found(gateway: RunningGateway) -> None:
    async with sdk(gateway) as client:
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
