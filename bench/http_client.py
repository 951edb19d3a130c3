"""Just enough of HTTP/1.1 for the load: a client library would cost more than what is measured.

Knows bodies of known length and chunked ones, one request at a time on a connection that is kept alive.
"""

from __future__ import annotations

import asyncio
from array import array
from time import perf_counter
from typing import Any

PATIENCE_S = 900.0  # longer than the longest stream; then an answer counts as wrong


class WrongAnswerError(Exception):
    """Anything but the answer that was asked for."""


class Client(asyncio.Protocol):
    """One connection, one request at a time. Calls back with the body, and notes when text arrived."""

    def __init__(self) -> None:
        self.connected = False
        self.arrivals = array("d")
        self._done: asyncio.Future[bytes] | None = None
        self._reset()

    def _reset(self) -> None:
        self._buffer = bytearray()
        self._body = bytearray()
        self._in_body = False
        self._status = 0
        self._missing = -1  # bytes of a body of known length that are yet to come; -1 = chunked

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        self.connected = True

    def connection_lost(self, _: Exception | None) -> None:
        self.connected = False
        if self._done is not None and not self._done.done():
            self._done.set_exception(WrongAnswerError("the connection was closed in the middle"))

    def close(self) -> None:
        self._transport.close()

    async def ask(self, request: bytes) -> bytes:
        self._reset()
        self.arrivals = array("d")
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(PATIENCE_S):
            body = await self._done
        if self._status != 200:
            raise WrongAnswerError(f"status {self._status}: {body[:300]!r}")
        return body

    def data_received(self, data: bytes) -> None:
        if b'"content":"' in data or b'"delta":"' in data:
            self.arrivals.append(perf_counter())
        self._buffer += data
        if not self._in_body and not self._read_head():
            return
        if self._missing < 0:
            self._read_chunks()
        elif len(self._buffer) >= self._missing:
            self._finish(bytes(self._buffer))

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end]).lower()
        self._status = int(head[9:12])
        if (at := head.find(b"\r\ncontent-length:")) >= 0:
            self._missing = int(head[at + 17 :].split(b"\r\n", 1)[0])
        del self._buffer[: end + 4]
        self._in_body = True
        return True

    def _read_chunks(self) -> None:
        while (end := self._buffer.find(b"\r\n")) >= 0:
            size = int(self._buffer[:end], 16)
            if len(self._buffer) < end + 2 + size + 2:
                return
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 2 + size + 2]
            if size == 0:
                self._finish(bytes(self._body))
                return

    def _finish(self, body: bytes) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(body)
