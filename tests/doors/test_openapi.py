"""The OpenAPI document says what the doors do: nothing is forgotten in it, and every answer is as it says."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from jsonschema import Draft202012Validator
from openai import BaseModel
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.beta import AgentSession, AgentSessionDeleted, AgentSessionEvent, AgentSessionItem
from openai.types.beta.agents.sessions import Turn
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from openclaw_gateway.doors import anthropic, openai
from openclaw_gateway.doors.endpoint import HttpEndpoint, endpoints
from openclaw_gateway.doors.openapi import openapi
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Cut, ModelServer, Reasoning, calls, fails, says
from tests.doors.chat import Answer, http, user

DOCUMENT: dict[str, Any] = openapi(endpoints())
WITH_BODY = [
    (path, operation["requestBody"]["content"]["application/json"])
    for path, methods in DOCUMENT["paths"].items()
    for operation in methods.values()
    if "requestBody" in operation and "{" not in path
]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
FLAT_TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
# Thoughts, which clients show; and what OpenAI or Open Responses have, and the package does not know.
OURS = {"reasoning_content", "store", "name", "frequency_penalty", "presence_penalty"}


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    on = {name: {"enabled": True} for name in ("responses", "messages", "agents")}
    more = {
        "gateway": {"http": {"endpoints": on}},
        "agents": {"defaults": {"memorySearch": {"provider": "mock", "model": "mock-vectors"}}},
    }
    async with running_gateway(model_config(models.base_url, more)) as gateway:
        yield gateway


async def asked(gateway: RunningGateway, method: str, path: str, body: Any = None) -> Answer:
    async with http(gateway) as session, session.request(method, path, json=body) as response:
        return Answer(response.status, response.headers.copy(), await response.text())


def validator(schema: Any) -> Draft202012Validator:
    """That takes nothing but what is declared."""
    components = {
        name: {**component, "additionalProperties": False} if "properties" in component else component
        for name, component in DOCUMENT["components"]["schemas"].items()
    }
    return Draft202012Validator({"components": {"schemas": components}, **schema})


def content_of(method: str, path: str, status: int) -> dict[str, Any]:
    declared = DOCUMENT["paths"][path][method.lower()]["responses"]
    assert str(status) in declared, (method, path, status)
    return dict(declared[str(status)]["content"])


async def as_declared(
    gateway: RunningGateway, method: str, path: str, body: Any = None, **variables: str
) -> Answer:
    """The answer, once it is what the document says of it."""
    answer = await asked(gateway, method, path.format(**variables), body)
    content = content_of(method, path, answer.status)
    kind = answer.headers["Content-Type"].partition(";")[0]
    if kind == "text/event-stream":
        checks = validator(content[kind]["x-event-schema"])
        for frame in answer.frames + events_of(answer):
            if frame != "[DONE]":
                checks.validate(frame)
    else:
        validator(content[kind]["schema"]).validate(answer.json)
    return answer


def events_of(answer: Answer) -> list[Any]:
    """The data of events that have names."""
    lines = [line for line in answer.text.split("\n") if line.startswith("data: {")]
    return [msgspec.json.decode(line[6:]) for line in lines]


def foreign(said: Any, where: str = "") -> Iterator[str]:
    """The fields that OpenAI's types do not know, but for ours."""
    if isinstance(said, BaseModel):
        yield from (f"{where}.{name}" for name in said.model_extra or {} if name not in OURS)
        for name, value in said:
            yield from foreign(value, f"{where}.{name}")
    elif isinstance(said, list | tuple):
        for value in said:
            yield from foreign(value, where)


def as_openai_says(kind: Any, data: Any) -> None:
    said = TypeAdapter(kind).validate_json(msgspec.json.encode(data), strict=True)
    assert not list(foreign(said))


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda each: each.__module__.rpartition(".")[2])
def test_every_endpoint_declares_all_that_can_be_asked(endpoint: type[HttpEndpoint]) -> None:
    """A new endpoint: give its class `operations` and `refusals`, as doors/operation.py says."""
    declared = {re.sub(r"\{\w+\}", "*", operation.path) for operation in endpoint.operations}
    assert {operation.method for operation in endpoint.operations} == set(endpoint.methods) - {"HEAD"}
    for path in endpoint.paths:
        versioned = {path, f"/v1{path}"}
        if path.endswith("/") and path != "/":
            assert any(each.startswith(tuple(versioned)) for each in declared), path
        else:
            assert declared & versioned, path
    served = tuple(endpoint.paths)
    for path in declared:
        assert path in served or path.startswith(tuple(each for each in served if each.endswith("/"))), path
    assert endpoint.refusals


