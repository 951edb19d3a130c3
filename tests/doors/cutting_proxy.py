"""A proxy between a client and the gateway that does to each request what it is told: passes it on whole, or
cuts the connection or answers 500 somewhere on the way. One request for each connection."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal, get_args

from openclaw_gateway.testing.gateway import RunningGateway

Mischief = Literal[
    "none",
    # The gateway never hears of it.
    "cut before",
    "500 before",
    # The gateway has it, and has hardly answered.
    "cut at work",
    "500 at work",
    # The gateway has begun to answer, the client has seen nothing of it.
    "cut in head",
    "500 in head",
    # The answer was there, whole.
    "500 after",
    "cut in body",
]
MISCHIEFS: tuple[Mischief, ...] = get_args(Mischief)
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_AT_WORK_S = 0.03


class CuttingProxy:
    """`choose` says what is done to the next request."""

    def __init__(self, gateway: RunningGateway, choose: Callable[[], Mischief]) -> None:
        host, _, port = gateway.url.removeprefix("http://").rpartition(":")
        self._gateway = (host, int(port))
        self._choose = choose

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._one(reader, writer)
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        length = next(int(line[15:]) for line in lines if line.lower().startswith(b"content-length:"))
        body = await reader.readexactly(length)
        mischief = self._choose()
        if mischief not in ("cut before", "500 before"):
            there, to = await asyncio.open_connection(*self._gateway)
            try:
                to.write(b"\r\n".join((*lines, b"Connection: close", b"", b"")) + body)
                await _pass_on(mischief, there, writer)
            finally:
                to.transport.abort()
        if mischief.startswith("500"):
            writer.write(_FAILED)


async def _pass_on(mischief: Mischief, answer: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    match mischief:
        case "none":
            while piece := await answer.read(1 << 16):
                writer.write(piece)
        case "cut at work" | "500 at work":
            with suppress(TimeoutError):
                await asyncio.wait_for(answer.read(1), _AT_WORK_S)
        case "cut in head" | "500 in head":
            await answer.read(1)
        case "500 after":
            await answer.read()
        case "cut in body":
            writer.write((await answer.read())[:-7])
        case "cut before" | "500 before":
            raise AssertionError


@asynccontextmanager
async def cutting(gateway: RunningGateway, choose: Callable[[], Mischief]) -> AsyncIterator[str]:
    """The base URL by which a client comes through the proxy."""
    server = await asyncio.start_server(CuttingProxy(gateway, choose).serve, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/v1"
    finally:
        server.close()
