"""A TCP proxy in front of a server that a test cuts, holds and opens again, perhaps over TLS. Knows no
protocol."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator


class FaultyLink:
    """`held`: what comes is not passed on, and nobody is told; new links are taken and held, too."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._to = port
        self._tls = tls
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        if self._links:
            await asyncio.wait(self._links.values())

    def cut(self) -> None:
        """Every link there is."""
        for writer, task in self._links.items():
            writer.transport.abort()
            task.cancel()

    def refuse(self) -> None:
        """Cut, and take no more."""
        self._refusing = True
        self.cut()

    def hold(self) -> None:
        self._open.clear()

    def heal(self) -> None:
        self._refusing = False
        self._open.set()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links[writer] = task
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                if not self._refusing:
                    await self._relay(reader, writer)
        finally:
            del self._links[writer]
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, far_writer))
                both.create_task(self._pass_on(far_reader, writer))
        except* (OSError, _Ended):
            pass
        finally:
            far_writer.close()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._open.wait()
            target.write(data)
            await target.drain()
        raise _Ended


class _Ended(Exception):
    """One side has closed."""


@contextlib.asynccontextmanager
async def faulty_link(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[FaultyLink]:
    link = FaultyLink(port, tls)
    await link.open()
    try:
        yield link
    finally:
        await link.close()
