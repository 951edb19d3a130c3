"""What doors answer with in one piece: JSON and errors. The one place where an error becomes a response."""

import math
from collections.abc import Mapping

from msgspec import Struct

from openclaw_gateway.doors.answer_head import answer_head, lines
from openclaw_gateway.doors.openai.chunks import error_object
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.errors import GatewayError, MethodNotAllowed, Unauthorized
from openclaw_gateway.wire.error_info import ErrorInfo, error_info

JSON = "application/json; charset=utf-8"
_JSON_HEADERS = {"Content-Type": JSON}
_BODILESS = frozenset({204, 304})


class HttpAnswer(Struct, frozen=True):
    """An answer in one piece. With `closes` the connection ends behind it."""

    body: bytes
    status: int
    headers: Mapping[str, str]
    closes: bool = False

    async def send(self, request: Request) -> None:
        """Raises ConnectionError when the client has left."""
        if self.closes:
            request.close_behind()
        framing = None if self.status in _BODILESS else f"Content-Length: {len(self.body)}"
        head = answer_head(request, self.status, self.headers, framing)
        request.put(head if request.method == "HEAD" else head + self.body)
        await request.taken()


def json_answer(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    return HttpAnswer(body, status, {**_JSON_HEADERS, **headers} if headers else _JSON_HEADERS)


def error_answer(error: GatewayError, *, closes: bool = False) -> HttpAnswer:
    """The error object with its status and the headers that tell a client what to do next."""
    info = error_info(error)
    headers = _advice(info)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allow
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="gateway"'
    return HttpAnswer(error_object(info), info.status, headers, closes)


def info_answer(error: ErrorInfo, body: bytes) -> HttpAnswer:
    """The same for an error that a run ended with; `body` is the error object of the endpoint's dialect."""
    return HttpAnswer(body, error.status, _advice(error))


def raw_answer(error: GatewayError) -> bytes:
    """An error answer as bytes, for a connection on which there is no request to answer; it ends with it."""
    answer = error_answer(error)
    framing = f"Content-Length: {len(answer.body)}\r\nConnection: close"
    return lines(f"HTTP/1.1 {answer.status}", answer.headers, framing) + answer.body


def _advice(error: ErrorInfo) -> dict[str, str]:
    headers = dict(_JSON_HEADERS)
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    # What the official clients would try again by themselves.
    if (error.retries_spent or not error.retryable) and (
        error.status >= 500 or error.status in (408, 409, 429)
    ):
        headers["x-should-retry"] = "false"
    return headers
