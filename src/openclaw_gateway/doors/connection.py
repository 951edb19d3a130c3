"""One HTTP connection with the deadlines and bounds that aiohttp's own has not.

Knows bytes and time, not endpoints: the head must be complete in time and in bounds, a connection that
pipelines behind a run is closed (the run's client may be gone and nobody would see it), and whatever is
wrong with the head is answered with an error object. `sweep` is called once a second by the listener.
"""

import asyncio
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpProcessingError, RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from openclaw_gateway.config.auth import is_loopback
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.answers import error_response
from openclaw_gateway.doors.openai.chunks import error_object
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.stall import Stall, backlog
from openclaw_gateway.errors import (
    GatewayError,
    HeadersTooLarge,
    InvalidRequest,
    Overloaded,
    RequestTimeout,
    UriTooLong,
    error_type,
)
from openclaw_gateway.wire.error_info import ErrorInfo

DEFAULT_PER_ADDRESS = 200
_HEAD_END = b"\r\n\r\n"


class Connection(RequestHandler):
    __slots__ = ("_head_bytes", "_head_since", "_in_run", "_limits", "_stall")

    def __init__(self, server: "Server", limits: Limits, **options: Any) -> None:
        super().__init__(server, **options)
        self._limits = limits
        self._head_since: float | None = None
        self._head_bytes = 0
        self._in_run = False
        self._stall: Stall | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        server = cast(Server, self._manager)
        refusal = server.refusal(cast(asyncio.Transport, transport))
        if refusal is None:
            self._head_since = self._loop.time()
            super().connection_made(transport)
            return
        # Never registered, so connection_lost must find nothing to undo.
        self._manager = None
        cast(asyncio.Transport, transport).write(refusal)
        transport.close()

    def data_received(self, data: bytes) -> None:
        if self._upgraded or self._payload_parser is not None:
            super().data_received(data)
            return
        before = self._request_count
        if self._awaits_head() and not self._head_fits(data):
            self._refuse(
                HeadersTooLarge(f"The headers are larger than {self._limits.max_header_block_bytes} bytes.")
            )
            return
        super().data_received(data)
        if self._request_count != before:
            self._head_since = None
            self._head_bytes = 0
        if self._in_run and self._messages:
            self.force_close()

    def enter_run(self) -> None:
        """From now on a pipelined request closes the connection."""
        self._in_run = True
        if self._messages:
            self.force_close()

    def leave_run(self) -> None:
        self._in_run = False

    def sweep(self, now: float) -> None:
        """Give up on a head that takes too long, and on a reader that takes nothing."""
        if self._head_since is not None and now - self._head_since > self._limits.header_timeout_s:
            self._refuse(RequestTimeout("The request's headers came too slowly."))
            return
        if self.transport is None:
            return
        if not self.transport.get_write_buffer_size():
            self._stall = None
            return
        if self._stall is None:
            self._stall = Stall(self._limits.reader_stall_s, now)
        if self._stall.look(backlog(self.transport), now):
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What the parser could not read. Neither the answer nor a log shows what was sent."""
        response = error_response(self._head_error(exc))
        response.force_close()
        return response

    def _awaits_head(self) -> bool:
        """Whether the next bytes belong to a head, not to a body or a pipelined request."""
        waiter = self._waiter
        return self._request_count == 0 or (waiter is not None and not waiter.done())

    def _head_fits(self, data: bytes) -> bool:
        """Count the head while it is incomplete; False when it is over the limit."""
        if self._head_since is None:
            self._head_since = self._loop.time()
        room = self._limits.max_header_block_bytes - self._head_bytes
        self._head_bytes += len(data)
        return len(data) <= room or data.find(_HEAD_END, 0, room + len(_HEAD_END)) >= 0

    def _head_error(self, exc: BaseException | None) -> GatewayError:
        match exc:
            case LineTooLong(args=(_, limit, *_)) if limit == self.max_line_size:
                return UriTooLong(f"The URL is longer than {self._limits.max_url_bytes} bytes.")
            case LineTooLong():
                return HeadersTooLarge(f"A header is longer than {self._limits.max_header_bytes} bytes.")
            case BadHttpMessage(message="Too many headers received"):
                return HeadersTooLarge("There are too many headers.")
            case HttpProcessingError():
                return InvalidRequest("This is not well-formed HTTP.", code="invalid_http")
            case _:
                return GatewayError(
                    "The gateway failed on this request. The operator finds the cause in its log."
                )

    def _refuse(self, error: GatewayError) -> None:
        """Answer on the bare transport, since no request exists yet, and close."""
        if self.transport is not None:
            self.transport.write(raw_response(error))
        self.force_close()


class Server(web.Server):
    """Makes our connections, counts them, and refuses those beyond the caps."""

    def __init__(self, handler: Any, limits: Limits, **options: Any) -> None:
        super().__init__(handler, request_factory=self._request, handler_cancellation=True)
        self.limits = limits
        self._options = options
        self._per_address: dict[str, int] = {}
        self._addresses: dict[RequestHandler, str] = {}

    def __call__(self) -> Connection:
        limits = self.limits
        # The parser reports one kind of error for URL and header; unequal limits tell them apart.
        same = limits.max_header_bytes == limits.max_url_bytes
        return Connection(
            self,
            limits,
            loop=self._loop,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.keep_alive_s,
            max_line_size=limits.max_url_bytes,
            max_field_size=limits.max_header_bytes + same,
            **self._options,
        )

    def refusal(self, transport: asyncio.Transport) -> bytes | None:
        """What to answer to one connection too many; None when there is room."""
        limits = self.limits
        if len(self._connections) >= limits.max_connections:
            return raw_response(_crowded("the gateway", "gateway.limits.maxConnections"))
        address = _address(transport)
        cap = limits.max_connections_per_address
        if self._per_address.get(address, 0) >= (cap or DEFAULT_PER_ADDRESS) and (
            cap is not None or not is_loopback(address)
        ):
            return raw_response(_crowded("one address", "gateway.limits.maxConnectionsPerAddress"))
        return None

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        address = self._addresses[handler] = _address(transport)
        self._per_address[address] = self._per_address.get(address, 0) + 1

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        address = self._addresses.pop(handler, None)
        if address is not None:
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]

    def sweep(self, now: float) -> None:
        for connection in self._connections:
            cast(Connection, connection).sweep(now)

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> Request:
        request = Request(message, payload, protocol, writer, task, self._loop)
        request.answer_headers = {}
        return request


def raw_response(error: GatewayError) -> bytes:
    """A complete HTTP answer for a connection that has no request object."""
    body = error_object(ErrorInfo(error.message, error_type(error), error.code, error.http_status))
    reason = {408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}
    retry = b"Retry-After: 1\r\n" if error.http_status == 503 else b""
    head = (
        f"HTTP/1.1 {error.http_status} {reason.get(error.http_status, 'Error')}\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n"
    ).encode()
    return head + retry + b"\r\n" + body


def _crowded(who: str, key: str) -> Overloaded:
    return Overloaded(f"Too many connections from {who} ({key}). Close some, then try again.", retry_after=1)


def _address(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
