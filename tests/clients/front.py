"""What stands in front of a gateway and passes on what comes: one that fails once, whose first request is
answered 503, and one that keeps what was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
    b"Retry-After: 0\r\nConnection: close\r\n\r\nbusy"
)


@asynccontextmanager
async def failing_once(gateway_url: str) -> AsyncIterator[str]:
    """Its base URL, …/v1."""
    async with _front(gateway_url, bytearray(), refused=1) as url:
        yield f"{url}/v1"


@asynccontextmanager
async def keeping(gateway_url: str, asked: bytearray) -> AsyncIterator[str]:
    """Its URL; the bytes of all requests are put to `asked`."""
    async with _front(gateway_url, asked, refused=0) as url:
        yield url


@asynccontextmanager
async def _front(gateway_url: str, asked: bytearray, *, refused: int) -> AsyncIterator[str]:
    behind = urlsplit(gateway_url)
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        try:
            if number <= refused:
                await _refuse(reader, writer)
            else:
                await _pass_on(reader, writer, str(behind.hostname), int(behind.port or 80), asked)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(serve(reader, writer, len(serving) + 1)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for task in serving:
            task.cancel()  # a client may keep its connection
        await asyncio.gather(*serving, return_exceptions=True)


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """After the whole request: one that is answered earlier may be taken for a cut connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    ]
    await reader.readexactly(int(lengths[0]) if lengths else 0)
    writer.write(_BUSY)
    await writer.drain()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, asked: bytearray
) -> None:
    answers, asks = await asyncio.open_connection(host, port)
    try:
        async with asyncio.TaskGroup() as both:
            asking = both.create_task(_pour(reader, asks, asked))
            await _pour(answers, writer, bytearray())
            asking.cancel()
    finally:
        asks.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
    while piece := await reader.read(65_536):
        kept += piece
        writer.write(piece)
        await writer.drain()
