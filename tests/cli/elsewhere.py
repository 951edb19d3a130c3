"""A way to the gateway on which everybody comes from elsewhere, as a proxy that is trusted says of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

ADDRESS = "203.0.113.7"


@asynccontextmanager
async def from_elsewhere(port: int) -> AsyncIterator[str]:
    """The way's address; the gateway listens on `port`."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        first = await reader.readline()
        back.write(first + f"X-Forwarded-For: {ADDRESS}\r\n".encode())
        await asyncio.gather(_pumped(reader, back), _pumped(there, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()
