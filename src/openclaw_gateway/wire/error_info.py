"""An error as data: what crosses a store, a bus or a socket. Made from the exception tree in one place."""

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.errors import GatewayError, ProviderError, error_type

_USED_TOOLS = "The agent had already used tools: see what they did before you ask again."


class ErrorInfo(Struct, frozen=True, omit_defaults=True):
    """A GatewayError without its class. `status` is the HTTP status, `retry_after` in seconds.

    `retries_spent`: it may pass, but the gateway has just waited for that in vain: to a person that is
    `retryable`, to a client that would ask again by itself it is not.
    """

    message: str
    type: str
    code: str
    status: int
    param: str | None = None
    retry_after: float | None = None
    retryable: bool = False
    retries_spent: bool = False


def error_info(error: GatewayError) -> ErrorInfo:
    """An error as data, for results, stores and sockets."""
    return ErrorInfo(
        error.message,
        error_type(error),
        error.code,
        error.http_status,
        error.param,
        error.retry_after,
        error.retryable,
        isinstance(error, ProviderError) and error.retries_spent,
    )


def after_tools(info: ErrorInfo) -> ErrorInfo:
    """What the tools did is done: the same request once more would do it again."""
    return replace(info, message=f"{info.message} {_USED_TOOLS}", retryable=False, retry_after=None)
