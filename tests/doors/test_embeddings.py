"""POST /v1/embeddings through a real gateway: by real clients, in each dialect, and when things go wrong."""

import asyncio
import base64
import struct
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import tiktoken
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from openclaw_gateway.config.merge import merge
from openclaw_gateway.testing.embedding_voices import vector_of
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, Recorded, embeds, fails, hangs, sends
from tests.doors.chat import Answer, http, sdk
from tests.doors.raw import post, wire
from tests.doors.test_ledger import rows

NEAR = 1e-6


def config(models: ModelServer, search: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Vectors come from `mock-vectors` of the scripted server, unless `search` says otherwise."""
    chosen = search or {"provider": "mock", "model": "mock-vectors"}
    return model_config(
        models.base_url, merge({"agents": {"defaults": {"memorySearch": chosen}}}, more, lists="replace")
    )


async def embed(gateway: RunningGateway, body: Any, headers: dict[str, str] | None = None) -> Answer:
    async with (
        http(gateway) as session,
        session.post("/v1/embeddings", json=body, headers=headers) as response,
    ):
        return Answer(response.status, response.headers.copy(), await response.text())


def sent(models: ModelServer) -> list[Recorded]:
    return [each for each in models.requests if each.method == "POST"]


@pytest.mark.promise("embeddings")
async def test_the_openai_package_reads_its_own_base64(models: ModelServer) -> None:
    texts = ["one", "two words", "three more words"]
    async with running_gateway(config(models)) as gateway, sdk(gateway) as client:
        packed = await client.embeddings.create(model="openclaw", input=texts)
        plain = await client.embeddings.create(model="openclaw/main", input=texts, encoding_format="float")
        one = await client.embeddings.create(model="openclaw", input="one", dimensions=4, user="ada")
    for answer in (packed, plain):
        assert [datum.index for datum in answer.data] == [0, 1, 2]
        for datum, text in zip(answer.data, texts, strict=True):
            assert datum.embedding == pytest.approx(vector_of(text), abs=NEAR)
        assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (6, 6)
        assert answer.object == "list"
    assert (packed.model, plain.model) == ("openclaw", "openclaw/main")
    assert one.data[0].embedding == pytest.approx(vector_of("one", 4), abs=NEAR)
    assert [set(each.body) for each in sent(models)] == [
        {"model", "input"},
        {"model", "input"},
        {"model", "input", "dimensions"},
    ]


async def test_base64_is_little_endian_float32(models: ModelServer) -> None:
    async with running_gateway(config(models)) as gateway:
        answer = await embed(gateway, {"input": "hi", "encoding_format": "base64", "nosuch": 1})
    data = base64.b64decode(answer.json["data"][0]["embedding"])
    assert struct.unpack("<8f", data) == pytest.approx(vector_of("hi"), abs=NEAR)
    assert answer.headers["x-openclaw-ignored-params"] == "nosuch"
    assert answer.headers["x-openclaw-embedding-model"] == "mock/mock-vectors"


@pytest.mark.parametrize("as_tokens", [False, True])
async def test_langchain(models: ModelServer, monkeypatch: pytest.MonkeyPatch, as_tokens: bool) -> None:
    """It sends numbers of tokens unless it is told not to; its own tokenizer would be downloaded."""
    letters = tiktoken.Encoding(
        "letters", pat_str=".", mergeable_ranks={bytes([n]): n for n in range(256)}, special_tokens={}
    )
    monkeypatch.setattr(tiktoken, "get_encoding", lambda _: letters)
    async with running_gateway(config(models)) as gateway, httpx.AsyncClient() as client:
        embeddings = OpenAIEmbeddings(
            model="openclaw",
            base_url=gateway.base_url,
            api_key=SecretStr(gateway.token),
            max_retries=0,
            check_embedding_ctx_length=as_tokens,
            http_async_client=client,
        )
        found = await embeddings.aembed_documents(["hi", "you"])
    meant: list[Any] = [[104, 105], [121, 111, 117]] if as_tokens else ["hi", "you"]
    assert sent(models)[0].body["input"] == meant
    for vector, given in zip(found, meant, strict=True):
        assert vector == pytest.approx(vector_of(given), abs=1e-5)


@pytest.mark.promise("embeddings-model")
async def test_a_client_may_name_the_model_and_no_other(models: ModelServer) -> None:
    async with running_gateway(config(models)) as gateway:
        for name in ("mock-vectors", "mock/mock-vectors", "openclaw", None):
            answer = await embed(gateway, {"input": "hi", "model": name})
            assert answer.status == 200
        for name in ("mock/another", "text-embedding-3-large", "openai/text-embedding-3-large"):
            answer = await embed(gateway, {"input": "hi", "model": name})
            assert (answer.status, answer.error["code"]) == (404, "model_not_found")
        answer = await embed(gateway, {"input": "hi"}, {"x-openclaw-model": "mock/another"})
        assert answer.headers["x-openclaw-ignored-params"] == "x-openclaw-model"
    assert {each.model for each in sent(models)} == {"mock-vectors"}


@pytest.mark.promise("error.embeddings_unavailable", "embeddings-never-another")
async def test_an_agent_has_its_own(models: ModelServer) -> None:
    own = {
        "agents": {
            "list": [
                {"id": "main", "default": True},
                {"id": "b", "memorySearch": {"model": "b-vectors", "outputDimensionality": 3}},
                {"id": "c", "memorySearch": {"provider": "none"}},
                {"id": "d", "memorySearch": {"provider": "anthropic", "remote": {"apiKey": "k"}}},
                {"id": "e", "memorySearch": {"provider": "nosuch", "model": "m"}},
                {"id": "f", "memorySearch": {"provider": "voyage"}},
                {"id": "g", "memorySearch": {"provider": "bedrock"}},
            ]
        }
    }
    async with running_gateway(config(models, None, **own)) as gateway:
        answer = await embed(gateway, {"input": "hi", "model": "openclaw/b"})
        assert answer.json["data"][0]["embedding"] == pytest.approx(vector_of("hi", 3))
        for agent, told in {
            "c": '"none"',
            "d": "no API for embeddings",
            "e": "not configured",
            "f": "VOYAGE_API_KEY",
            "g": "AWS",
        }.items():
            answer = await embed(gateway, {"input": "hi"}, {"x-openclaw-agent-id": agent})
            assert (answer.status, answer.error["code"]) == (503, "embeddings_unavailable")
            assert told in answer.error["message"]
    assert [each.model for each in sent(models)] == ["b-vectors"]


@pytest.mark.parametrize(
    ("search", "path", "length"),
    [
        (
            {"provider": "google", "model": "gemini-embedding-001"},
            "/models/gemini-embedding-001:batchEmbedContents",
            "outputDimensionality",
        ),
        ({"provider": "ollama"}, "/api/embed", "dimensions"),
        ({"provider": "mistral"}, "/v1/embeddings", "output_dimension"),
        ({"provider": "voyage"}, "/v1/embeddings", "output_dimension"),
        ({"provider": "openai-compatible", "model": "m"}, "/v1/embeddings", "dimensions"),
    ],
)
async def test_each_vendor_is_asked_in_its_own_words(
    models: ModelServer, search: dict[str, Any], path: str, length: str
) -> None:
    remote = {"remote": {"baseUrl": models.base_url, "apiKey": "another-key", "headers": {"X-Team": "a"}}}
    async with running_gateway(config(models, {**search, **remote})) as gateway:
        answer = await embed(gateway, {"input": ["a b", "c"], "dimensions": 4})
    assert answer.status == 200, answer.text
    assert [datum["embedding"] for datum in answer.json["data"]] == [
        pytest.approx(vector_of("a b", 4)),
        pytest.approx(vector_of("c", 4)),
    ]
    assert answer.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    request = sent(models)[0]
    assert request.path.endswith(path)
    assert f'"{length}":4'.encode() in request.raw
    assert request.headers["X-Team"] == "a"
    shown = request.headers.get("x-goog-api-key") or request.headers["Authorization"].removeprefix("Bearer ")
    assert shown == "another-key"
    assert "mock-key" not in str(request.headers)


async def test_a_key_may_be_a_reference(models: ModelServer) -> None:
    search = {
        "provider": "openai-compatible",
        "model": "m",
        "remote": {
            "baseUrl": models.base_url,
            "apiKey": {"source": "env", "provider": "default", "id": "VECTOR_KEY"},
        },
    }
    async with running_gateway(config(models, search), environ={"VECTOR_KEY": "found"}) as gateway:
        assert (await embed(gateway, {"input": "hi"})).status == 200
    assert sent(models)[0].headers["Authorization"] == "Bearer found"
    async with running_gateway(config(models, search)) as gateway:
        answer = await embed(gateway, {"input": "hi"})
    assert (answer.status, answer.error["code"]) == (503, "embeddings_unavailable")
    assert "VECTOR_KEY" in answer.error["message"]


async def test_the_first_provider_with_a_key(models: ModelServer) -> None:
    provider = {"models": {"providers": {"mistral": {"baseUrl": models.base_url, "apiKey": "k-123456"}}}}
    async with running_gateway(model_config(models.base_url, provider)) as gateway:
        answer = await embed(gateway, {"input": "hi"})
    assert answer.headers["x-openclaw-embedding-model"] == "mistral/mistral-embed"


async def test_many_inputs_go_in_batches_and_come_back_in_order(models: ModelServer) -> None:
    texts = [f"text {number}" for number in range(100)]
    async with running_gateway(config(models)) as gateway:
        answer = await embed(gateway, {"input": texts})
    assert sorted(len(each.body["input"]) for each in sent(models)) == [4, 32, 32, 32]
    for datum, text in zip(answer.json["data"], texts, strict=True):
        assert datum["embedding"] == pytest.approx(vector_of(text))
    assert answer.json["usage"]["prompt_tokens"] == 200


@pytest.mark.promise("limit.embeddings")
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": [[1], []]}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": [[1], "a"]}, "input"),
        ({"input": [-1]}, "input"),
        ({"input": {"text": "a"}}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "dimensions": "8"}, "dimensions"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format"),
        ({"input": "a", "model": 1}, "model"),
    ],
)
async def test_what_is_wrong_is_named(gateway: RunningGateway, body: dict[str, Any], param: str) -> None:
    answer = await embed(gateway, body)
    assert answer.status == 400
    assert str(answer.error["param"]).partition("[")[0] == param


@pytest.mark.promise("error.token_input_not_taken")
async def test_numbers_of_tokens_go_only_to_who_takes_them(models: ModelServer) -> None:
    remote = {"remote": {"baseUrl": models.base_url, "apiKey": "k"}}
    async with running_gateway(config(models, {"provider": "mistral", **remote})) as gateway:
        answer = await embed(gateway, {"input": [1, 2]})
        assert (answer.status, answer.error["code"]) == (400, "token_input_not_taken")
        cohere = await embed(gateway, {"input": "a", "dimensions": 9999999})
        assert cohere.status == 400
    assert sent(models) == []


async def test_a_length_that_the_model_has_not(models: ModelServer) -> None:
    """The scripted server leaves it out of account, as some do: a model's own length is what it has."""
    models.script("mock-vectors", sends(b'{"data":[{"embedding":[0.6,0.8,0.0]}]}'))
    async with running_gateway(config(models)) as gateway:
        answer = await embed(gateway, {"input": "a", "dimensions": 2})
        assert (answer.status, answer.error["param"]) == (400, "dimensions")
        assert "have 3 numbers" in answer.error["message"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (400, (400, "provider_rejected_request")),
        (401, (401, "provider_auth_failed")),
        (404, (404, "provider_model_not_found")),
        (413, (400, "context_length_exceeded")),
        (429, (429, "provider_rate_limited")),
        (500, (502, "provider_error")),
        (503, (503, "provider_overloaded")),
    ],
)
@pytest.mark.usefixtures("asks_again_at_once")
async def test_the_status_is_real(models: ModelServer, status: int, told: tuple[int, str]) -> None:
    models.script("mock-vectors", fails(status, "sorry"))
    async with running_gateway(config(models)) as gateway:
        answer = await embed(gateway, {"input": "hi"})
    assert (answer.status, answer.error["code"]) == told
    assert "mock-key" not in answer.text
    again = 3 if status in {429, 500, 503} else 1
    assert len(sent(models)) == again
    assert (answer.headers.get("x-should-retry") == "false") == (status >= 429)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"data":[]}',
        b'{"data":[{"embedding":[]}]}',
        b'{"data":[{"embedding":[null]}]}',
        b'{"data":[{"embedding":"%%%"}]}',
        b'{"data":[{"embedding":"AAA="}]}',
        b'{"data":[{"embedding":[1e39]}]}',
        b'{"data":[{"embedding":[1]},{"embedding":[1]}]}',
        b'{"data":[{"embedding":"AACAPwAAwH8="}]}',
        b'{"data":[{"embedding":"AACAfwAAgP8="}]}',
    ],
)
async def test_an_answer_without_vectors(models: ModelServer, body: bytes) -> None:
    models.script("mock-vectors", sends(body))
    async with running_gateway(config(models)) as gateway:
        answer = await embed(gateway, {"input": "hi"})
    assert (answer.status, answer.error["code"]) == (502, "provider_bad_response")


