"""Errors as Anthropic's API says them. Pure.

`details.error_code` is the gateway's own code. Source: platform.claude.com/docs/en/api/errors.
"""

import msgspec

from openclaw_gateway.wire.error_info import ErrorInfo

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_BUSY = frozenset({"overloaded", "draining", "provider_overloaded"})
# What is found where nobody speaks this API yet, in its words.
_RULES = {
    "unknown_tool_call_id": (
        "Each `tool_result` block must have a corresponding `tool_use` block in the previous message. "
    ),
    "missing_tool_results": (
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message. "
    ),
}
_encode = msgspec.json.Encoder().encode


def status_of(error: ErrorInfo) -> int:
    return 529 if error.status == 503 and error.code in _BUSY else error.status


def type_of(status: int) -> str:
    known = _TYPES.get(status)
    if known is not None:
        return known
    return "invalid_request_error" if status < 499 else "api_error"


def error_object(error: ErrorInfo, request_id: str) -> bytes:
    said = {
        "type": type_of(status_of(error)),
        "message": _RULES.get(error.code, "") + error.message,
        "details": {"error_code": error.code},
    }
    return _encode({"type": "error", "error": said, "request_id": request_id})
