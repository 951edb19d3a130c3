"""POST /v1/messages at a started gateway: as Anthropic's clients ask, and what they are told."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Cut, Hold, ModelServer, Reasoning, fails, says
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import Answer, http, user
from tests.doors.tool_replies import calls
from tests.tools.test_pdf import made, saying

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
ON: dict[str, Any] = {
    "gateway": {
        "http": {"endpoints": {"chatCompletions": {"enabled": False}, "messages": {"enabled": True}}},
        "limits": {"streamKeepaliveSeconds": 0.3},
    }
}
TOOL = {"name": "look", "description": "Looks", "input_schema": {"type": "object", "properties": {}}}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(model_config(models.base_url, ON)) as gateway:
        yield gateway


def client(gateway: RunningGateway, key: str | None = None) -> aiohttp.ClientSession:
    """As the SDK sends it."""
    headers = {"x-api-key": key or gateway.token, "anthropic-version": "2023-06-01"}
    return aiohttp.ClientSession(gateway.url, headers=headers)


async def post(
    gateway: RunningGateway,
    path: str = MESSAGES,
    *,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    **fields: Any,
) -> Answer:
    body = {"model": "openclaw/main", "max_tokens": 100, "messages": [user("hi")], **fields}
    async with client(gateway, key) as session, session.post(path, json=body, headers=headers) as response:
        return Answer(response.status, response.headers.copy(), await response.text())


def events(text: str) -> list[Any]:
    """The data of a stream; each event's name is its type."""
    told = []
    for frame in text.split("\n\n")[:-1]:
        name, _, data = frame.partition("\ndata: ")
        told.append(msgspec.json.decode(data))
        assert name == f"event: {told[-1]['type']}"
    return told


def refused(answer: Answer) -> tuple[int, str, str]:
    """(status, type, the gateway's code)."""
    body = answer.json
    assert set(body) == {"type", "error", "request_id"}
    assert body["type"] == "error"
    assert body["request_id"] == answer.headers["request-id"] == answer.headers["x-request-id"]
    assert body["error"]["message"]
    return answer.status, body["error"]["type"], body["error"]["details"]["error_code"]


