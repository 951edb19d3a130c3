"""Every error as the control protocol says it. Pure; the one place where an error becomes an error frame.

`code` is one of the few that clients of the older systems know. The exact one is `details.code`, the same
as on the HTTP door; only what those clients themselves look for in `details` is spelled their way.
"""

from typing import Any

from msgspec import UNSET

from openclaw_gateway.errors import (
    DeviceRefused,
    Forbidden,
    GatewayError,
    MissingScope,
    NotPaired,
    RateLimited,
    Unauthorized,
)
from openclaw_gateway.wire.devices import ROLE
from openclaw_gateway.wire.error_info import ErrorInfo, error_info
from openclaw_gateway.wire.frames import ErrorCode, ErrorShape

# What the fields of this door are called, where an error names the HTTP door's.
_PARAMS = {
    "x-openclaw-session-key": "sessionKey",
    "x-openclaw-agent-id": "agentId",
    "x-openclaw-model": "model",
}

# What clients of the older systems look for in `details.reason`.
_REASONS = {
    "approval_not_found": "APPROVAL_NOT_FOUND",
    "approval_already_resolved": "APPROVAL_ALREADY_RESOLVED",
    "approval_decision_unavailable": "APPROVAL_ALLOW_ALWAYS_UNAVAILABLE",
}


_DEVICE_CODES = {
    "device-id-mismatch": "DEVICE_AUTH_DEVICE_ID_MISMATCH",
    "device-signature-stale": "DEVICE_AUTH_SIGNATURE_EXPIRED",
    "device-nonce-missing": "DEVICE_AUTH_NONCE_REQUIRED",
    "device-nonce-mismatch": "DEVICE_AUTH_NONCE_MISMATCH",
    "device-signature": "DEVICE_AUTH_SIGNATURE_INVALID",
    "device-public-key": "DEVICE_AUTH_PUBLIC_KEY_INVALID",
}


def shape(error: GatewayError) -> ErrorShape:
    """A refused call."""
    if isinstance(error, MissingScope):
        return _scope_shape(error)
    return info_shape(error_info(error))


def info_shape(info: ErrorInfo, *, run_id: str | None = None) -> ErrorShape:
    """An error as data; with a run id: how that run ended."""
    details: dict[str, Any] = {} if run_id is None else {"runId": run_id, "status": "error"}
    details |= {"code": info.code, "httpStatus": info.status}
    if info.param is not None:
        details["param"] = _PARAMS.get(info.param, info.param)
    if info.code in _REASONS:
        details["reason"] = _REASONS[info.code]
    return ErrorShape(
        _code(info),
        info.message,
        details,
        retryable=info.retryable or UNSET,
        retry_after_ms=UNSET if info.retry_after is None else int(info.retry_after * 1000),
    )


def auth_shape(error: Unauthorized | RateLimited, mode: str, *, secret_sent: bool) -> ErrorShape:
    """A connect that was not let in."""
    if isinstance(error, RateLimited):
        retry_after_ms = int((error.retry_after or 0) * 1000)
        details = {"code": "AUTH_RATE_LIMITED", "httpStatus": error.http_status}
        return ErrorShape(
            "INVALID_REQUEST", error.message, details, retryable=True, retry_after_ms=retry_after_ms
        )
    if mode == "trusted-proxy":
        details = {"code": "AUTH_UNAUTHORIZED", "httpStatus": error.http_status}
        return ErrorShape("INVALID_REQUEST", error.message, details)
    what = "MISMATCH" if secret_sent else "MISSING"
    return ErrorShape(
        "INVALID_REQUEST",
        f"unauthorized: gateway {mode} {'mismatch' if secret_sent else 'missing'} (send the gateway's {mode} "
        f"as connect.params.auth.{mode})",
        {"code": f"AUTH_{mode.upper()}_{what}", "httpStatus": error.http_status},
    )


def device_shape(error: DeviceRefused) -> ErrorShape:
    """A connect whose device was not taken."""
    details = {"code": _DEVICE_CODES[error.reason], "reason": error.reason, "httpStatus": error.http_status}
    return ErrorShape("INVALID_REQUEST", error.message, details)


def unpaired_shape(error: NotPaired, program: str) -> ErrorShape:
    """A connect that needs the operator's word first, who types a command that begins with `program`."""
    if error.request_id is None:
        details: dict[str, Any] = {"code": "DEVICE_IDENTITY_REQUIRED"}
    else:
        details = {
            "code": "PAIRING_REQUIRED",
            "reason": error.reason,
            "requestId": error.request_id,
            "remediationHint": f"On the gateway's machine: {program} devices approve {error.request_id}",
            "deviceId": error.device_id,
            "requestedRole": ROLE,
            "requestedScopes": error.scopes,
        }
        if error.approved:
            details |= {"approvedRoles": [ROLE], "approvedScopes": error.approved}
    return ErrorShape("NOT_PAIRED", error.message, details | {"httpStatus": error.http_status})


def invalid(message: str, **details: Any) -> ErrorShape:
    """A request that is wrong in itself."""
    return ErrorShape("INVALID_REQUEST", message, {"code": "invalid_request", "httpStatus": 400} | details)


def _scope_shape(error: MissingScope) -> ErrorShape:
    details = {"missingScope": error.scope, "requiredScopes": [error.scope], "httpStatus": error.http_status}
    return ErrorShape("FORBIDDEN", error.message, {"code": "MISSING_SCOPE"} | details)


def _code(info: ErrorInfo) -> ErrorCode:
    if info.code == "run_timeout":
        return "AGENT_TIMEOUT"
    if info.status == 403 and info.type == Forbidden.type:
        return "FORBIDDEN"
    if info.type == "invalid_request_error" and info.status < 500:
        return "INVALID_REQUEST"
    return "UNAVAILABLE"
