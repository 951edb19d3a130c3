"""The insides of aiohttp's server that the doors lean on, and all of them.

aiohttp does not promise to keep these names, so its minor version is pinned, and each has a test that says
what is relied on (tests/doors/test_aiohttp_private.py). Here they get names of ours; no rule of the gateway
stands here, and no other file of the doors may touch a private name of aiohttp.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol, cast

from aiohttp import WebSocketError, hdrs, web
from aiohttp.http import HttpVersion11, RawRequestMessage, StreamWriter, WebSocketReader, WebSocketWriter
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.log import ws_logger
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import ERROR, RequestHandler, _ErrInfo

# All it has to say is which subprotocols a stranger wrote into his head, as often as he likes: pages put a
# token there, because they can put it nowhere else.
ws_logger.disabled = True
_UNREADABLE = ERROR._replace(version=HttpVersion11)


class Arrived(NamedTuple):
    """A request as the parser made it. Of one that it could not read, `error` says why, and `head` is a
    stand-in after whose answer the connection is closed."""

    head: RawRequestMessage
    body: StreamReader
    error: BaseException | None


class OpenHandler(RequestHandler):
    """The protocol of one connection, with what it knows of its requests, and the steps of a loop over them.

    Whoever derives from it has that loop: `start`, which is aiohttp's name for it.
    """

    __slots__ = ()

    @property
    def requests_seen(self) -> int:
        """How many heads have been read on this connection, those that cannot be read included."""
        return self._request_count

    @property
    def has_pipelined(self) -> bool:
        """Whether more has been read than the request that is being answered: another one, or what stands
        behind an upgrade that was asked for."""
        return bool(self._messages or self._message_tail)

    @property
    def speaks_http(self) -> bool:
        """Whether bytes that come are HTTP: no upgrade has been asked for or made."""
        return not self._upgraded and self._payload_parser is None

    @property
    def awaits_head(self) -> bool:
        """Whether the next bytes belong to a head, not to a body or a pipelined request."""
        waiter = self._waiter
        return self._request_count == 0 or (waiter is not None and not waiter.done())

    @property
    def is_ending(self) -> bool:
        """Whether no more requests are taken: it closes with the answer to this one, or is closed."""
        return self._close or self._force_close

    @property
    def lingering_s(self) -> float:
        """For how long the rest of a body is read that nobody wants; 0 = it is not."""
        return 0.0 if self._force_close else self._lingering_time

    async def next_request(self) -> Arrived:
        """Waits for it, however long. Cancelled when the connection is closed meanwhile."""
        if not self._messages:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message, body = self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        if isinstance(message, _ErrInfo):
            return Arrived(_UNREADABLE, body, message.exc)
        return Arrived(message, body, None)

    def begin(self, request: web.BaseRequest) -> None:
        """It is being answered: who shuts the server down waits for it, and its body fails with the
        connection."""
        self._current_request = request
        self._request_in_progress = True

    def done(self) -> None:
        self._current_request = None
        self._request_in_progress = False
        if self._handler_waiter is not None:
            self._handler_waiter.set_result(None)

    def decline_upgrade(self) -> None:
        """If one was asked for and not made, what came behind it are requests. (For an upgrade that aiohttp
        does not know, its parser has dropped them: `drops_what_follows`.)"""
        if not self._upgraded or self._messages or self._payload_parser is not None or self._parser is None:
            return
        self._parser.set_upgraded(False)
        self._upgraded = False
        tail, self._message_tail = self._message_tail, b""
        if tail:
            RequestHandler.data_received(self, tail)
        if self._buffer_paused:
            self._resume_reading_if_drained()

    def keep_open(self) -> None:
        """Begin the time for which it is kept open without a request, unless it is ending."""
        if self.is_ending:
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                self._next_keepalive_close_time, self._process_keepalive
            )

    def end(self) -> None:
        """No more requests: what was written still leaves."""
        if not self._force_close:
            self._task_handler = None
            if self.transport is not None:
                self.transport.close()

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
    """A request that has a word in the answer to an upgrade."""

    def __init__(self, message: RawRequestMessage, body: StreamReader, connection: OpenHandler) -> None:
        loop = connection._loop
        # Nobody asks a request for the task it is answered in.
        task = cast("asyncio.Task[None]", None)
        super().__init__(message, body, connection, StreamWriter(connection, loop), task, loop)

    @abstractmethod
    def prepare_upgrade(self, response: web.StreamResponse) -> None:
        """Called right before the head is written."""

    async def _prepare_hook(self, resp: web.StreamResponse) -> None:
        self.prepare_upgrade(resp)


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

    def let_go(self) -> None:
        """It has been closed. The error with which that failed, if it did, holds all that was under way, and
        the connection and this hold each other: circles, which are looked for seldom."""
        self._exception = None
        if self._req is not None:
            self._req.protocol._data_received_cb = None

    def _close_transport(self) -> None:
        """Not at once after a frame that cannot be read: who is still sending it would get a reset instead of
        the reason. What still comes is dropped, until whoever serves it is done."""
        if not isinstance(self._exception, WebSocketError):
            super()._close_transport()

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


def drops_what_follows(head: RawRequestMessage) -> bool:
    """Whether the parser keeps nothing of what came in one piece behind this request: it does so for each
    upgrade that aiohttp does not know (`Upgrade: h2c`)."""
    return bool(head.upgrade) and head.headers.get(hdrs.UPGRADE, "websocket").lower() != "websocket"


def line_limit(error: BaseException) -> int | None:
    """The limit that a line of the head was longer than; None for any other error of the parser."""
    match error:
        case LineTooLong(args=(_, int() as limit, *_)):
            return limit
        case _:
            return None


def too_many_headers(error: BaseException) -> bool:
    """Whether the parser gave up on the number of headers."""
    return isinstance(error, BadHttpMessage) and error.message == "Too many headers received"


def whole_body(content: StreamReader) -> bytes:
    """What is there of a body that has come to its end. Raises what it failed with.

    Without what `StreamReader.read_nowait` does besides: it resumes a connection that was not paused, and has
    nothing parsed once more.
    """
    if type(content) is not StreamReader or content._buffer_offset:
        return content.read_nowait(-1)
    if content._exception is not None:
        raise content._exception
    buffer = content._buffer
    body = buffer[0] if len(buffer) == 1 else b"".join(buffer)
    buffer.clear()
    content._size = 0
    content._cursor += len(body)
    if content._http_chunk_splits:
        content._http_chunk_splits.clear()
    if content._protocol._reading_paused:
        content._protocol.resume_reading()
    return body
