"""What a provider's refusal means: status, body and headers in, one ProviderError out.

Pure, and the same for every dialect: vendors differ in where they put the message and in the words of
their codes, and both are tables here. The vendor's text is passed on without secrets, because it
usually says what to do.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from openclaw_gateway.errors import ProviderError, ProviderReason
from openclaw_gateway.models.overflow import too_long
from openclaw_gateway.redaction import safe_text

_BY_STATUS: dict[int, ProviderReason] = {
    400: "format",
    401: "auth",
    402: "billing",
    403: "permission",
    404: "model_not_found",
    408: "timeout",
    413: "context_overflow",
    422: "format",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

# The vendor's `code`, `type` or `status`, folded to lower case. More telling than the HTTP status.
_BY_CODE: dict[str, ProviderReason] = {
    "context_length_exceeded": "context_overflow",
    "exceed_context_size_error": "context_overflow",
    "string_above_max_length": "format",
    "request_too_large": "context_overflow",
    "insufficient_quota": "billing",
    "billing_error": "billing",
    "billing_not_active": "billing",
    "insufficient_balance": "billing",
    "model_not_found": "model_not_found",
    "not_found_error": "model_not_found",
    "invalid_api_key": "auth",
    "api_key_invalid": "auth",
    "api_key_service_blocked": "permission",
    "authentication_error": "auth",
    "unauthenticated": "auth",
    "permission_error": "permission",
    "permission_denied": "permission",
    "rate_limit_exceeded": "rate_limit",
    "rate_limit_error": "rate_limit",
    "resource_exhausted": "rate_limit",
    "overloaded_error": "overloaded",
    "overloaded": "overloaded",
    "unavailable": "overloaded",
    "timeout_error": "timeout",
    "deadline_exceeded": "timeout",
    "server_error": "server_error",
    "internal_error": "server_error",
    "api_error": "server_error",
    "invalid_request_error": "format",
    "invalid_argument": "format",
}

_UNPAID = re.compile(r"credit balance is too low", re.IGNORECASE)

_CODES = ("code", "error_type", "type", "status")

_RETRY_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d{1,9})?)s"')

_REMEDY: dict[ProviderReason, str] = {
    "server_error": "Try again later.",
    "timeout": "Try again later.",
    # Without a colon behind "key": redaction would take what follows for one.
    "auth": "Check the API key in models.providers.{provider}.apiKey or the provider's environment variable.",
    "billing": "Check the account's balance and plan at the provider.",
    "permission": "The API key may not use this; check its rights at the provider.",
    "model_not_found": "Check the model's name and models.providers.{provider}.baseUrl, which for most "
    "providers ends in /v1.",
    "context_overflow": "Shorten the conversation or choose a model with a larger context.",
    "rate_limit": "Try again later.",
    "overloaded": "Try again later.",
    "bad_response": "Check models.providers.{provider}.baseUrl.",
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """Whom an error names, and which values of theirs must never appear in it."""

    provider: str
    secrets: tuple[str, ...] = ()


def from_response(vendor: Vendor, status: int, body: bytes, *, retry_after: float | None) -> ProviderError:
    """The error for an answer that is not a 200."""
    message, codes = _read(body)
    reason = _reason(status, codes, message)
    said = safe_text(message, known=vendor.secrets).rstrip(".")
    text = f"The provider {vendor.provider} answered {status}"
    return ProviderError(
        reason,
        _sentence(f"{text}: {said}" if said else text, reason, vendor),
        retry_after=_retry_delay(body) if retry_after is None else retry_after,
        provider_status=status,
    )


def from_stream(vendor: Vendor, error: Any) -> ProviderError:
    """The error for an `error` value in the middle of a stream whose status was 200."""
    message, codes = _message_and_codes(error)
    status = next((int(code) for code in codes if len(code) == 3 and code.isdecimal()), None)
    reason = _reason(status, codes, message)
    said = safe_text(message, known=vendor.secrets).rstrip(".") or "no reason given"
    return ProviderError(
        reason,
        _sentence(f"The provider {vendor.provider} ended its answer with an error: {said}", reason, vendor),
        provider_status=status,
    )


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait as the provider asks for (`now` in Unix seconds), None when it does not say."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            seconds = float(milliseconds) / 1000
        elif (value := headers.get("Retry-After")) is None:
            return None
        elif value.strip()[:1].isdigit():
            seconds = float(value)
        else:
            date = parsedate_to_datetime(value)
            # A date without a zone ("-0000") is UTC in HTTP.
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _retry_delay(body: bytes) -> float | None:
    # Google says in the body what others say in a header.
    found = _RETRY_DELAY.search(body)
    return float(found[1]) if found else None


def _reason(status: int | None, codes: list[str], message: str) -> ProviderReason:
    by_code = [reason for code in codes if (reason := _BY_CODE.get(code))]
    if "context_overflow" in by_code or too_long(status, message):
        return "context_overflow"
    if status in {None, 400, 403, 429} and by_code and by_code[0] != "format":
        return by_code[0]
    if status in {None, 400} and _UNPAID.search(message):
        return "billing"
    if status is None:
        return by_code[0] if by_code else "server_error"
    return _BY_STATUS.get(status) or ("server_error" if status >= 500 else "bad_response")


def _read(body: bytes) -> tuple[str, list[str]]:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:4096].decode("utf-8", "replace")
        # A proxy's HTML page says nothing to a user that the status does not.
        return ("" if text.lstrip().startswith("<") else text), []
    if isinstance(answer, list) and answer:
        answer = answer[0]
    if isinstance(answer, dict) and answer.get("error"):
        message, codes = _message_and_codes(answer["error"])
        return message or _text(answer.get("message")), codes
    return _message_and_codes(answer)


def _message_and_codes(error: Any, depth: int = 3) -> tuple[str, list[str]]:
    if not isinstance(error, dict):
        return _text(error, depth), []
    texts = (_text(error.get(key), depth) for key in ("message", "detail", "msg", "error"))
    codes = [*_reasons(error.get("details")), *(_code(error.get(key)) for key in _CODES)]
    return next(filter(None, texts), ""), [code for code in codes if code]


def _reasons(details: Any) -> list[str]:
    # Google calls nearly everything INVALID_ARGUMENT and says in the details what it means.
    if not isinstance(details, list):
        return []
    return [_code(each.get("reason")) for each in details[:5] if isinstance(each, dict)]


def _text(value: Any, depth: int = 3) -> str:
    match value:
        case str():
            return value
        case dict() if depth:
            return _message_and_codes(value, depth - 1)[0]
        case list() if depth:
            return "; ".join(text for item in value[:5] if (text := _text(item, depth - 1)))
        case _:
            return ""


def _code(value: Any) -> str:
    match value:
        case str():
            return value.lower()
        case bool():
            return ""
        case int() if 400 <= value <= 599:
            return str(value)
        case _:
            return ""


def _sentence(text: str, reason: ProviderReason, vendor: Vendor) -> str:
    remedy = _REMEDY.get(reason, "").format(provider=vendor.provider)
    return f"{text}. {remedy}".rstrip()
