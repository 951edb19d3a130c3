"""What vendors answer instead of a stream, as they write it, through a socket in each dialect."""

from typing import Any

import msgspec
import pytest

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.failover import RetryPolicy
from openclaw_gateway.testing.model_server import ModelServer, fails
from tests.models.calls import caller, run, target

OPENAI = "openai-completions"
RESPONSES = "openai-responses"
ANTHROPIC = "anthropic-messages"
GOOGLE = "google-generative-ai"


def anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def google(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


QUOTA = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


@pytest.mark.parametrize(
    ("api", "status", "body", "reason"),
    [
        (OPENAI, 429, {"error": {"message": "no", "code": "insufficient_quota"}}, "billing"),
        (
            RESPONSES,
            400,
            {"error": {"message": "long", "code": "context_length_exceeded"}},
            "context_overflow",
        ),
        (RESPONSES, 404, {"error": {"message": "no", "code": "model_not_found"}}, "model_not_found"),
        (ANTHROPIC, 401, anthropic("authentication_error", "invalid x-api-key"), "auth"),
        (ANTHROPIC, 400, anthropic("invalid_request_error", "prompt is too long: 2 > 1"), "context_overflow"),
        (ANTHROPIC, 400, anthropic("invalid_request_error", "max_tokens: required"), "format"),
        (ANTHROPIC, 403, anthropic("permission_error", "no"), "permission"),
        (ANTHROPIC, 413, anthropic("request_too_large", "no"), "context_overflow"),
        (ANTHROPIC, 529, anthropic("overloaded_error", "Overloaded"), "overloaded"),
        (GOOGLE, 400, google(400, "INVALID_ARGUMENT", "API key not valid.", BAD_KEY), "auth"),
        (GOOGLE, 400, google(400, "INVALID_ARGUMENT", "Unknown name"), "format"),
        (GOOGLE, 404, google(404, "NOT_FOUND", "models/x is not found"), "model_not_found"),
        (GOOGLE, 503, google(503, "UNAVAILABLE", "The model is overloaded."), "overloaded"),
    ],
)
async def test_what_it_means(models: ModelServer, api: str, status: int, body: Any, reason: str) -> None:
    models.script("m", fails(status, body=msgspec.json.encode(body)))
    async with caller(policy=RetryPolicy(waits_s=())) as calls:
        with pytest.raises(ProviderError, match="acme") as caught:
            await run(calls, target(models, api=api))
    assert caught.value.reason == reason


async def test_google_says_in_the_body_when_to_come_back(models: ModelServer) -> None:
    body = google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", QUOTA)
    models.script("m", fails(429, body=msgspec.json.encode(body)))
    async with caller() as calls:
        with pytest.raises(ProviderError) as caught:
            await run(calls, target(models, api=GOOGLE))
    assert (caught.value.reason, caught.value.retry_after) == ("rate_limit", 34.07)
