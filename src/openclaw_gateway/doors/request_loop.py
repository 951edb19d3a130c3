"""The requests of one connection, one after the other: read, answered, and the next one waited for.

aiohttp's own loop makes a task, a response and a writer of its own for each of them, and was a tenth of what
an answer costs. Knows when a connection goes on and when it ends, not what is asked.
"""

import asyncio
from abc import abstractmethod
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import web
from aiohttp.streams import StreamReader

from openclaw_gateway.doors.aiohttp_private import Arrived, OpenHandler
from openclaw_gateway.doors.requests import Request

# How long a client that was refused may go on sending, so that it reads why before it sees a reset.
LAST_WORDS_S = 1.0
log = structlog.get_logger()


class RequestLoop(OpenHandler):
    """`start` runs in the connection's own task, which is cancelled when the connection is lost."""

    __slots__ = ("_reading_away",)

    def __init__(self, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._reading_away: asyncio.Timeout | None = None

    @abstractmethod
    def made(self, arrived: Arrived) -> Request:
        """What the answer is made from."""

    @abstractmethod
    async def answer(self, request: Request, error: BaseException | None) -> None:
        """Write the whole answer; `error` is why the request could not be read. Raises ConnectionError when
        the client has left, or has got only a part."""

    async def start(self) -> None:
        while not self.is_ending:
            arrived = await self.next_request()
            request = self.made(arrived)
            try:
                self.begin(request)
                try:
                    await self.answer(request, arrived.error)
                finally:
                    self.done()
                self.decline_upgrade()
                if not arrived.body.is_eof():
                    await self._read_away(arrived.body)
            except ConnectionError:
                break
            except asyncio.CancelledError:
                self.force_close()
                raise
            except Exception as error:  # noqa: BLE001 - the edge of a connection: others go on
                log.warning("http.connection", kind=type(error).__name__)
                self.force_close()
            if not request.stays_open:
                break
            self.keep_open()
        self.end()

    def close(self) -> None:
        """No more requests, and who is still sending what nobody wants may not go on for long."""
        super().close()
        deadline = self._reading_away
        if deadline is not None and not deadline.expired():
            soon = asyncio.get_running_loop().time() + LAST_WORDS_S
            deadline.reschedule(min(soon, deadline.when() or soon))

    async def _read_away(self, body: StreamReader) -> None:
        """What still comes of a body that nobody wants, for a while: who is still sending when its connection
        closes gets a reset, often before it has read its answer."""
        if self.lingering_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.lingering_s) as deadline:
                    self._reading_away = deadline
                    try:
                        while not body.is_eof():
                            await body.readany()
                    finally:
                        self._reading_away = None
        if not body.is_eof():
            self.close()
