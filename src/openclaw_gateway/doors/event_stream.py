"""A server-sent event stream, written in bounded pieces at the pace of the client.

Knows bytes and a socket, nothing of what the events mean.
"""

import asyncio

from aiohttp.http import HttpVersion11

from openclaw_gateway.doors.answer_head import answer_head
from openclaw_gateway.doors.requests import Request

# The most bytes that wait in our own buffer for one client.
PIECE = 64 << 10
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


class EventStream:
    """The head leaves together with the first bytes, each piece in one write; `has_begun` once it is made.
    To a client of HTTP/1.0 the end of the connection is the end of the stream.

    When `send` returns, the operating system has taken all of it for the client's socket: nothing waits in
    a buffer of ours. Both it and `finish` raise ConnectionError when the client has left.
    """

    __slots__ = ("_has_chunks", "_request", "_unsent_head", "has_begun")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._has_chunks = request.version >= HttpVersion11
        self._unsent_head = b""
        self.has_begun = False

    async def send(self, data: bytes) -> None:
        if len(data) > PIECE:
            await self._send_long(memoryview(data))
        elif data:
            self.put(data)
            await self._request.taken()

    async def finish(self, data: bytes) -> None:
        """Send `data` and the end of the answer."""
        if len(data) > PIECE:
            await self.send(data)
            data = b""
        last = self._framed(data) if data else b""
        self._write(last + b"0\r\n\r\n" if self._has_chunks else last)

    def put(self, data: bytes | memoryview) -> None:
        """Write one piece; what the system has not taken of it then waits in a buffer. At least one byte, at
        most a PIECE."""
        self._write(self._framed(data))

    def _framed(self, data: bytes | memoryview) -> bytes:
        return b"".join((b"%x\r\n" % len(data), data, b"\r\n")) if self._has_chunks else bytes(data)

    def _write(self, data: bytes) -> None:
        if not self.has_begun:
            self._begin()
        if self._unsent_head:
            data = self._unsent_head + data
        self._request.put(data)
        self._unsent_head = b""

    def _begin(self) -> None:
        request = self._request
        if not self._has_chunks:
            request.close_behind()
        request.bound_unsent()
        framing = "Transfer-Encoding: chunked" if self._has_chunks else None
        self._unsent_head = answer_head(request, 200, _HEADERS, framing)
        self.has_begun = True

    async def _send_long(self, data: memoryview) -> None:
        for start in range(0, len(data), PIECE):
            self.put(data[start : start + PIECE])
            await self._request.taken()
            # One large answer is not all that goes on here.
            await asyncio.sleep(0)
