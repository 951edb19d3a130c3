"""One HTTP connection with the deadlines and bounds that aiohttp's own has not.

Knows bytes and time, not endpoints: the head must be complete in time and in bounds, a connection that
pipelines behind a run is closed (the run's client may be gone and nobody would see it), and whatever is
wrong with the head is answered with an error object. `sweep` is called once a second by the listener.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.aiohttp_private import Arrived, line_limit, too_many_headers
from openclaw_gateway.doors.answers import error_answer, raw_answer
from openclaw_gateway.doors.body_room import BodyRoom
from openclaw_gateway.doors.lateness import Lateness, unread_s
from openclaw_gateway.doors.request_loop import LAST_WORDS_S, RequestLoop
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.stall import Stall, backlog
from openclaw_gateway.errors import (
    GatewayError,
    HeadersTooLarge,
    InvalidRequest,
    Overloaded,
    RequestTimeout,
    UriTooLong,
)
from openclaw_gateway.sizes import size_text

_HEAD_END = b"\r\n\r\n"
# A connection beyond the caps has this long for the head of the one request it may make.
_CROWDED_HEAD_S = 1.0
# A loop that is less late than this keeps nobody waiting.
_PUNCTUAL_S = 0.05
# The most that the system takes for a client beyond what it has sent (Linux, macOS). Without it that is
# megabytes for a client that reads nothing, and all of it would count as taken.
_MOST_UNSENT = 64 << 10
_NOTSENT_LOWAT: int | None = getattr(socket, "TCP_NOTSENT_LOWAT", None)


Handle = Callable[[Request], Awaitable[None]]


class Connection(RequestLoop):
    """`crowding` is why it is one too many; it then hears one request. None when there was room.

    `arrived` is when the last bytes of the newest request's head came to this machine, by the loop's clock.
    """

    __slots__ = (
        "_body_room",
        "_closing_since",
        "_handle",
        "_head_bytes",
        "_head_since",
        "_in_run",
        "_is_bound",
        "_lateness",
        "_limits",
        "_now",
        "_parting",
        "_stall",
        "_turned_away",
        "arrived",
        "crowding",
    )

    def __init__(
        self,
        server: web.Server,
        limits: Limits,
        lateness: Lateness,
        body_room: BodyRoom,
        handle: Handle,
        *,
        crowding: Overloaded | None,
        **options: Any,
    ) -> None:
        if crowding is not None:
            options["lingering_time"] = LAST_WORDS_S
        super().__init__(server, **options)
        self.crowding = crowding
        self.arrived = 0.0
        self._body_room = body_room
        self._handle = handle
        self._limits = limits
        self._lateness = lateness
        self._now = asyncio.get_running_loop().time
        self._head_since: float | None = None
        self._head_bytes = 0
        self._in_run = False
        self._is_bound = False
        # Closed, but for what waits in its buffer.
        self._parting: asyncio.Transport | None = None
        self._stall: Stall | None = None
        self._turned_away = False
        self._closing_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._head_since = self._now()
        super().connection_made(transport)
        if self._turned_away:
            self._end(cast(Overloaded, self.crowding))

    def data_received(self, data: bytes) -> None:
        if not self.speaks_http:
            super().data_received(data)
            self._end_pipelined()
            return
        before = self.requests_seen
        was_awaited = self.awaits_head
        if was_awaited:
            self.arrived = self._now() - self._unread_s()
            if not self._head_fits(data):
                self._refuse(
                    HeadersTooLarge(
                        f"The headers are larger than {size_text(self._limits.max_header_block_bytes)}."
                    )
                )
                return
        super().data_received(data)
        if self.requests_seen != before:
            if not was_awaited:
                # It came upon the last byte of an answer, which may have taken long.
                self.arrived = self._now() - self._unread_s()
            self._head_since = None
            self._head_bytes = 0
            self.tear_body()
        self._end_pipelined()

    def force_close(self) -> None:
        """As aiohttp's: what was written still leaves, unless its reader stalls."""
        self._parting = self.transport or self._parting
        super().force_close()

    @property
    def is_unheard(self) -> bool:
        """Whether no request has come yet."""
        return self.requests_seen == 0

    def turn_away(self) -> None:
        """Tell that there is no room, without waiting for a request, and close."""
        self._turned_away = True
        if self.transport is not None:
            self._end(cast(Overloaded, self.crowding))

    def enter_run(self) -> None:
        """From now on a pipelined request closes the connection."""
        self._in_run = True
        self._end_pipelined()

    def leave_run(self) -> None:
        self._in_run = False

    def bound_unsent(self) -> None:
        """From now on writing is paused whenever the system has not taken everything at once, and it takes
        little more than it can send."""
        if self._is_bound or self.transport is None:
            return
        self._is_bound = True
        self.transport.set_write_buffer_limits(0)
        peer = self.transport.get_extra_info("socket")
        if _NOTSENT_LOWAT is not None and peer is not None:
            with suppress(OSError):  # the client has left
                peer.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, _MOST_UNSENT)

    def sweep(self, now: float) -> None:
        """Give up on a head that takes too long, and on a reader that takes nothing."""
        transport = self.transport
        if transport is None:
            if self._parting is not None:
                self._look_at_reader(self._parting, now)
            return
        if self._closing_since is not None:
            if now - self._closing_since > LAST_WORDS_S:
                self.force_close()
            return
        if self._head_since is not None and now - self._head_since > self._head_time():
            self._refuse(self.crowding or RequestTimeout("The request's headers came too slowly."))
            return
        self._look_at_reader(transport, now)

    def made(self, arrived: Arrived) -> Request:
        return Request(arrived.head, arrived.body, self, self._body_room)

    async def answer(self, request: Request, error: BaseException | None) -> None:
        """Neither the answer to what the parser could not read nor a log shows what was sent."""
        if error is None:
            await self._handle(request)
        else:
            await error_answer(self._head_error(error), closes=True).send(request)

    def _end_pipelined(self) -> None:
        """At once: a reader that takes nothing would hold the connection, and with it the run."""
        if self._in_run and self.has_pipelined and self.transport is not None:
            self.transport.abort()

    def _look_at_reader(self, transport: asyncio.Transport, now: float) -> None:
        if not transport.get_write_buffer_size():
            self._stall = None
            return
        if self._stall is None:
            self._stall = Stall(self._limits.reader_stall_s, now)
        if self._stall.look(backlog(transport), now):
            transport.abort()

    def _unread_s(self) -> float:
        """For how long what was read just now has waited.

        To ask the kernel costs a system call. A connection's first request may have waited behind all that
        were accepted before it; later ones wait no longer than one turn of the loop.
        """
        late_s = self._lateness.late_s
        if self.transport is None or (self.requests_seen and late_s < _PUNCTUAL_S):
            return 0.0
        return unread_s(self.transport, late_s)

    def _head_time(self) -> float:
        return self._limits.header_timeout_s if self.crowding is None else _CROWDED_HEAD_S

    def _head_fits(self, data: bytes) -> bool:
        """Count the head while it is incomplete; False when it is over the limit."""
        if self._head_since is None:
            self._head_since = self._now()
        room = self._limits.max_header_block_bytes - self._head_bytes
        self._head_bytes += len(data)
        return len(data) <= room or data.find(_HEAD_END, 0, room + len(_HEAD_END)) >= 0

    def _head_error(self, exc: BaseException) -> GatewayError:
        limit = line_limit(exc)
        if limit is not None:
            if limit == self.max_line_size:
                return UriTooLong(f"The URL is longer than {size_text(self._limits.max_url_bytes)}.")
            return HeadersTooLarge(f"A header is longer than {size_text(self._limits.max_header_bytes)}.")
        if too_many_headers(exc):
            return HeadersTooLarge("There are too many headers.")
        if isinstance(exc, HttpProcessingError):
            return InvalidRequest("This is not well-formed HTTP.", code="invalid_http")
        return GatewayError("The gateway failed on this request. The operator finds the cause in its log.")

    def _refuse(self, error: GatewayError) -> None:
        """Answer on the bare transport, since no request exists yet, and let the client finish its sentence.

        Closing while it still sends would reset the connection, often before the answer has been read.
        """
        transport = self.transport
        if transport is None or self._closing_since is not None:
            return
        self._closing_since = self._now()
        transport.write(raw_answer(error))
        if transport.can_write_eof():
            transport.write_eof()
        self.close()

    def _end(self, error: GatewayError) -> None:
        """Answer on the bare transport, if nobody has, and close at once: nothing has been sent that could be
        lost."""
        if self.transport is not None and self._closing_since is None:
            self.transport.write(raw_answer(error))
        self.force_close()