async def test_vectors_are_in_the_order_of_their_numbers(models: ModelServer) -> None:
    """Wherever a provider begins to count."""
    for first in (0, 1):
        data = b'{"data":[{"embedding":[2],"index":%d},{"embedding":[1],"index":%d}]}' % (first + 1, first)
        models.script("mock-vectors", sends(data))
        async with running_gateway(config(models)) as gateway:
            answer = await embed(gateway, {"input": ["hi", "ho"]})
        assert [each["embedding"] for each in answer.json["data"]] == [[1.0], [2.0]]


async def test_vectors_of_several_lengths(models: ModelServer) -> None:
    models.script("mock-vectors", sends(b'{"data":[{"embedding":[1,2]},{"embedding":[1]}]}'))
    async with running_gateway(config(models)) as gateway:
        answer = await embed(gateway, {"input": ["hi", "ho"]})
    assert (answer.status, answer.error["code"]) == (502, "provider_bad_response")


async def test_a_second_try_and_a_second_key(models: ModelServer) -> None:
    models.script("mock-vectors", fails(500), fails(429), embeds(usage=False))
    written = config(models)
    written["models"]["providers"]["mock"]["apiKeys"] = ["second-key"]
    async with running_gateway(written) as gateway:
        answer = await embed(gateway, {"input": "hi there"})
    assert answer.json["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    assert [each.headers["Authorization"] for each in sent(models)] == [
        "Bearer mock-key",
        "Bearer mock-key",
        "Bearer second-key",
    ]


