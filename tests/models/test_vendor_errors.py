"""What providers' refusals mean, and that their words are passed on without secrets."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.errors import PROVIDER_REASONS, ProviderError
from openclaw_gateway.models.vendor_errors import Vendor, from_response, from_stream, retry_after_s

VENDOR = Vendor("acme", ("hunter2hunter2",))
NOW = 1_800_000_000.0


def refused(status: int, body: Any) -> ProviderError:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return from_response(VENDOR, status, raw, retry_after=None)


@pytest.mark.parametrize(
    ("status", "reason", "http_status"),
    [
        (302, "bad_response", 502),
        (400, "format", 400),
        (401, "auth", 401),
        (402, "billing", 402),
        (403, "permission", 403),
        (404, "model_not_found", 404),
        (405, "bad_response", 502),
        (408, "timeout", 504),
        (413, "context_overflow", 400),
        (418, "bad_response", 502),
        (422, "format", 400),
        (429, "rate_limit", 429),
        (500, "server_error", 502),
        (502, "server_error", 502),
        (503, "overloaded", 503),
        (504, "timeout", 504),
        (529, "overloaded", 503),
        (599, "server_error", 502),
    ],
)
def test_statuses(status: int, reason: str, http_status: int) -> None:
    error = refused(status, {"error": {"message": "because", "type": "x", "code": None}})
    assert (error.reason, error.http_status, error.provider_status) == (reason, http_status, status)
    assert error.message.startswith(f"The provider acme answered {status}: because.")


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, {"code": "context_length_exceeded", "message": "x"}, "context_overflow"),
        (400, {"code": 400, "type": "exceed_context_size_error", "message": "x"}, "context_overflow"),
        (400, {"message": "This model's maximum context length is 4096 tokens."}, "context_overflow"),
        (400, {"message": "prompt is too long: 9 tokens > 8 maximum"}, "context_overflow"),
        (
            400,
            {"type": "invalid_request_error", "code": "model_not_found", "message": "x"},
            "model_not_found",
        ),
        (400, {"type": "invalid_request_error", "message": "temperature is wrong"}, "format"),
        (429, {"code": "insufficient_quota", "message": "x"}, "billing"),
        (429, {"status": "RESOURCE_EXHAUSTED", "message": "x"}, "rate_limit"),
        (403, {"code": "insufficient_quota", "message": "x"}, "billing"),
        (401, {"code": "insufficient_quota", "message": "x"}, "auth"),
        (500, {"code": "invalid_api_key", "message": "x"}, "server_error"),
        (400, {"message": "Your credit balance is too low to access the Anthropic API."}, "billing"),
    ],
)
def test_a_code_tells_more_than_some_statuses(status: int, error: dict[str, Any], reason: str) -> None:
    assert refused(status, {"error": error}).reason == reason


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "prompt is too long: 213462 tokens > 200000 maximum"}},
        {"error": {"message": "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000"}},
        {"error": {"message": "Invalid request: Your request exceeded model token limit: 131072"}},
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072",
        },
        {"error": {"code": "1261", "message": "Prompt exceeds max length"}},
        {"message": "Input is too long for requested model."},
    ],
)
def test_every_vendor_has_its_own_words_for_too_long(body: dict[str, Any]) -> None:
    assert refused(400, body).reason == "context_overflow"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "the reason"}},
        {"error": "the reason"},
        {"message": "the reason"},
        {"detail": "the reason"},
        {"detail": [{"loc": ["body"], "msg": "the reason"}]},
        {"error": {}, "message": "the reason"},
        {"error": {"code": 1}, "message": "the reason"},
        [{"error": {"code": 400, "message": "the reason", "status": "INVALID_ARGUMENT"}}],
        b"the reason",
        "the reason",
    ],
)
def test_where_vendors_put_their_message(body: Any) -> None:
    assert "answered 400: the reason" in refused(400, body).message


@pytest.mark.parametrize(
    "body", [b"", b"<!DOCTYPE html><html>x</html>", b"{}", b"[]", b"null", b"5", b"true"]
)
def test_a_body_that_says_nothing(body: bytes) -> None:
    assert refused(500, body).message == "The provider acme answered 500. Try again later."


def test_no_secret_path_or_trace_is_passed_on() -> None:
    message = refused(
        401,
        {
            "error": {
                "message": "Incorrect key hunter2hunter2 or sk-abcdef123456 in /srv/app/secret/config.py\n"
                "Traceback (most recent call last): boom"
            }
        },
    ).message
    for leak in ("hunter2", "sk-abcdef", "/srv/app", "boom", "\n"):
        assert leak not in message
    assert "models.providers.acme.apiKey" in message


def test_long_texts_are_cut() -> None:
    assert len(refused(400, {"message": "x" * 100_000}).message) < 700


@pytest.mark.parametrize(
    ("error", "reason", "retryable"),
    [
        ({"message": "x", "code": 502}, "server_error", True),
        ({"message": "x", "code": "429"}, "rate_limit", True),
        ({"message": "x", "type": "overloaded_error"}, "overloaded", True),
        ({"message": "x", "code": "context_length_exceeded"}, "context_overflow", False),
        ({"message": "x", "type": "invalid_request_error"}, "format", False),
        ({"message": "maximum context reached"}, "context_overflow", False),
        ({"message": "x", "code": 200}, "server_error", True),
        ("just text", "server_error", True),
        (True, "server_error", True),
    ],
)
def test_errors_inside_a_stream(error: Any, reason: str, retryable: bool) -> None:
    found = from_stream(VENDOR, error)
    assert (found.reason, found.retryable) == (reason, retryable)


@given(st.integers(100, 999), st.binary(max_size=300))
def test_any_body_is_some_error(status: int, body: bytes) -> None:
    error = from_response(VENDOR, status, body, retry_after=None)
    assert error.reason in PROVIDER_REASONS
    assert "hunter2" not in error.message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["message", "code", "error"]), inner),
    )
)
def test_any_error_value_is_some_error(value: Any) -> None:
    assert from_stream(VENDOR, value).reason in PROVIDER_REASONS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": " 1.5"}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30.0),
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:30 -0000"}, 30.0),
        ({"Retry-After": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": ""}, None),
        ({"retry-after-ms": "nan"}, None),
        ({"retry-after-ms": "-5"}, 0.0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_read_or_ignored(value: str) -> None:
    seconds = retry_after_s({"Retry-After": value}, NOW)
    assert seconds is None or seconds >= 0