@pytest.mark.promise("messages")
async def test_a_message(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(says("Hello ", "there", usage=Usage(9, 2, 11, 4)))
    answer = await post(there, system=[{"type": "text", "text": "Be brief."}], max_tokens=7)
    said = answer.json
    assert (answer.status, said["model"], said["stop_reason"]) == (200, "openclaw/main", "end_turn")
    assert said["content"] == [{"type": "text", "text": "Hello there", "citations": None}]
    assert (said["usage"]["input_tokens"], said["usage"]["cache_read_input_tokens"]) == (5, 4)
    assert said["usage"]["output_tokens"] == 2
    assert answer.headers["request-id"].startswith("req_")
    assert "x-openclaw-ignored-params" not in answer.headers
    sent = models.requests[-1].body
    assert sent["messages"][-1] == user("hi")
    assert "Be brief." in sent["messages"][0]["content"]
    assert sent["max_tokens"] == 7


async def test_a_stream_is_the_same_message(there: RunningGateway, models: ModelServer) -> None:
    thinks: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    reply = says(Reasoning("hm, "), Reasoning("yes"), "a", "b")
    models.enqueue(reply, reply)
    told = events((await post(there, stream=True, **thinks)).text)
    assert [event["type"] for event in told] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 2,
        "content_block_stop",
        "content_block_start",
        *["content_block_delta"] * 2,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    whole = (await post(there, **thinks)).json
    blocks = [event["content_block"] for event in told if event["type"] == "content_block_start"]
    for event in told:
        if event["type"] == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            block[block["type"]] += delta[block["type"]]
    assert blocks == whole["content"]
    assert blocks[0] == {"type": "thinking", "thinking": "hm, yes", "signature": ""}
    assert told[-2]["usage"] == whole["usage"]
    assert models.requests[-1].body["reasoning_effort"] == "low"


async def test_silence_is_a_ping(there: RunningGateway, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.enqueue(says(Hold(gate), "a"))
    body = {"messages": [user("hi")], "stream": True}
    async with client(there) as session, asyncio.timeout(8):
        response = await session.post(MESSAGES, json=body)
        said = b""
        while b"event: ping" not in said:
            said += await response.content.readany()
        gate.set()
        said += await response.content.read()
    assert events(said.decode())[-1] == {"type": "message_stop"}
    assert b": keepalive" not in said


async def test_tools(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(
        calls(("c1", "look", '{"at":"sky"}'), ("c2", "look", "{}"), text="Let me see."),
        says("Blue."),
    )
    turns: list[Any] = [user("What colour?")]
    said = (await post(there, messages=turns, tools=[TOOL])).json
    assert said["stop_reason"] == "tool_use"
    assert [block["type"] for block in said["content"]] == ["text", "tool_use", "tool_use"]
    first, second = said["content"][1:]
    assert (first["name"], first["input"], second["input"]) == ("look", {"at": "sky"}, {})
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": [{"type": "text", "text": "blue"}]}
        for block in (first, second)
    ]
    turns += [{"role": "assistant", "content": said["content"]}, {"role": "user", "content": results}]
    answer = await post(there, messages=turns, tools=[TOOL], tool_choice={"type": "auto"})
    assert answer.json["content"] == [{"type": "text", "text": "Blue.", "citations": None}]
    sent = models.requests[-1].body["messages"][-3:]
    assert [one["role"] for one in sent] == ["assistant", "tool", "tool"]
    assert [one["id"] for one in sent[0]["tool_calls"]] == [one["tool_call_id"] for one in sent[1:]]


async def test_an_image(models: ModelServer) -> None:
    sees = {"mock": {"models": [{"id": "mock-echo", "input": ["text", "image"]}]}}
    config = model_config(models.base_url, {**ON, "models": {"providers": sees}})
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    content = [{"type": "text", "text": "What?"}, {"type": "image", "source": source}]
    async with running_gateway(config) as gateway:
        answer = await post(gateway, messages=[{"role": "user", "content": content}])
    assert answer.status == 200
    shown = models.requests[-1].body["messages"][-1]["content"][-1]
    assert shown["image_url"]["url"] == f"data:image/png;base64,{PNG}"


@pytest.mark.promise("messages-left-out")
async def test_what_has_no_effect_is_named(there: RunningGateway) -> None:
    answer = await post(
        there,
        tools=[TOOL, {"type": "web_search_20250305", "name": "web_search"}],
        metadata={"user_id": "user_1_account__session_2"},
        top_k=3,
    )
    assert answer.status == 200
    named = answer.headers["x-openclaw-ignored-params"]
    assert named == "metadata, top_k, tools.web_search_20250305"


async def test_a_user_id_is_no_conversation(there: RunningGateway, models: ModelServer) -> None:
    """Programs that work side by side send the same, each with a history of its own."""
    for text in ("one", "two"):
        answer = await post(there, messages=[user(text)], metadata={"user_id": "ada"})
        assert "x-openclaw-session-key" not in answer.headers
    assert [one["content"] for one in models.requests[-1].body["messages"][1:]] == ["two"]
    answer = await post(there, headers={"x-openclaw-session-key": "mine"})
    assert answer.headers["x-openclaw-session-key"] == "agent:main:mine"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"messages": []}, (400, "invalid_request_error", "missing_user_message")),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image", "source": {"type": "url", "url": "http://x"}}],
                    }
                ]
            },
            (400, "invalid_request_error", "invalid_image"),
        ),
        ({"key": "wrong"}, (401, "authentication_error", "invalid_api_key")),
        ({"model": "claude-opus-4-8"}, (404, "not_found_error", "model_not_found")),
        ({"model": "openclaw/nobody"}, (400, "invalid_request_error", "agent_not_found")),
        ({"path": "/v1/messages/batches"}, (404, "not_found_error", "not_found")),
    ],
)
async def test_refusals(there: RunningGateway, asked: Any, told: Any) -> None:
    answer = await post(there, **asked)
    assert refused(answer) == told
    assert answer.headers["x-should-retry"] == "false"