async def test_who_leaves_ends_it(models: ModelServer, tmp_path: Path) -> None:
    models.script("mock-vectors", hangs())
    body = b'{"input":"hi"}'
    async with running_gateway(config(models), state_dir=tmp_path) as gateway:
        async with wire(gateway) as raw:
            raw.send(post(gateway, body).replace(b"/v1/chat/completions", b"/v1/embeddings"))
            await models.wait_requests(1)
            raw.drop()
        await models.wait_aborted(1)
    found = rows(tmp_path)
    assert [(row["status"], row["error_code"]) for row in found] == [("aborted", None)]


async def test_the_ledger_has_a_row_and_no_text(models: ModelServer, tmp_path: Path) -> None:
    async with running_gateway(config(models), state_dir=tmp_path) as gateway:
        await embed(gateway, {"input": "a secret"})
        models.script("mock-vectors", fails(401, "no"))
        await embed(gateway, {"input": "a secret"})
    found = rows(tmp_path)
    assert [(row["status"], row["prompt_tokens"], row["error_code"], row["model"]) for row in found] == [
        ("completed", 2, None, "mock/mock-vectors"),
        ("failed", 0, "provider_auth_failed", "mock/mock-vectors"),
    ]
    assert "secret" not in str(found)


@pytest.mark.promise("limit.embeddings-at-once")
async def test_more_than_64_at_once_are_refused(models: ModelServer) -> None:
    models.script("mock-vectors", hangs())
    async with running_gateway(config(models)) as gateway:
        waiting = [asyncio.create_task(embed(gateway, {"input": "hi"})) for _ in range(64)]
        await models.wait_requests(64)
        answer = await embed(gateway, {"input": "hi"})
        assert (answer.status, answer.error["code"]) == (503, "overloaded")
        assert answer.headers["Retry-After"] == "1"
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_it_is_on_with_chat_completions(models: ModelServer) -> None:
    off = {"gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": False}}}}}
    async with running_gateway(config(models, None, **off)) as gateway:
        answer = await embed(gateway, {"input": "hi"})
    assert (answer.status, answer.error["code"]) == (404, "endpoint_disabled")
    assert "chatCompletions.enabled" in answer.error["message"]


async def test_it_wants_the_token(models: ModelServer) -> None:
    async with running_gateway(config(models)) as gateway, sdk(gateway, api_key="wrong") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.embeddings.create(model="openclaw", input="hi")
    assert sent(models) == []