def test_the_document_is_whole() -> None:
    ids = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))
    known = set(DOCUMENT["components"]["schemas"])
    assert set(references(DOCUMENT)) <= {f"#/components/schemas/{name}" for name in known}
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        yield from (each for value in part.values() for each in references(value))
    elif isinstance(part, list):
        yield from (each for value in part for each in references(value))


def test_every_field_that_a_decoder_takes_is_in_the_document() -> None:
    """One that is taken only sometimes would be missing."""
    shown = {name for _, content in WITH_BODY for name in content["schema"]["properties"]}
    taken = {
        call.args[0].value
        for folder in (*openai.__path__, *anthropic.__path__)
        for file in Path(folder).glob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "take"
        and isinstance(call.args[0], ast.Constant)
    }
    assert taken <= shown
    assert {"messages", "input", "prompt", "n", "response_format", "tool_choice"} <= shown


@pytest.mark.parametrize(("path", "content"), WITH_BODY, ids=[path for path, _ in WITH_BODY])
async def test_the_least_body_is_answered_and_nothing_in_it_may_be_missing(
    there: RunningGateway, path: str, content: dict[str, Any]
) -> None:
    assert (await as_declared(there, "POST", path, content["example"])).status == 200
    for name in content["schema"]["required"]:
        less = {key: value for key, value in content["example"].items() if key != name}
        assert (await as_declared(there, "POST", path, less)).status == 400


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v1/responses", "POST"),
        ("/responses/resp_1/input_items", "GET"),
        ("/v1/chat/completions/x/messages", "GET"),
        ("/v1/chat/completions/x", "GET, POST, DELETE"),
        ("/v1/models", "GET, HEAD"),
        ("/health", "GET, HEAD"),
        ("/", "GET, HEAD"),
        ("/v1/agents/sessions/agent:main:a/turns", "GET"),
        ("/v1/agents/sessions/agent:main:a", "GET, POST, DELETE"),
    ],
)
async def test_a_wrong_method_is_told_which_are_right_at_that_path(
    there: RunningGateway, path: str, allow: str
) -> None:
    answer = await asked(there, "PATCH", path)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v1/responses/resp_1", "GET, DELETE"),
        ("GET", "/v1/responses/resp_1/cancel", "POST"),
        ("GET", "/v1/responses/resp_1/cancel/", "POST"),
        ("POST", "/v1/chat/completions/x/messages", "GET"),
        ("DELETE", "/v1/chat/completions/x/messages", "GET"),
        ("POST", "/v1/agents/sessions/agent:main:a/items", "GET"),
    ],
)
async def test_a_method_that_is_right_elsewhere_is_wrong_here(
    there: RunningGateway, method: str, path: str, allow: str
) -> None:
    answer = await asked(there, method, path)
    assert (answer.status, answer.error["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize(
    "path",
    ["/v1/responses/{}%2Finput_items", "/v1/chat/completions/{}%2Fmessages", "/v1/agents/sessions%2F{}"],
)
async def test_a_slash_in_a_name_is_not_one_between_names(there: RunningGateway, path: str) -> None:
    said = {"input": "hi", "messages": [user("hi")], "store": True}
    made = [await asked(there, "POST", each, said) for each in ("/v1/responses", "/v1/chat/completions")]
    for id_ in (answer.json["id"] for answer in made):
        assert (await asked(there, "GET", path.format(id_))).status == 404


async def test_anybody_may_read_it(there: RunningGateway) -> None:
    async with aiohttp.ClientSession(there.url) as session, session.get("/openapi.json") as response:
        assert response.status == 200
        text = await response.text()
    assert msgspec.json.decode(text) == DOCUMENT
    assert there.token not in text
    assert (await asked(there, "HEAD", "/openapi.json")).status == 200


SAID = [
    says("Hello ", "there"),
    says(Reasoning("hm"), "so"),
    calls("let me see", Call("weather", '{"city":"Oslo"}', id="call_1")),
    calls(Call("weather", "{}", id="call_1"), Call("weather", "{}", id="call_2")),
    says("cut", finish="length"),
]


@pytest.mark.parametrize("reply", SAID, ids=["text", "reasoning", "text-and-call", "calls", "length"])
async def test_answers_and_chunks_are_as_both_documents_say(
    there: RunningGateway, models: ModelServer, reply: Any
) -> None:
    models.script("mock-echo", *[reply] * 8)
    chat = {"model": "openclaw", "messages": [user("hi")], "tools": [TOOL]}
    as_openai_says(ChatCompletion, (await as_declared(there, "POST", "/v1/chat/completions", chat)).json)
    streamed = {**chat, "stream": True, "stream_options": {"include_usage": True}}
    for frame in (await as_declared(there, "POST", "/v1/chat/completions", streamed)).frames[:-1]:
        as_openai_says(ChatCompletionChunk, frame)
    older = {"model": "openclaw", "messages": [user("hi")], "functions": [TOOL["function"]]}
    as_openai_says(ChatCompletion, (await as_declared(there, "POST", "/v1/chat/completions", older)).json)
    streamed = {**older, "stream": True}
    for frame in (await as_declared(there, "POST", "/v1/chat/completions", streamed)).frames[:-1]:
        as_openai_says(ChatCompletionChunk, frame)
    responses = {"model": "openclaw", "input": "hi", "tools": [FLAT_TOOL]}
    whole = (await as_declared(there, "POST", "/v1/responses", responses)).json
    as_openai_says(Response, whole)
    for event in events_of(await as_declared(there, "POST", "/v1/responses", {**responses, "stream": True})):
        as_openai_says(ResponseStreamEvent, event)
    one = {"response_id": whole["id"]}
    as_openai_says(Response, (await as_declared(there, "GET", "/v1/responses/{response_id}", **one)).json)
    await as_declared(there, "GET", "/v1/responses/{response_id}/input_items", **one)
    await as_declared(there, "DELETE", "/v1/responses/{response_id}", **one)
    assert (await as_declared(there, "GET", "/v1/responses/{response_id}", **one)).status == 404


@pytest.mark.parametrize("reply", SAID, ids=["text", "reasoning", "text-and-call", "calls", "length"])
async def test_messages_and_their_events_are_as_both_documents_say(
    there: RunningGateway, models: ModelServer, reply: Any
) -> None:
    models.script("mock-echo", *[reply] * 2)
    asks = {
        "model": "openclaw",
        "max_tokens": 1024,
        "messages": [user("hi")],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
    }
    assert (await as_declared(there, "POST", "/v1/messages", asks)).status == 200
    assert events_of(await as_declared(there, "POST", "/v1/messages", {**asks, "stream": True}))
    assert (await as_declared(there, "POST", "/v1/messages/count_tokens", asks)).status == 200


async def test_chat_completions_that_are_kept_are_as_declared(
    there: RunningGateway, models: ModelServer
) -> None:
    asks = {"messages": [user("hi")], "store": True, "metadata": {"topic": "greeting"}}
    one = {"completion_id": (await as_declared(there, "POST", "/v1/chat/completions", asks)).json["id"]}
    path = "/v1/chat/completions/{completion_id}"
    for method, at, body in (
        ("GET", "/v1/chat/completions", None),
        ("GET", path, None),
        ("POST", path, {"metadata": {"topic": "weather"}}),
        ("GET", f"{path}/messages", None),
        ("DELETE", path, None),
    ):
        assert (await as_declared(there, method, at, body, **one)).status == 200
    assert (await as_declared(there, "GET", path, **one)).status == 404
    assert (await as_declared(there, "GET", f"{path}/events", **one)).status == 404


async def test_a_stream_that_outlives_its_client_is_as_declared(there: RunningGateway) -> None:
    detached = {"x-openclaw-detach": "true"}
    async with http(there) as session:
        asks = {"messages": [user("hi")], "stream": True}
        async with session.post("/v1/chat/completions", json=asks, headers=detached) as response:
            id_ = msgspec.json.decode((await response.text()).partition("data: ")[2].partition("\n")[0])["id"]
    path = "/v1/chat/completions/{completion_id}/events"
    assert events_of(await as_declared(there, "GET", path, completion_id=id_))


@pytest.mark.parametrize("reply", SAID, ids=["text", "reasoning", "text-and-call", "calls", "length"])
async def test_agent_sessions_and_their_events_are_as_both_documents_say(
    there: RunningGateway, models: ModelServer, reply: Any
) -> None:
    models.script("mock-echo", reply, fails(401, "no"))
    path = "/v1/agents/sessions"
    asks = {"environment": {"type": "none"}, "input": "hi", "metadata": {"topic": "greeting"}}
    events, checks = [], validator(content_of("POST", path, 200)["text/event-stream"]["x-event-schema"])
    # Its stream stays open: it is read until its second turn has ended.
    async with (
        http(there) as session,
        session.post(path, json={**asks, "stream": True}) as response,
    ):
        async for line in response.content:
            if not line.startswith(b"data: "):
                continue
            events.append(msgspec.json.decode(line[6:]))
            checks.validate(events[-1])
            as_openai_says(AgentSessionEvent, events[-1])
            if events[-1]["type"] == "agent.session.idle":
                if any(event["type"] == "error" for event in events):
                    break
                at = f"{path}/{events[0]['session']['id']}/events"
                again = {"type": "agent.session.input.message", "input": "and?"}
                async with session.post(at, json={"events": [again]}) as taken:
                    assert (taken.status, await taken.text()) == (202, "")
    one = {"session_id": events[0]["session"]["id"]}
    turn = {**one, "turn_id": events[1]["turn_id"]}
    one_of_it = f"{path}/{{session_id}}"
    as_openai_says(AgentSession, (await as_declared(there, "POST", path, asks)).json)
    as_openai_says(AgentSession, (await as_declared(there, "GET", one_of_it, **one)).json)
    as_openai_says(AgentSession, (await as_declared(there, "POST", one_of_it, {"metadata": {}}, **one)).json)
    assert len((await as_declared(there, "GET", path)).json["data"]) == 2
    for item in (await as_declared(there, "GET", f"{one_of_it}/items", **one)).json["data"]:
        as_openai_says(AgentSessionItem, item)
    for each in (await as_declared(there, "GET", f"{one_of_it}/turns", **one)).json["data"]:
        as_openai_says(Turn, each)
    await as_declared(there, "GET", f"{one_of_it}/turns/{{turn_id}}", **turn)
    await as_declared(there, "GET", f"{one_of_it}/turns/{{turn_id}}/items", **turn)
    deleted = (await as_declared(there, "DELETE", one_of_it, **one)).json
    as_openai_says(AgentSessionDeleted, deleted)
    assert (await as_declared(there, "GET", one_of_it, **one)).status == 404


async def test_completions_of_the_older_api_are_too(there: RunningGateway) -> None:
    older = {"model": "openclaw", "prompt": "hi"}
    as_openai_says(Completion, (await as_declared(there, "POST", "/v1/completions", older)).json)
    *_, finish, done = (await as_declared(there, "POST", "/v1/completions", {**older, "stream": True})).frames
    # Of the others OpenAI's type says that they have a finish reason, which in its own streams is null.
    as_openai_says(Completion, finish)
    assert done == "[DONE]"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"])
async def test_failures_are_as_declared(
    there: RunningGateway, models: ModelServer, path: str, stream: bool
) -> None:
    body = next(content["example"] for each, content in WITH_BODY if each == path)
    for reply, status in ((fails(402, "pay"), {402}), (says("so far", Cut()), {200, 502})):
        models.script("mock-echo", reply)
        answer = await as_declared(there, "POST", path, {**body, "stream": stream})
        assert answer.status in status
        assert "error" in answer.text


async def test_the_other_answers_are_as_declared(there: RunningGateway) -> None:
    for path in ("/health", "/healthz", "/ready", "/readyz", "/openapi.json", "/v1/models"):
        assert (await as_declared(there, "GET", path)).status == 200
    for model, status in (("openclaw", 200), ("openclaw/main", 200), ("gpt-4o", 404)):
        answer = await as_declared(there, "GET", "/v1/models/{model}", model=model)
        assert answer.status == status
    for encoding in ("float", "base64"):
        asks = {"model": "openclaw", "input": ["a", "b"], "encoding_format": encoding}
        answer = await as_declared(there, "POST", "/v1/embeddings", asks)
        if encoding == "float":
            as_openai_says(CreateEmbeddingResponse, answer.json)
