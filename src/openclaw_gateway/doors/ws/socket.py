"""One WebSocket with its limits: size before and after the handshake, rate, kind, and readers that stall.

Moves bytes and closes with the right code; knows nothing of what the bytes mean. Sending waits until
the peer has taken nearly everything, so what is buffered here is never more than one frame and a bit; what
waits behind that one is counted, and has a bound.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

import structlog
from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.aiohttp_private import FrameParser, OpenWebSocket
from openclaw_gateway.doors.stall import Stall, backlog
from openclaw_gateway.doors.ws.bucket import TokenBucket
from openclaw_gateway.doors.ws.masks import Masks
from openclaw_gateway.doors.ws.protocol import Close
from openclaw_gateway.errors import InvalidRequest

log = structlog.get_logger()

_CLOSE_WAIT_S = 1.0
# For so long a peer that has sent what cannot be read may go on sending before it has read why.
_LAST_WORDS_S = 10.0
_FRAME_HEAD = 14
# Sends wait for the peer in `Socket.send`, which sees whether it takes anything, not inside aiohttp.
_NEVER_WAIT = 1 << 62


class Dropped(ConnectionError):
    """The peer took nothing for too long; the connection is gone."""


class Socket:
    def __init__(self, request: web.BaseRequest, limits: Limits, peer: str) -> None:
        self.response = _Response(limits)
        self._request = request
        self._limits = limits
        self._peer = peer
        self._sending = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._owed = 0
        self._pongs = 0
        self.overrun: Callable[[], None] | None = None
        self._bucket = TokenBucket(limits.ws_messages_per_s, limits.ws_burst, self._loop.time())

    async def open(self) -> None:
        """Accept the upgrade. Raises InvalidRequest when it is not a proper one."""
        try:
            await self.response.prepare(self._request)
        except web.HTTPException:
            raise InvalidRequest(
                "This is not a proper WebSocket upgrade: it needs Sec-WebSocket-Key and version 13.",
                code="invalid_upgrade",
            ) from None

    async def receive(self) -> bytes | None:
        """The next text frame; None when the connection is closed, by either side."""
        while True:
            message = await self.response.receive()
            if isinstance(message.data, WebSocketError):
                await self._read_away()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return None
            if not self._bucket.take(self._loop.time()):
                limits = self._limits
                rate, burst = limits.ws_messages_per_s, limits.ws_burst
                await self.close(Close.REFUSED, f"more than {rate:g} messages a second (burst {burst})")
                return None
            if message.type is WSMsgType.TEXT:
                return cast(bytes, message.data)
            if message.type is WSMsgType.BINARY:
                await self.close(Close.BINARY, "binary frames are not used by this protocol")
                return None
            if message.type is WSMsgType.PING:
                await self._pong(message.data)

    def connected(self) -> None:
        """From now on the larger size holds."""
        self.response.gate.open = True

    async def send(self, frame: bytes) -> None:
        """Write a text frame and wait until there is room again.

        Raises ConnectionError when the connection is gone, Dropped when the peer took nothing for
        `reader_stall_s`; a peer that is slow, but reads, may take as long as it likes.
        """
        if self._sending.locked():
            self.owe(len(frame))
            try:
                await self._sending.acquire()
            finally:
                self.owe(-len(frame))
        else:
            await self._sending.acquire()
        try:
            await self._write(frame)
        finally:
            self._sending.release()

    @property
    def busy(self) -> bool:
        """Whether the peer has yet to take what was sent last."""
        return self._sending.locked()

    def owe(self, size: int) -> None:
        """So many bytes more (or less) wait for the peer. Beyond the limit it is a slow consumer: `overrun`
        is called, once, and has to see to it that the connection is closed with REFUSED."""
        self._owed += size
        if self._owed > self._limits.max_ws_buffered_bytes and self.overrun is not None:
            log.warning("ws.slow_consumer", peer=self._peer, owed=self._owed)
            overrun, self.overrun = self.overrun, None
            overrun()

    async def close(self, code: int, reason: str = "") -> None:
        """Say goodbye; a peer that does not take even that is left without it."""
        message = reason.encode()[:123].decode(errors="ignore").encode()
        try:
            # aiohttp waits for the peer's goodbye, but not only so long until ours has left.
            async with asyncio.timeout(2 * _CLOSE_WAIT_S):
                await self.response.close(code=code, message=message)
        except TimeoutError:
            if (transport := self._request.transport) is not None:
                transport.abort()
        finally:
            self.response.let_go()
            self.response.gate.shut()
            self.overrun = None

    async def _read_away(self) -> None:
        """Until the peer has closed, which cancels who waits here, or that takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await asyncio.get_running_loop().create_future()

    async def _pong(self, data: bytes) -> None:
        """Without waiting, for calls stand behind a ping. All pongs count as owed until the peer has taken
        everything."""
        await self.response.pong(data)
        pongs = self._pongs + len(data) if self._unread() else 0
        self.owe(pongs - self._pongs)
        self._pongs = pongs

    async def _write(self, frame: bytes) -> None:
        await self.response.send_frame(frame, WSMsgType.TEXT)
        if not self._unread():
            return  # the system has taken it all
        limit_s = self._limits.reader_stall_s
        stall = Stall(limit_s, self._loop.time())
        if self._unread():
            self._has_stalled(stall)
        while True:
            try:
                async with asyncio.timeout(limit_s):
                    await self._request.writer.drain()
                    return
            except TimeoutError:
                if self._has_stalled(stall):
                    self._abort()
                    raise Dropped("the reader has stalled") from None

    def _has_stalled(self, stall: Stall) -> bool:
        transport = self._request.transport
        return transport is None or stall.look(backlog(transport), self._loop.time())

    def _unread(self) -> int:
        transport = self._request.transport
        return transport.get_write_buffer_size() if transport is not None else 0

    def _abort(self) -> None:
        log.warning("ws.reader_stalled", peer=self._peer, unread=self._unread())
        transport = self._request.transport
        if transport is not None:
            transport.abort()


