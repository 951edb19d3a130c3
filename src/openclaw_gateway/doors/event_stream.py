"""A server-sent event stream, written in bounded pieces at the pace of the client.

Knows bytes and a socket, nothing of what the events mean.
"""

import asyncio

from openclaw_gateway.doors.aiohttp_private import LateHead
from openclaw_gateway.doors.requests import Request

# The most bytes that wait in our own buffer for one client.
PIECE = 64 << 10


class EventStream(LateHead):
    """The head leaves together with the first bytes.

    When `send` returns, the operating system has taken all of it for the client's socket: nothing waits in
    a buffer of ours. Both it and `finish` raise ConnectionError when the client has left.
    """

    def __init__(self, request: Request) -> None:
        super().__init__(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-cache, no-transform",
                "X-Accel-Buffering": "no",
            }
        )
        self._request = request

    async def send(self, data: bytes) -> None:
        if not self.prepared:
            await self._open()
        if len(data) > PIECE:
            await self._send_long(memoryview(data))
            return
        await self.write(data)
        if self._request.protocol.writing_paused:
            await self._taken()

    async def finish(self, data: bytes) -> None:
        """Send `data` and the end of the answer."""
        if not self.prepared:
            await self._open()
        if len(data) > PIECE:
            await self.send(data)
            data = b""
        await self.write_eof(data)

    async def _open(self) -> None:
        self._request.bound_unsent()
        await self.prepare(self._request)

    async def _send_long(self, data: memoryview) -> None:
        for start in range(0, len(data), PIECE):
            await self.write(data[start : start + PIECE])
            await self._taken()
            # One large answer is not all that goes on here.
            await asyncio.sleep(0)

    async def _taken(self) -> None:
        """Until the system has taken what was written."""
        await self._request.writer.drain()
        if self._request.transport is None:
            raise ConnectionResetError("the client has left")