async def test_another_method(there: RunningGateway) -> None:
    async with client(there) as session, session.get(MESSAGES) as response:
        answer = Answer(response.status, response.headers.copy(), await response.text())
    assert refused(answer) == (405, "invalid_request_error", "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (400, (400, "invalid_request_error", "provider_rejected_request")),
        (401, (401, "authentication_error", "provider_auth_failed")),
        (402, (402, "billing_error", "provider_billing")),
        (403, (403, "permission_error", "provider_permission_denied")),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_fails(
    there: RunningGateway, models: ModelServer, status: int, told: Any, *, stream: bool
) -> None:
    models.enqueue(fails(status))
    answer = await post(there, stream=stream)
    assert refused(answer) == told
    # As of what the gateway itself refuses: Claude Code would ask nine times more.
    assert answer.headers["x-should-retry"] == "false"


async def test_a_busy_provider(models: ModelServer) -> None:
    models.enqueue(*[fails(503, "overloaded", retry_after="0")] * 3)
    async with running_gateway(model_config(models.base_url, ON)) as gateway:
        answer = await post(gateway)
    assert refused(answer)[:2] == (529, "overloaded_error")
    assert answer.headers["x-should-retry"] == "false"


async def test_a_failure_in_the_middle_is_an_event(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(says("a", Cut()))
    told = events((await post(there, stream=True)).text)
    assert told[-1]["type"] == "error"
    assert told[-1]["error"]["type"] == "api_error"
    assert told[-1]["error"]["details"] == {"error_code": "provider_stream_cut"}


async def test_who_will_not_wait_for_a_busy_session_is_refused(
    there: RunningGateway, models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("at ", Hold(gate), "work"))
    wish = {"x-openclaw-session-key": "one", "x-openclaw-queue": "reject"}
    first = asyncio.create_task(post(there, headers=wish))
    await models.wait_requests(1)
    async with asyncio.timeout(5):
        assert refused(await post(there, headers=wish)) == (429, "rate_limit_error", "session_busy")
    gate.set()
    assert (await first).status == 200


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/openclaw%2Fmain", "/v1/models/nobody"])
async def test_every_answer_in_its_shape_has_its_name_in_a_header(there: RunningGateway, path: str) -> None:
    async with client(there) as session, session.get(path) as response:
        assert response.headers["request-id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "is_anthropic"),
    [
        ("/v1/chat/completions", False),
        ("/v1/responses", False),
        ("/tools/invoke", False),
        ("/v1/models/nobody", True),
        ("/v1/files", True),
    ],
)
async def test_its_header_at_another_api_s_path_changes_no_shape(
    gateway: RunningGateway, models: ModelServer, path: str, *, is_anthropic: bool
) -> None:
    """Whatever is wrong: some of it is said by the endpoint, some before it is asked."""
    models.script("mock-echo", fails(401))
    wrong_key = await post(gateway, path, key="wrong", stream=True)
    answers = [await post(gateway, path, stream=True), await post(gateway, path, messages=1)]
    for answer in (*answers, *([] if path == "/v1/files" else [wrong_key])):
        assert answer.status >= 400
        assert (answer.json.get("type") == "error", "request-id" in answer.headers) == (is_anthropic,) * 2
        assert answer.json["error"]["message"]


async def test_off_is_said_in_its_words(gateway: RunningGateway) -> None:
    answer = await post(gateway)
    assert refused(answer) == (404, "not_found_error", "endpoint_disabled")
    assert "gateway.http.endpoints.messages.enabled" in answer.json["error"]["message"]


@pytest.mark.promise("messages-count")
async def test_tokens_are_estimated_and_nothing_is_asked(there: RunningGateway, models: ModelServer) -> None:
    few = await post(there, COUNT)
    more = await post(there, COUNT, messages=[user("x" * 4000)])
    tools = await post(there, COUNT, tools=[{**TOOL, "description": "y" * 400}])
    counts = [answer.json["input_tokens"] for answer in (few, more, tools)]
    assert 990 <= counts[1] - counts[0] <= 1010
    assert counts[2] - counts[0] >= 100
    assert models.requests == []
    await post(there)
    # What is really sent, in the same measure, but for the names of fields.
    sent = models.requests[-1].body
    text = sum(len(one["content"]) for one in sent["messages"])
    assert counts[0] >= text // 4
    assert counts[0] <= len(msgspec.json.encode(sent)) // 4


def used(*ids: str) -> dict[str, Any]:
    blocks = [{"type": "tool_use", "id": id_, "name": "look", "input": {}} for id_ in ids]
    return {"role": "assistant", "content": blocks}


def answered(*ids: str) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": id_, "content": "a star"} for id_ in ids]
    return {"role": "user", "content": blocks}


def brought(kind: str, **source: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": kind, "source": source}, {"type": "text", "text": "hi"}]}


SAID = {"role": "assistant", "content": "I look."}


@pytest.mark.parametrize("path", [MESSAGES, COUNT])
@pytest.mark.parametrize(
    ("messages", "code", "said"),
    [
        ([user("hi"), SAID, answered("t1")], "unknown_tool_call_id", "Each `tool_result` block must have"),
        (
            [user("hi"), used("t1", "t2"), answered("t1")],
            "missing_tool_results",
            "Each `tool_use` block must have",
        ),
        ([user("hi"), used("t1", "t1"), answered("t1")], "invalid_request", "`tool_use` ids must be unique"),
        ([user("hi"), used("t1"), answered("t1", "t1")], "invalid_request", "must have a single result"),
        ([brought("image", type="url", url="https://x.example/a")], "invalid_image", "not fetched"),
        (
            [brought("image", type="base64", media_type="image/png", data="aGVsbG8=")],
            "invalid_image",
            "no PNG",
        ),
        (
            [brought("document", type="base64", media_type="application/pdf", data="UEsDBAAA")],
            "unsupported_file",
            "application/zip",
        ),
        (
            [brought("image", type="base64", media_type="image/png", data=PNG)],
            "images_unsupported",
            "cannot see",
        ),
    ],
)
async def test_what_is_wrong_is_said_in_its_words_and_before_it_is_counted(
    models: ModelServer, path: str, messages: list[Any], code: str, said: str
) -> None:
    sees = [] if code == "images_unsupported" else ["image"]
    model = [{"id": "mock-echo", "name": "echo", "input": ["text", *sees]}]
    config = model_config(models.base_url, {**ON, "models": {"providers": {"mock": {"models": model}}}})
    async with running_gateway(config) as gateway:
        answer = await post(gateway, path, messages=messages)
    assert refused(answer) == (400, "invalid_request_error", code)
    assert said in answer.json["error"]["message"]
    assert not models.requests


async def test_the_ids_of_one_turn_may_come_again_in_the_next(there: RunningGateway) -> None:
    """Many models count their calls anew in each answer."""
    turns = [user("hi"), used("c0"), answered("c0"), used("c0"), answered("c0")]
    for path in (MESSAGES, COUNT):
        assert (await post(there, path, messages=turns)).status == 200


async def test_a_file_is_counted_by_what_is_in_it(there: RunningGateway) -> None:
    def said(words: int) -> dict[str, Any]:
        data = base64.b64encode(b"star " * words).decode()
        return brought("document", type="base64", media_type="text/plain", data=data)

    none, small, large = [
        (await post(there, COUNT, messages=[message])).json["input_tokens"]
        for message in (user("hi"), said(40), said(4_000))
    ]
    assert none < small
    assert 4_900 <= large - small <= 5_000


async def test_a_pdf_is_counted_by_its_text_where_that_is_what_is_read(there: RunningGateway) -> None:
    def paper(*pages: str) -> dict[str, Any]:
        data = base64.b64encode(made([saying(page) for page in pages])).decode()
        return brought("document", type="base64", media_type="application/pdf", data=data)

    one, many = [
        (await post(there, COUNT, messages=[paper(*pages)])).json["input_tokens"]
        for pages in (["Cod"], ["Hake and haddock and ling " * 8] * 9)
    ]
    assert many - one >= 9 * 27 * 8 // 4


@pytest.mark.promise("messages-models")
async def test_models(there: RunningGateway) -> None:
    async with client(there) as session:
        async with session.get("/v1/models") as response:
            listed = await response.json()
        async with session.get("/v1/models/openclaw%2Fmain") as response:
            one = await response.json()
        async with session.get("/v1/models/nobody") as response:
            answer = Answer(response.status, response.headers.copy(), await response.text())
    assert listed == {
        "data": [one],
        "first_id": "openclaw/main",
        "last_id": "openclaw/main",
        "has_more": False,
    }
    assert (one["type"], one["display_name"], one["created_at"][10]) == ("model", "main", "T")
    assert refused(answer) == (404, "not_found_error", "model_not_found")
    async with http(there) as session, session.get("/v1/models") as response:
        assert (await response.json())["object"] == "list"


async def test_a_model_of_anthropic_s_may_mean_the_default_agent(models: ModelServer) -> None:
    endpoints = {"chatCompletions": {"unknownModel": "default"}, "messages": {"enabled": True}}
    config = model_config(models.base_url, {"gateway": {"http": {"endpoints": endpoints}}})
    async with running_gateway(config) as gateway:
        answer = await post(gateway, model="claude-opus-4-8")
    assert (answer.status, answer.json["model"]) == (200, "claude-opus-4-8")