class _Response(OpenWebSocket):
    """aiohttp's, without compression, and with the size of what comes before the handshake bounded too."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(
            timeout=_CLOSE_WAIT_S,
            autoping=False,  # so that pings count as messages
            heartbeat=4 * limits.reader_stall_s,  # aiohttp gives the pong half of it
            compress=False,
            max_msg_size=limits.max_ws_frame_bytes,
            writer_limit=_NEVER_WAIT,
            decode_text=False,
        )
        self.gate = _Gate(limits.max_ws_frame_before_connect_bytes + _FRAME_HEAD)
        self._stall = Stall(limits.reader_stall_s, 0.0)

    def may_wait(self, transport: asyncio.Transport) -> bool:
        """The pong of a slow reader stands behind all that it has not taken yet."""
        behind = backlog(transport)
        return bool(behind.waiting) and not self._stall.look(behind, asyncio.get_running_loop().time())

    def stand_before(self, parser: FrameParser, refuse: Callable[[BaseException], None]) -> FrameParser:
        self.gate.parser, self.gate.refuse = parser, refuse
        return self.gate


class _Gate:
    """Stands before aiohttp's frame parser: counts bytes until it is opened, and wants frames to be masked.

    aiohttp has one size for a connection's whole life; a stranger may not make us hold 25 MiB.
    """

    def __init__(self, allowed: int) -> None:
        self.open = False
        self.parser: FrameParser | None = None
        self.refuse: Callable[[BaseException], None] | None = None
        self._left = allowed
        self._masks = Masks()

    def shut(self) -> None:
        """Whatever still comes is not read; and the parser, which knows the connection, is let go."""
        self.parser = self.refuse = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if self.parser is None or self.refuse is None:
            return True, b""
        if not self.open:
            self._left -= len(data)
            if self._left < 0:
                self.refuse(WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, "too large before connect"))
                return True, b""
        if self._masks.broken_by(data):
            self.refuse(WebSocketError(WSCloseCode.PROTOCOL_ERROR, "a frame without a mask"))
            return True, b""
        return self.parser.feed_data(data)

    def feed_eof(self) -> None:
        if self.parser is not None:
            self.parser.feed_eof()
