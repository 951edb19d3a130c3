"""Bytes on a socket: for requests that no well-behaved client would send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.testing.gateway import RunningGateway

DEADLINE_S = 20.0


class RawAnswer(Struct, frozen=True):
    status: int
    head: bytes
    body: bytes

    @property
    def code(self) -> str:
        return str(msgspec.json.decode(self.body)["error"]["code"])


class Seen:
    """All that one client got on its connection, up to the end of it."""

    def __init__(self, data: bytes) -> None:
        assert data.count(b"HTTP/1.1 ") == 1, data
        head, _, body = data.partition(b"\r\n\r\n")
        self.status = int(head.split(b" ", 2)[1])
        self.is_whole = True
        if b"transfer-encoding: chunked" in head.lower():
            body, self.is_whole = _dechunked(body)
        self.text = body.decode()

    @property
    def frames(self) -> list[Any]:
        data = [block[6:] for block in self.text.split("\n\n") if block.startswith("data: ")]
        return [item if item == "[DONE]" else msgspec.json.decode(item) for item in data]

    @property
    def code(self) -> str:
        """Of the error at the end of the stream."""
        assert self.frames[-1] == "[DONE]"
        return str(self.frames[-2]["error"]["code"])


def _dechunked(body: bytes) -> tuple[bytes, bool]:
    whole: list[bytes] = []
    at = 0
    while at < len(body):
        end = body.index(b"\r\n", at)
        length = int(body[at:end], 16)
        if not length:
            assert body[end:] == b"\r\n\r\n"
            return b"".join(whole), True
        whole.append(body[end + 2 : end + 2 + length])
        at = end + length + 4
    return b"".join(whole), False


class Wire:
    """One connection. Every wait has a deadline."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readuntil(mark)

    async def answer(self) -> RawAnswer:
        """One response with a Content-Length."""
        head = await self.until(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            0,
        )
        async with asyncio.timeout(DEADLINE_S):
            return RawAnswer(status, head, await self._reader.readexactly(length))

    async def closed(self, deadline_s: float = DEADLINE_S) -> bytes:
        """Wait until the other end closes; what it still sent."""
        async with asyncio.timeout(deadline_s):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    def half_close(self) -> None:
        self._writer.write_eof()

    def drop(self) -> None:
        """Close without a word, as a client that is killed."""
        self._writer.transport.abort()


@asynccontextmanager
async def wire(gateway: RunningGateway) -> AsyncIterator[Wire]:
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def post(
    gateway: RunningGateway, body: bytes, *extra: str, host: str = "localhost", length: int | None = None
) -> bytes:
    """A chat completion request as bytes; `length` lies about the body."""
    lines = [
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {gateway.token}",
        "Content-Type: application/json",
        *extra,
    ]
    if not any(line.lower().startswith("transfer-encoding") for line in extra):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chat_body(text: str = "hi", **fields: object) -> bytes:
    return msgspec.json.encode({"messages": [{"role": "user", "content": text}], **fields})
