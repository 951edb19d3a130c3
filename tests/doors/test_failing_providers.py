"""Providers that fail, through the door: a real status as long as no byte has left, streamed or not."""

import openai
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Cut, ModelServer, fails, says, sends
from tests.doors.chat import say, sdk
from tests.doors.logged import logged

pytestmark = pytest.mark.usefixtures("asks_again_at_once")


@pytest.mark.promise(
    "real-status",
    "error.provider_rejected_request",
    "error.provider_auth_failed",
    "error.provider_billing",
    "error.provider_permission_denied",
    "error.provider_model_not_found",
    "error.context_length_exceeded",
    "error.provider_rate_limited",
    "error.provider_error",
    "error.provider_overloaded",
    "error.provider_timeout",
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "told"),
    [
        (400, (400, "provider_rejected_request")),
        (401, (401, "provider_auth_failed")),
        (402, (402, "provider_billing")),
        (403, (403, "provider_permission_denied")),
        (404, (404, "provider_model_not_found")),
        (413, (400, "context_length_exceeded")),
        (429, (429, "provider_rate_limited")),
        (500, (502, "provider_error")),
        (503, (503, "provider_overloaded")),
        (504, (504, "provider_timeout")),
    ],
)
async def test_the_status_is_real(
    gateway: RunningGateway, models: ModelServer, status: int, told: tuple[int, str], stream: bool
) -> None:
    models.script("mock-echo", fails(status, "sorry"))
    answer = await say(gateway, "hi", stream=stream)
    assert (answer.status, answer.error["code"]) == told
    assert len(models.requests) <= 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", [says(Cut()), sends(b"<html>", content_type="text/html"), sends(b"")])
async def test_an_answer_that_is_none(
    gateway: RunningGateway, models: ModelServer, reply: object, stream: bool
) -> None:
    models.script("mock-echo", reply)  # type: ignore[arg-type]
    answer = await say(gateway, "hi", stream=stream)
    assert answer.status == 502


async def test_retry_after_is_passed_on(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", fails(429, "slow down", retry_after="30"))
    answer = await say(gateway, "hi", stream=True)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "30")
    assert len(models.requests) == 1


async def test_a_second_try_may_succeed(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", fails(500), says("well"))
    answer = await say(gateway, "hi", stream=True)
    assert "well" in answer.text


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_does_not_repeat_what_the_gateway_has_repeated(
    gateway: RunningGateway, models: ModelServer, stream: bool
) -> None:
    """Two retries of the gateway, times three of the official client, would be nine calls."""
    models.script("mock-echo", fails(503, "busy"))
    async with sdk(gateway, max_retries=2) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(
                model="openclaw", messages=[{"role": "user", "content": "hi"}], stream=stream
            )
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(models.requests) == 3


async def test_a_client_may_come_back_when_the_provider_asks_for_more_time_than_the_gateway_has(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", fails(503, "busy", retry_after="30"))
    answer = await say(gateway, "hi")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert "x-should-retry" not in answer.headers


@pytest.mark.promise("fallbacks")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_fallback_model_answers(models: ModelServer, stream: bool) -> None:
    models.script("first", fails(500))
    models.script("second", says("I can help."))
    model = {"agents": {"defaults": {"model": {"primary": "mock/first", "fallbacks": ["mock/second"]}}}}
    async with running_gateway(model_config(models.base_url, model)) as gateway:
        answer = await say(gateway, "hi", stream=stream)
    assert answer.status == 200
    assert "I can help." in answer.text


async def test_when_all_models_fail_the_error_names_them(models: ModelServer) -> None:
    models.script("first", fails(500))
    models.script("second", fails(401))
    model = {"agents": {"defaults": {"model": {"primary": "mock/first", "fallbacks": ["mock/second"]}}}}
    async with running_gateway(model_config(models.base_url, model)) as gateway:
        answer = await say(gateway, "hi")
    assert answer.status == 502
    assert "mock/first" in answer.error["message"]
    assert "mock/second" in answer.error["message"]
    assert "mock-key" not in answer.text


async def test_the_log_says_which_key_to_check(models: ModelServer) -> None:
    models.script("mock-echo", fails(401, "Incorrect API key: mock-key-of-another"))
    with logged() as log:
        async with running_gateway(model_config(models.base_url)) as gateway:
            answer = await say(gateway, "hi")
    (line,) = log.lines("model.call_failed")
    for told in (answer.error["message"], line["error"]):
        assert "models.providers.mock.apiKey" in told
        assert "mock-key" not in told
