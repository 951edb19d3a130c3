"""The exception tree of the whole project.

GatewayError
├── ConfigError                  what the operator wrote is wrong; start-up stops
├── StartupError                 the machine is not as the gateway needs it (port, lock, disk)
├── Unauthorized, RateLimited    who are you
├── Forbidden, Misdirected       not from there, not to there
│   └── MissingScope             not with that credential
├── NotFound, MethodNotAllowed   no such door
│   └── EndpointOff              not as it is configured
├── InvalidRequest               the request is wrong; names the parameter
├── SessionBusy, Overloaded      not now (ShuttingDown: nor later, here)
├── AgentUnavailable             not as it is configured
├── EmbeddingsUnavailable        no model makes vectors here
├── ConfigUnwritable             the configuration cannot be written
│   └── ConfigNotInForce         it is written, and cannot be put in force
├── AgentFileUnusable            a file of an agent cannot be read or written
├── ApprovalsUnusable            the file of approvals cannot be read, or not be written
├── LogMissing                   no log is kept in a file, or it cannot be read
├── StoreError                   what must not be lost cannot be written
│   └── Fenced                   somebody newer holds the session
├── ToolLoop                     the model goes round in circles
├── EventsGone                   what a reader has not read yet is not kept any more
├── RunTimeout, RunAborted       the run was ended from outside (RunCutShort: by a shutdown)
└── ProviderError                the model's vendor failed; `reason` says how

ToolError                        what a tool cannot do, said to the model; no door ever sees it

Rule: every class has a stable `code`, an HTTP `status`, an OpenAI error `type` and `retryable`; every
message says what is wrong and what to do, and is safe to show to a client: no secret, path or stack
trace. Doors translate these once; nobody else turns an error into text.
"""

import math
from typing import ClassVar, Literal

LONGEST_RETRY_S = 3600.0


class GatewayError(Exception):
    """Root. `param` names the offending request field; `retry_after` is in seconds, from 0 to an hour
    whatever was asked for: a client that obeys must come back."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "api_error"
    default_code: ClassVar[str] = "internal_error"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.error_type = self.type
        self.param = param
        self.retry_after = _bounded(retry_after)

    @property
    def http_status(self) -> int:
        return self.status


def _bounded(seconds: float | None) -> float | None:
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_S)


class ConfigError(GatewayError):
    """The configuration is wrong. `problems` holds one sentence per fault, all of them at once."""

    default_code = "config_invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StartupError(GatewayError):
    """The gateway cannot start here; `exit_code` is what the process ends with (sysexits)."""

    default_code = "startup_failed"

    def __init__(self, message: str, *, exit_code: int = 1, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.exit_code = exit_code


class Unauthorized(GatewayError):
    status = 401
    type = "unauthorized"
    default_code = "invalid_api_key"


class DeviceRefused(Unauthorized):
    """What a device has signed is not taken; `reason` is OpenClaw's word for why."""

    default_code = "device_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DevicesUnwritable(GatewayError):
    status = 503
    type = "unavailable"
    default_code = "devices_unwritable"
    retryable = True


class RateLimited(GatewayError):
    status = 429
    type = "rate_limited"
    default_code = "rate_limited"
    retryable = True


class Forbidden(GatewayError):
    status = 403
    type = "forbidden"
    default_code = "forbidden"


class NotPaired(Forbidden):
    """The operator has not approved the device; `request_id` names the request that waits for him, None where
    there is no device. `reason` is OpenClaw's word; `scopes` are asked for, `approved` those he has given."""

    default_code = "not_paired"

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        request_id: str | None = None,
        device_id: str = "",
        scopes: tuple[str, ...] = (),
        approved: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.request_id = request_id
        self.device_id = device_id
        self.scopes = scopes
        self.approved = approved


class MissingScope(Forbidden):
    """The caller's credential does not include `scope`."""

    default_code = "missing_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"missing scope: {scope}. Use a credential that has it.")
        self.scope = scope


