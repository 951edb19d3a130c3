"""The head of an HTTP answer as bytes. Pure; knows neither bodies nor connections."""

from collections.abc import Mapping
from http.client import responses

from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion11

from openclaw_gateway.doors.requests import Request


def answer_head(request: Request, status: int, headers: Mapping[str, str], framing: str | None) -> bytes:
    """`framing` is the line that says where the body ends; None = there is none. Whatever version was asked
    in, the answer's is one that is spoken here. Raises ValueError for a header that no line can carry: one
    with a line end in it, or that is no text."""
    is_new = request.version >= HttpVersion11
    behind = f"Date: {rfc822_formatted_time()}"
    if framing is not None:
        behind = f"{framing}\r\n{behind}"
    if not request.stays_open:
        if is_new:
            behind += "\r\nConnection: close"
    elif not is_new:
        behind += "\r\nConnection: keep-alive"
    return lines(f"HTTP/1.{1 if is_new else 0} {status}", {**headers, **request.answer_headers}, behind)


def lines(status: str, headers: Mapping[str, str], behind: str) -> bytes:
    """`status` begins with version and number; `behind` are the last lines. Raises ValueError as above."""
    named = "\r\n".join(["", *map(": ".join, headers.items())])
    if named.count("\n") != len(headers) or named.count("\r") != len(headers) or "\0" in named:
        raise ValueError("a header of an answer has a line end in it")
    reason = responses.get(int(status[9:12]), "")
    return f"{status} {reason}{named}\r\n{behind}\r\n\r\n".encode()
