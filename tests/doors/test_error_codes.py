"""Errors over HTTP that need something to be set up before they happen: status, code, what else is said."""

import asyncio
import socket
from typing import Any

import pytest

from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, hangs, sends
from tests.doors.chat import Answer, ask, http, say, user

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
FAR = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}

DOCUMENT = {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGk="}}


def asked(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "what is this?"}, *parts]}]}


@pytest.mark.promise(
    "error.missing_user_message",
    "error.unsupported_content_part",
    "error.invalid_image",
    "error.too_many_images",
    "error.invalid_audio",
    "error.invalid_file",
    "error.unsupported_file",
    "error.too_many_files",
    "limit.images",
    "limit.files",
)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"messages": [{"role": "system", "content": "s"}]}, "missing_user_message"),
        (asked({"type": "video_url"}), "unsupported_content_part"),
        (asked({"type": "input_audio"}), "invalid_audio"),
        (asked({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "flac"}}), "invalid_audio"),
        (asked({"type": "input_audio", "input_audio": {"data": "!", "format": "wav"}}), "invalid_audio"),
        (asked({"type": "file"}), "invalid_file"),
        (asked({"type": "file", "file": {"file_id": "file-1"}}), "invalid_file"),
        (asked({"type": "file", "file": {"file_data": "data:application/pdf,x"}}), "invalid_file"),
        (asked({"type": "file", "file": {"file_data": "data:x/y;base64,UEsDBAAA"}}), "unsupported_file"),
        (asked(*[DOCUMENT] * 9), "too_many_files"),
        (asked(FAR), "invalid_image"),
        (asked({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}), "invalid_image"),
        (asked(*[PICTURE] * 9), "too_many_images"),
    ],
)
async def test_what_is_asked_cannot_be_read(
    gateway: RunningGateway, models: ModelServer, body: dict[str, Any], code: str
) -> None:
    answer = await ask(gateway, body)
    assert (answer.status, answer.error["code"]) == (400, code)
    assert answer.error["param"]
    assert models.requests == []


async def test_eight_images_are_not_too_many(gateway: RunningGateway) -> None:
    assert (await ask(gateway, asked(*[PICTURE] * 8, *[DOCUMENT] * 8))).status == 200


@pytest.mark.promise("error.images_unsupported")
async def test_a_model_that_cannot_see_is_sent_no_image(models: ModelServer) -> None:
    blind = {"models": {"providers": {"mock": {"models": [{"id": "mock-echo", "input": ["text"]}]}}}}
    async with running_gateway(model_config(models.base_url, blind)) as gateway:
        answer = await ask(gateway, asked(PICTURE))
    assert (answer.status, answer.error["code"]) == (400, "images_unsupported")
    assert models.requests == []


@pytest.mark.promise("error.endpoint_disabled", "endpoint-off")
async def test_an_endpoint_is_off_until_it_is_turned_on(models: ModelServer) -> None:
    config = model_config(models.base_url)
    del config["gateway"]["http"]
    async with running_gateway(config) as gateway:
        answer = await say(gateway, "hi")
    assert (answer.status, answer.error["code"]) == (404, "endpoint_disabled")
    assert "gateway.http.endpoints.chatCompletions.enabled" in answer.error["message"]


@pytest.mark.promise("error.model_not_found")
async def test_a_model_that_is_not_there_is_not_found(gateway: RunningGateway) -> None:
    async with http(gateway) as session, session.get("/v1/models/openclaw%2Fnosuch") as response:
        answer = Answer(response.status, response.headers.copy(), await response.text())
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")


@pytest.mark.promise("error.rate_limited")
async def test_guessing_is_refused_after_a_while(models: ModelServer) -> None:
    limited = {"gateway": {"auth": {"rateLimit": {"maxAttempts": 2}}}}
    async with running_gateway(model_config(models.base_url, limited)) as gateway:
        wrong = {"Authorization": "Bearer wrong"}
        tries = [await ask(gateway, {"messages": [user("hi")]}, headers=wrong) for _ in range(3)]
    assert [answer.status for answer in tries] == [401, 401, 429]
    assert [answer.error["code"] for answer in tries] == ["invalid_api_key"] * 2 + ["rate_limited"]
    assert int(tries[-1].headers["Retry-After"]) > 0


@pytest.mark.promise("error.internal_error", "error-keys")
async def test_a_fault_of_the_gateway_is_told_without_its_cause(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("/home/ada/secret.py")

    monkeypatch.setattr(Gateway, "route", fails)
    answer = await say(gateway, "hi")
    assert (answer.status, answer.error["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    monkeypatch.undo()
    assert (await say(gateway, "hi")).status == 200


@pytest.mark.promise("error.provider_unreachable")
@pytest.mark.usefixtures("asks_again_at_once")
async def test_a_provider_where_nobody_listens(models: ModelServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with running_gateway(model_config(f"http://127.0.0.1:{port}/v1")) as gateway:
        answer = await say(gateway, "hi", stream=True)
    assert (answer.status, answer.error["code"]) == (502, "provider_unreachable")


@pytest.mark.promise("error.provider_bad_response")
async def test_a_provider_that_answers_with_a_page(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", sends(b"<html>Welcome</html>", content_type="text/html"))
    answer = await say(gateway, "hi")
    assert (answer.status, answer.error["code"]) == (502, "provider_bad_response")
    assert "Welcome" not in answer.text


@pytest.mark.promise("error.run_timeout", "limit.timeoutSeconds", "run-time")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_run_that_takes_too_long_is_ended(models: ModelServer, stream: bool) -> None:
    models.script("mock-echo", hangs())
    short = {"agents": {"defaults": {"timeoutSeconds": 0.2}}}
    async with running_gateway(model_config(models.base_url, short)) as gateway:
        answer = await say(gateway, "hi", stream=stream)
        await models.wait_aborted(1)
    assert (answer.status, answer.error["code"]) == (504, "run_timeout")


@pytest.mark.promise("error.overloaded", "limit.maxRuns", "overload")
@pytest.mark.parametrize("stream", [False, True])
async def test_one_run_too_many_is_refused_at_once(models: ModelServer, stream: bool) -> None:
    models.script("mock-echo", hangs())
    one = {"gateway": {"limits": {"maxRuns": 1}}}
    async with running_gateway(model_config(models.base_url, one)) as gateway:
        first = asyncio.create_task(say(gateway, "hi"))
        await models.wait_requests(1)
        answer = await say(gateway, "me too", stream=stream)
        assert (answer.status, answer.error["code"]) == (503, "overloaded")
        assert int(answer.headers["Retry-After"]) > 0
        assert len(models.requests) == 1
        first.cancel()
        await asyncio.wait([first])
