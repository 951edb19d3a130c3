"""One connection with our loop of requests on it, and nothing of the gateway behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from openclaw_gateway.doors.aiohttp_private import Arrived
from openclaw_gateway.doors.body_room import BodyRoom
from openclaw_gateway.doors.request_loop import RequestLoop
from openclaw_gateway.doors.requests import Request

DEADLINE_S = 5.0
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Answering = Callable[[Request, BaseException | None], Awaitable[None]]


class Looped(RequestLoop):
    """`answering` is what answers; `requests` are those that have come, in order."""

    def __init__(
        self, server: web.Server, loop: asyncio.AbstractEventLoop, answering: Answering, **options: Any
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self.answering = answering
        self.requests: list[Request] = []

    def made(self, arrived: Arrived) -> Request:
        self.requests.append(Request(arrived.head, arrived.body, self, BodyRoom()))
        return self.requests[-1]

    def bound_unsent(self) -> None:
        """The system takes here what it likes."""

    async def answer(self, request: Request, error: BaseException | None) -> None:
        await self.answering(request, error)


class Peer:
    """The other end of one connection, and our side of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.handler: Looped

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await self.reader.readuntil(mark)

    async def rest(self) -> bytes:
        """Until our side has closed."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.reader.read()


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until it holds: what is waited for is a state of aiohttp's that nobody announces."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0)


@asynccontextmanager
async def served(answering: Answering, **options: float) -> AsyncIterator[Peer]:
    loop = asyncio.get_running_loop()
    server = web.Server(_never)
    made: list[Looped] = []

    def connect() -> Looped:
        made.append(Looped(server, loop, answering, **options))
        return made[-1]

    listening = await loop.create_server(connect, "127.0.0.1", 0)
    peer = Peer(*await asyncio.open_connection(*listening.sockets[0].getsockname()))
    try:
        await until(lambda: bool(made))
        peer.handler = made[0]
        yield peer
    finally:
        peer.writer.close()
        listening.close()
        server.pre_shutdown()
        await server.shutdown(DEADLINE_S)


async def _never(_: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError
