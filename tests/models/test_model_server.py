"""The scripted model server does what its scripts say, seen through a plain aiohttp client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing.model_server import (
    Chunk,
    Cut,
    Flush,
    Hang,
    Hold,
    ModelServer,
    Reasoning,
    fails,
    hangs,
    says,
    sends,
)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def body(model: str, *, text: str = "hi", stream: bool = True, usage: bool = True) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "stream": stream,
    }
    if usage and stream:
        whole["stream_options"] = {"include_usage": True}
    return whole


def url(server: ModelServer) -> str:
    return server.base_url + "/chat/completions"


def chunks(raw: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in raw.split(b"\n\n") if line]
    return [line if line == b"[DONE]" else msgspec.json.decode(line) for line in lines]


def texts(raw: bytes, name: str = "content") -> list[str]:
    found = [c["choices"][0]["delta"].get(name) for c in chunks(raw)[:-1] if c["choices"]]
    return [text for text in found if text]


async def test_plays_a_stream_and_records_the_request(
    server: ModelServer, http: aiohttp.ClientSession
) -> None:
    server.script("m", says("Hel", "lo", Reasoning("why")))
    async with http.post(url(server), json=body("m"), headers={"X-Test": "1"}) as response:
        raw = await response.read()
    assert response.content_type == "text/event-stream"
    assert texts(raw) == ["Hel", "lo"]
    assert texts(raw, "reasoning_content") == ["why"]
    *_, finish, usage, done = chunks(raw)
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"]["total_tokens"] == 15
    assert done == b"[DONE]"
    (request,) = server.requests
    assert (request.model, request.path, request.headers["X-Test"]) == ("m", "/v1/chat/completions", "1")
    assert request.messages == [{"role": "user", "content": "hi"}]
    assert request.port


async def test_answers_json_when_no_stream_is_asked_for(
    server: ModelServer, http: aiohttp.ClientSession
) -> None:
    for asked, reply in ((False, says("a", "b")), (True, says("a", "b", as_json=True))):
        server.script("m", reply)
        async with http.post(url(server), json=body("m", stream=asked)) as response:
            answer = await response.json()
        assert answer["choices"][0]["message"]["content"] == "ab"


async def test_scripts_run_in_order_and_the_last_repeats(
    server: ModelServer, http: aiohttp.ClientSession
) -> None:
    server.script("m", fails(429, retry_after="7"), says("ok"))
    server.enqueue(fails(503))
    seen = []
    for _ in range(4):
        async with http.post(url(server), json=body("m")) as response:
            seen.append((response.status, response.headers.get("Retry-After")))
    assert seen == [(503, None), (429, "7"), (200, None), (200, None)]


@pytest.mark.parametrize(
    ("model", "expected"),
    [("mock-3-0", ["tok0 ", "tok1 ", "tok2 "]), ("x/mock-echo", ["a ", "b"]), ("other", ["Hello."])],
)
async def test_built_in_streams(
    server: ModelServer, http: aiohttp.ClientSession, model: str, expected: list[str]
) -> None:
    async with http.post(url(server), json=body(model, text="a b")) as response:
        assert texts(await response.read()) == expected


async def test_built_in_failures(server: ModelServer, http: aiohttp.ClientSession) -> None:
    async with http.post(url(server), json=body("mock-err-402")) as response:
        assert response.status == 402
        assert (await response.json())["error"]["code"] == "mock_402"
    async with http.post(url(server), json=body("mock-drop")) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    await server.wait_idle()
    assert server.aborted == 0


async def test_refuses_stream_options(server: ModelServer, http: aiohttp.ClientSession) -> None:
    server.script("m", says("ok", refuses_stream_options=True))
    async with http.post(url(server), json=body("m")) as response:
        assert response.status == 400
        assert "stream_options" in await response.text()
    async with http.post(url(server), json=body("m", usage=False)) as response:
        assert [c for c in chunks(await response.read())[:-1] if "usage" in c] == []


async def test_holds_until_the_gate_opens(server: ModelServer, http: aiohttp.ClientSession) -> None:
    gate = asyncio.Event()
    server.script("m", says("one", Hold(gate), "two"))
    async with http.post(url(server), json=body("m")) as response:
        first = await response.content.readany()
        assert b"one" in first
        assert b"two" not in first
        gate.set()
        assert b"two" in await response.read()


async def test_counts_clients_that_leave(server: ModelServer, http: aiohttp.ClientSession) -> None:
    server.script("headers", says(Flush(), Hang()))
    server.script("nothing", hangs())
    async with http.post(url(server), json=body("headers")) as response:
        assert server.open == 1
        response.close()
    await server.wait_aborted(1)
    waiting = asyncio.create_task(http.post(url(server), json=body("nothing")).__aenter__())
    await server.wait_requests(2)
    waiting.cancel()
    await server.wait_aborted(2)
    await server.wait_idle()


async def test_a_wait_names_what_it_saw(server: ModelServer) -> None:
    with pytest.raises(TimeoutError, match="0 requests, 0 open, 0 aborted"):
        await server.wait_requests(1, deadline_s=0)


async def test_raw_bytes_split_and_cut(server: ModelServer, http: aiohttp.ClientSession) -> None:
    server.script("m", sends(b"<html>", b"</html>", content_type="text/html", split=1))
    async with http.post(url(server), json=body("m")) as response:
        assert await response.read() == b"<html></html>"
        assert response.content_type == "text/html"
    server.script("m", says(Chunk({"error": {"message": "x"}}), Cut()))
    async with http.post(url(server), json=body("m")) as response:
        assert b"error" in await response.content.readany()


async def test_lists_models(server: ModelServer, http: aiohttp.ClientSession) -> None:
    server.script("m", says("x"))
    async with http.get(server.base_url + "/models") as response:
        assert [m["id"] for m in (await response.json())["data"]] == ["m", "mock-20-0", "mock-echo"]
