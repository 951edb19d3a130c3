"""What doors answer with in one piece: JSON and errors. The one place where an error becomes a response."""

import math

from aiohttp import web

from openclaw_gateway.doors.aiohttp_private import WholeAnswer
from openclaw_gateway.doors.openai.chunks import error_object
from openclaw_gateway.errors import GatewayError, MethodNotAllowed, Unauthorized
from openclaw_gateway.wire.error_info import ErrorInfo, error_info

JSON = "application/json; charset=utf-8"


def json_response(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return WholeAnswer(body=body, status=status, headers={"Content-Type": JSON, **(headers or {})})


def error_response(error: GatewayError) -> web.Response:
    """The error object with its status and the headers that tell a client what to do next."""
    response = info_response(error_info(error))
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = error.allow
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = 'Bearer realm="gateway"'
    return response


def info_response(error: ErrorInfo, body: bytes | None = None) -> web.Response:
    """The same for an error that a run ended with; `body` is the error object of another dialect."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    # What the official clients would try again by themselves.
    if (error.retries_spent or not error.retryable) and (
        error.status >= 500 or error.status in (408, 409, 429)
    ):
        headers["x-should-retry"] = "false"
    return json_response(body or error_object(error), status=error.status, headers=headers)


def raw_answer(error: GatewayError) -> bytes:
    """The same as bytes, for a connection on which there is no request to answer; it ends with it."""
    response = error_response(error)
    body = response.body
    assert isinstance(body, bytes)  # noqa: S101  our own, made from bytes
    head = [f"HTTP/1.1 {response.status} {response.reason}"]
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    head += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(head).encode() + body
