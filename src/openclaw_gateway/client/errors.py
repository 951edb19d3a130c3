"""What can go wrong between a client and its gateway.

GatewayError
├── GatewayUnreachable      nobody listens there, or it is no gateway
├── ConnectionLost          the connection ended in the middle of something
├── AnswerTimeout           the gateway is there, but this answer did not come in time
├── AnswerGarbled           its answer has a shape that the protocol does not know
├── TooMuchSaid             a run says more than is kept for who reads it later
└── RemoteError             the gateway said no; `code` and `http_status` are the gateway's own
    ├── AuthRefused         the secret is missing or wrong
    │   ├── LockedOut       there were too many wrong ones
    │   └── NotLetIn        the operator has not let this device in
    └── ProtocolMismatch    client and gateway are of different ages
"""

from typing import Any, ClassVar

from msgspec import UNSET

from openclaw_gateway.errors import GatewayError
from openclaw_gateway.wire.frames import ErrorShape

# Codes that the protocol spells in its own way, as the rest of the program knows them.
_PLAIN_CODES = {
    "AUTH_TOKEN_MISSING": "invalid_api_key",
    "AUTH_TOKEN_MISMATCH": "invalid_api_key",
    "AUTH_PASSWORD_MISSING": "invalid_api_key",
    "AUTH_PASSWORD_MISMATCH": "invalid_api_key",
    "AUTH_UNAUTHORIZED": "invalid_api_key",
    "AUTH_RATE_LIMITED": "rate_limited",
    "MISSING_SCOPE": "missing_scope",
    "PAIRING_REQUIRED": "not_paired",
    "DEVICE_IDENTITY_REQUIRED": "not_paired",
    "PROTOCOL_MISMATCH": "protocol_mismatch",
}


_TYPES = {
    400: "invalid_request_error",
    401: "unauthorized",
    403: "forbidden",
    404: "invalid_request_error",
    409: "invalid_request_error",
    422: "invalid_request_error",
}


class GatewayUnreachable(GatewayError):
    status = 503
    default_code = "gateway_unreachable"
    retryable = True


class ConnectionLost(GatewayError):
    """`close_code` is the WebSocket's; 1012 means that the gateway restarts."""

    status = 503
    default_code = "connection_lost"
    retryable = True

    def __init__(self, message: str, *, close_code: int | None = None) -> None:
        super().__init__(message)
        self.close_code = close_code


class AnswerTimeout(GatewayError):
    status = 504
    default_code = "answer_timeout"
    retryable = True


class AnswerGarbled(GatewayError):
    status = 502
    default_code = "answer_garbled"


class TooMuchSaid(GatewayError):
    status = 502
    default_code = "too_much_said"


class RemoteError(GatewayError):
    """An error frame. `kind` is the protocol's coarse code, `details` what else the gateway said."""

    default_code: ClassVar[str] = "remote_error"

    def __init__(self, error: ErrorShape) -> None:
        details: dict[str, Any] = {} if error.details is UNSET else error.details
        code, param, status = details.get("code"), details.get("param"), details.get("httpStatus")
        super().__init__(
            error.message,
            code=_PLAIN_CODES.get(code, code) if isinstance(code, str) else None,
            param=param if isinstance(param, str) else None,
            retry_after=None if error.retry_after_ms is UNSET else error.retry_after_ms / 1000,
        )
        self._status = status if isinstance(status, int) else 500
        said = details.get("type")
        # One that says none, of an older gateway, is told by its status.
        self.error_type = said if isinstance(said, str) else _TYPES.get(self._status, self.type)
        self.kind = error.code
        self.details = details
        self.retryable = error.retryable is True

    @property
    def http_status(self) -> int:
        return self._status


class AuthRefused(RemoteError):
    pass


class LockedOut(AuthRefused):
    """There were too many wrong secrets from this address; `retry_after` is in seconds."""


class NotLetIn(AuthRefused):
    """`request_id` names the request that waits for the operator; None where no device has signed."""

    @property
    def request_id(self) -> str | None:
        said = self.details.get("requestId")
        return said if isinstance(said, str) else None


class ProtocolMismatch(RemoteError):
    pass


def remote_error(error: ErrorShape) -> RemoteError:
    """The class that fits."""
    code = "" if error.details is UNSET else str(error.details.get("code", ""))
    if code == "AUTH_RATE_LIMITED":
        return LockedOut(error)
    if _PLAIN_CODES.get(code) == "not_paired":
        return NotLetIn(error)
    if code.startswith("AUTH_"):
        return AuthRefused(error)
    if code == "PROTOCOL_MISMATCH":
        return ProtocolMismatch(error)
    return RemoteError(error)
