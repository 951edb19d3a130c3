"""A way to the gateway that a test can cut: what goes through it is passed on as it is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from tests.cli.conftest import Program


@asynccontextmanager
async def cut_between(program: Program) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """(a way to the gateway, what cuts the connections that go it)."""
    port = int(program.environ["OPENCLAW_GATEWAY_PORT"])
    writers: set[asyncio.StreamWriter] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writers.update((writer, back))
        await asyncio.gather(_pumped(reader, back), _pumped(there, writer))

    def cut() -> None:
        for writer in writers:
            writer.transport.abort()
        writers.clear()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", cut
    finally:
        server.close()
        cut()
        await server.wait_closed()


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()