class Misdirected(GatewayError):
    status = 421
    type = "invalid_request_error"
    default_code = "host_not_allowed"


class NotFound(GatewayError):
    status = 404
    type = "invalid_request_error"
    default_code = "not_found"


class EndpointOff(NotFound):
    """`key` turns the endpoint on."""

    default_code = "endpoint_disabled"

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key


class MethodNotAllowed(GatewayError):
    status = 405
    type = "invalid_request_error"
    default_code = "method_not_allowed"

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message)
        self.allow = allow


class InvalidRequest(GatewayError):
    """The request is wrong. Subclasses only change the HTTP status."""

    status = 400
    type = "invalid_request_error"
    default_code = "invalid_request"


class RequestTimeout(InvalidRequest):
    status = 408
    default_code = "request_timeout"


class BodyTooLarge(InvalidRequest):
    status = 413
    default_code = "body_too_large"


class UriTooLong(InvalidRequest):
    status = 414
    default_code = "uri_too_long"


class UnsupportedEncoding(InvalidRequest):
    status = 415
    default_code = "unsupported_encoding"


class UnsupportedTransfer(InvalidRequest):
    status = 501
    default_code = "unsupported_transfer"


class UnsupportedMediaType(InvalidRequest):
    status = 415
    default_code = "unsupported_media_type"


class HeadersTooLarge(InvalidRequest):
    status = 431
    default_code = "headers_too_large"


class IdempotencyMismatch(InvalidRequest):
    """The client's name for the request was used for another one."""

    status = 422
    default_code = "idempotency_key_reused"


class ConfigChanged(InvalidRequest):
    """Somebody else has written the configuration since the caller has seen it; nothing is written."""

    status = 409
    default_code = "config_changed"


class SessionBusy(GatewayError):
    status = 429
    type = "rate_limit_error"
    default_code = "session_busy"
    retryable = True


class Overloaded(GatewayError):
    """Too many runs, connections or bytes."""

    status = 503
    type = "api_error"
    default_code = "overloaded"
    retryable = True


class ShuttingDown(Overloaded):
    default_code = "draining"

    def __init__(self) -> None:
        super().__init__("The gateway is shutting down. Try again in a few seconds.", retry_after=5)


class AgentUnavailable(GatewayError):
    """The agent may not run as it is configured, for instance without the sandbox it was promised."""

    status = 503
    type = "api_error"
    default_code = "agent_unavailable"


class EmbeddingsUnavailable(GatewayError):
    """There is no model that makes vectors for this agent."""

    status = 503
    type = "api_error"
    default_code = "embeddings_unavailable"


class ApprovalsUnusable(GatewayError):
    """The file of what commands may run cannot be read, or (`approvals_unwritable`) not be written."""

    status = 503
    type = "api_error"
    default_code = "approvals_broken"


class LogMissing(GatewayError):
    """The log is kept in no file, or the file cannot be read."""

    status = 503
    type = "api_error"
    default_code = "log_missing"


class ConfigUnwritable(GatewayError):
    """The configuration's file cannot be read or written; nothing is written."""

    status = 503
    type = "api_error"
    default_code = "config_unwritable"


class ConfigNotInForce(ConfigUnwritable):
    """It is written, and the gateway cannot go by it: the last good one stays in force."""

    default_code = "config_not_in_force"


class AgentFileUnusable(GatewayError):
    """What stands there is no file of text within the workspace, or its disk fails."""

    status = 503
    type = "api_error"
    default_code = "agent_file_unusable"


class StoreError(GatewayError):
    """The store cannot read or write now; nothing was recorded by the failed call."""

    status = 503
    type = "api_error"
    default_code = "store_unavailable"
    retryable = True


class StoreFull(StoreError):
    status = 507
    default_code = "store_full"


