"""The insides of aiohttp's server that the doors lean on, and all of them.

aiohttp does not promise to keep these names, so its minor version is pinned, and each has a test that says
what is relied on (tests/doors/test_aiohttp_private.py). Here they get names of ours; no rule of the gateway
stands here, and no other file of the doors may touch a private name of aiohttp.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Literal, Protocol, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion11, RawRequestMessage, StreamWriter, WebSocketReader, WebSocketWriter
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.web_protocol import ERROR, RequestHandler, _ErrInfo


class OpenHandler(RequestHandler):
    """The protocol of one connection, with what it knows of its requests."""

    __slots__ = ()

    @property
    def requests_seen(self) -> int:
        """How many heads have been read on this connection, those that cannot be read included."""
        return self._request_count

    @property
    def has_pipelined(self) -> bool:
        """Whether a request has been read that nobody has begun to answer."""
        return bool(self._messages)

    @property
    def speaks_http(self) -> bool:
        """Whether bytes that come are HTTP: no upgrade has been asked for or made."""
        return not self._upgraded and self._payload_parser is None

    @property
    def awaits_head(self) -> bool:
        """Whether the next bytes belong to a head, not to a body or a pipelined request."""
        waiter = self._waiter
        return self._request_count == 0 or (waiter is not None and not waiter.done())

    def tear_body(self) -> None:
        """Call when bytes have come that could not be read: if they belong to the body of a request, its
        reader gets RequestPayloadError, and the connection is closed after that answer.

        aiohttp takes them for a request of their own, and leaves the reader waiting for the rest.
        """
        if not self._messages or not isinstance(self._messages[-1][0], _ErrInfo):
            return
        if len(self._messages) > 1:
            payload = self._messages[-2][1]
        elif self._current_request is not None:
            payload = self._current_request.content
        else:
            return
        if not payload.is_eof():
            self._messages.pop()
            # What still comes would be waited for where it only raises.
            self._lingering_time = 0
            payload.set_exception(web.RequestPayloadError("the body cannot be read on"))


class OpenRequest(web.BaseRequest):
    """A request that has a word in every answer to it."""

    @abstractmethod
    def prepare_answer(self, response: web.StreamResponse) -> None:
        """Called with each answer right before its head is written."""

    async def _prepare_hook(self, resp: web.StreamResponse) -> None:
        self.prepare_answer(resp)

    async def write_interim(self, head: bytes) -> None:
        """Write a 1xx head, after which the answer still counts as not begun."""
        await self.writer.write(head)
        self.writer.output_size = 0


class LateHead(web.StreamResponse):
    """A streamed answer whose head leaves together with its first bytes, each piece of it in one write. What
    asks for more than that (HTTP/1.0, HEAD, an answer without a body) goes aiohttp's way.

    What a write waits for, if the transport is full, the caller asks. Raises ConnectionError when the client
    has left.
    """

    _send_headers_immediately = False
    # What of the head has not left; None = aiohttp's way.
    _unsent_head: bytes | None = None

    async def _start(self, request: web.BaseRequest) -> AbstractStreamWriter:
        if request.version != HttpVersion11 or self._must_be_empty_body:
            return await super()._start(request)
        writer = self._payload_writer = request._payload_writer
        await request._prepare_hook(self)
        self._unsent_head = _head(self, request, "Transfer-Encoding: chunked")
        return writer

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._unsent_head is None:
            await super().write(data)
        elif data:
            self._put(b"".join((self._unsent_head, b"%x\r\n" % len(data), data, b"\r\n")))

    async def write_eof(self, data: bytes = b"") -> None:
        if self._unsent_head is None or self._eof_sent:
            await super().write_eof(data)
            return
        last = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"
        writer = self._put(self._unsent_head + last)
        writer.set_eof()
        self._eof_sent = True
        self._payload_writer = None

    def _put(self, data: bytes) -> StreamWriter:
        writer = cast(StreamWriter, self._payload_writer)
        transport = writer._protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        self._unsent_head = b""
        writer.output_size += len(data)
        transport.write(data)
        return writer


class WholeAnswer(web.Response):
    """An answer in one piece, head and body in one write. What asks for more than that (HTTP/1.0, HEAD,
    an answer without a body) goes aiohttp's way."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        body = self._body
        if (
            self._eof_sent
            or self._payload_writer is not None
            or not isinstance(body, bytes)
            or not body
            or request.version != HttpVersion11
            or request.method == "HEAD"
        ):
            return await super().prepare(request)
        await request._prepare_hook(self)
        head = _head(self, request, f"Content-Length: {len(body)}")
        writer = cast(StreamWriter, request._payload_writer)
        await writer.write(head + body)
        writer.set_eof()
        self._eof_sent = True
        return writer


def _head(answer: web.StreamResponse, request: web.BaseRequest, framing: str) -> bytes:
    """Of an answer over HTTP/1.1. Raises ValueError for a header with a line end in it."""
    if answer._keep_alive is None:
        answer._keep_alive = request.keep_alive
    lines = [f"HTTP/1.1 {answer._status} {answer._reason}"]
    lines += [f"{name}: {value}" for name, value in answer._headers.items()]
    lines.append(f"{framing}\r\nDate: {rfc822_formatted_time()}")
    if not answer._keep_alive:
        lines.append("Connection: close")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) or "\0" in head:
        raise ValueError("a header of an answer has a line end in it")
    return b"%b\r\n\r\n" % head.encode()


class FrameParser(Protocol):
    """What aiohttp feeds the bytes of a WebSocket to."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]: ...

    def feed_eof(self) -> None: ...


class OpenWebSocket(web.WebSocketResponse[Literal[False]]):
    """A WebSocket whose incoming bytes go through something of ours first."""

    @abstractmethod
    def stand_before(self, parser: FrameParser, refuse: Callable[[BaseException], None]) -> FrameParser:
        """What gets the bytes instead of `parser`; `refuse` ends the connection with a WebSocketError."""

    @abstractmethod
    def may_wait(self, transport: asyncio.Transport) -> bool:
        """Whether a pong that has not come in time may be waited for once more."""

    def _pong_not_received(self) -> None:
        transport = self._req.transport if self._req is not None else None
        if transport is not None and self.may_wait(transport):
            self._reset_heartbeat()
        else:
            super()._pong_not_received()

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: WebSocketWriter) -> None:
        super()._post_start(request, protocol, writer)
        assert self._parser is not None and self._reader is not None  # noqa: S101  made just now
        gate = self.stand_before(self._parser, self._reader.set_exception)
        request.protocol._payload_parser = cast(WebSocketReader, gate)


def version_told(message: RawRequestMessage) -> RawRequestMessage:
    """The message; the stand-in for one that could not be read gets the version we speak, not HTTP/1.0."""
    return message._replace(version=HttpVersion11) if message is ERROR else message


def line_limit(error: BaseException | None) -> int | None:
    """The limit that a line of the head was longer than; None for any other error of the parser."""
    match error:
        case LineTooLong(args=(_, int() as limit, *_)):
            return limit
        case _:
            return None


def too_many_headers(error: BaseException | None) -> bool:
    """Whether the parser gave up on the number of headers."""
    return isinstance(error, BadHttpMessage) and error.message == "Too many headers received"
