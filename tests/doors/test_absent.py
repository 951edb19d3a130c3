"""Paths that are not served: which setting of the client mends it."""

import pytest

from openclaw_gateway.doors.openai.absent import absent
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import Answer, http

SERVED = {"/v1/chat/completions", "/v1/models"}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/responses/resp_1", "only POST /v1/responses is served here. Or set your client to the chat"),
        ("/v1/messages/batches", "Of Anthropic's API only POST /v1/messages"),
        ("/v1/embeddings/1", "only POST /v1/embeddings is served"),
        ("/v1/audio/speech", "another provider"),
        ("/v1/nosuch", "the base URL in your client's settings must end in /v1"),
        ("/v1", "the base URL in your client's settings must end in /v1"),
        ("/v1/", "the base URL in your client's settings must end in /v1"),
        ("/nosuch", "the base URL in your client's settings must end in /v1"),
        ("", "the base URL in your client's settings must end in /v1"),
        ("/embeddings", "lacks /v1"),
        ("/chat", "lacks /v1"),
        ("/v1/v1/chat/completions", "twice"),
        ("/v1/chat/completions/", "it is /v1/chat/completions,"),
        ("//v1/chat/completions", "it is /v1/chat/completions,"),
        ("/V1/Chat/Completions", "it is /v1/chat/completions,"),
        ("/v1/chat/completions/chat/completions", "with nothing behind it"),
        ("/api/tags", "Ollama's own API"),
        ("/api/chat", "Ollama's own API"),
        ("/v1/conversations", "`conversation` of POST /v1/responses"),
        ("/v1/batches/b_1", "one by one, POST /v1/chat/completions"),
        ("/v1/vector_stores", "another provider, or off"),
        ("/v1/engines/davinci/completions", "with the model in its body"),
        ("/openai/deployments/gpt/chat/completions", "Azure's paths"),
        ("/v1beta/models/gemini:generateContent", "Google's API"),
    ],
)
def test_the_sentence_names_the_setting(path: str, told: str) -> None:
    assert told in absent(path, SERVED)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_it_is_what_a_client_is_told(gateway: RunningGateway, method: str) -> None:
    async with http(gateway) as session, session.request(method, "/v1/assistants") as response:
        answer = Answer(response.status, response.headers.copy(), await response.text())
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert answer.error["type"] == "invalid_request_error"
    assert "chat completions API" in answer.error["message"]


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/v1/responses/resp_1/input_items"])
async def test_responses_while_off_name_the_key_and_the_setting_of_the_client(
    gateway: RunningGateway, path: str
) -> None:
    async with http(gateway) as session, session.post(path, json={"input": "hi"}) as response:
        answer = Answer(response.status, response.headers.copy(), await response.text())
    assert (answer.status, answer.error["code"]) == (404, "endpoint_disabled")
    assert "gateway.http.endpoints.responses.enabled" in answer.error["message"]
    assert "'use Responses API' off" in answer.error["message"]


async def test_an_endpoint_that_is_off_names_its_key(models: ModelServer) -> None:
    off = {"gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": False}}}}}
    async with running_gateway(model_config(models.base_url, off)) as gateway, http(gateway) as session:
        for path in ("/v1/chat/completions", "/v1/models", "/v1/models/openclaw"):
            async with session.get(path) as response:
                answer = Answer(response.status, response.headers.copy(), await response.text())
            assert (answer.status, answer.error["code"]) == (404, "endpoint_disabled")
            assert "gateway.http.endpoints.chatCompletions.enabled" in answer.error["message"]