class Fenced(StoreError):
    """A newer claim holds the session: the holder of this one must stop and may not write."""

    default_code = "fenced"
    retryable = False


class ToolLoop(GatewayError):
    status = 502
    type = "api_error"
    default_code = "tool_loop"


class ToolChoiceUnsatisfied(GatewayError):
    """The request demanded a call of its tools and the model answered without one."""

    status = 502
    type = "api_error"
    default_code = "tool_choice_unsatisfied"


class EventsGone(GatewayError, LookupError):
    """A run's log is bounded: a reader that is too far behind, or comes too late, misses some of it."""

    status = 410
    type = "api_error"
    default_code = "events_gone"


class RunTimeout(GatewayError):
    status = 504
    type = "api_error"
    default_code = "run_timeout"


class RunAborted(GatewayError):
    status = 499
    type = "api_error"
    default_code = "run_aborted"


class RunBegunAnew(GatewayError):
    """Its executor has gone after a client had heard a part of it, and another one has begun it anew: what
    was heard cannot be taken back. The same request once more would be a second one."""

    status = 503
    type = "api_error"
    default_code = "run_begun_anew"

    def __init__(self) -> None:
        super().__init__(
            "The machine that answered has gone in the middle of it, and another one has begun the answer "
            "anew. Ask again under the same Idempotency-Key, read the session's transcript, or ask for the "
            "events of a detached answer from the beginning."
        )


class RunCutShort(RunAborted):
    """Aborted because the gateway shuts down: the same request may succeed a moment later."""

    status = 503
    default_code = "draining"
    retryable = True


ProviderReason = Literal[
    "format",
    "auth",
    "billing",
    "permission",
    "model_not_found",
    "context_overflow",
    "rate_limit",
    "timeout",
    "overloaded",
    "server_error",
    "unreachable",
    "bad_response",
    "cut",
    "empty",
]

# reason -> (HTTP status, OpenAI error type, code, worth another try upstream before the first token)
PROVIDER_REASONS: dict[ProviderReason, tuple[int, str, str, bool]] = {
    "format": (400, "invalid_request_error", "provider_rejected_request", False),
    "auth": (401, "authentication_error", "provider_auth_failed", False),
    "billing": (402, "insufficient_quota", "provider_billing", False),
    "permission": (403, "permission_error", "provider_permission_denied", False),
    "model_not_found": (404, "invalid_request_error", "provider_model_not_found", False),
    "context_overflow": (400, "invalid_request_error", "context_length_exceeded", False),
    "rate_limit": (429, "rate_limit_error", "provider_rate_limited", True),
    "timeout": (504, "api_error", "provider_timeout", True),
    "overloaded": (503, "api_error", "provider_overloaded", True),
    "server_error": (502, "api_error", "provider_error", True),
    "unreachable": (502, "api_error", "provider_unreachable", True),
    "bad_response": (502, "api_error", "provider_bad_response", False),
    "cut": (502, "api_error", "provider_stream_cut", True),
    "empty": (502, "api_error", "provider_empty_answer", True),
}


class ProviderError(GatewayError):
    """A model vendor's failure. `reason` decides status, type, code and whether a retry may help.

    `retries_spent`: it may pass, but not as soon as the gateway itself would have asked again.
    """

    retries_spent: bool = False

    def __init__(
        self,
        reason: ProviderReason,
        message: str,
        *,
        retry_after: float | None = None,
        provider_status: int | None = None,
    ) -> None:
        self.reason: ProviderReason = reason
        self._status, self.error_type, code, self.retryable = PROVIDER_REASONS[reason]
        self.provider_status = provider_status
        super().__init__(message, code=code, retry_after=retry_after)

    @property
    def http_status(self) -> int:
        return self._status


class ToolError(Exception):
    """A sentence for the model: what is wrong and what it may do instead. No secret in it."""


def error_type(error: GatewayError) -> str:
    """The OpenAI error `type` of any of ours."""
    return error.error_type
