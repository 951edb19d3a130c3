"""One client of a balancer, and one request of it that is passed to a replica and back.

Knows nothing of which replica is asked next. Each way has what it has not yet passed on in the two streams
alone, which stop reading when the other side is slow.
"""

import asyncio
import contextlib
import http
from collections.abc import Awaitable, Callable

import msgspec

from openclaw_gateway.testing.framing import (
    BadMessage,
    Body,
    Head,
    UntilClosed,
    answer_body,
    head_of,
    method_of,
    request_body,
    status_of,
    stays_open,
)

MOST_HEAD_BYTES = 1 << 16
# A request that is not longer can be asked of another replica when the first has refused it.
_HELD_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
# So long a client may take for its next head, and to read a piece of its answer.
IDLE_S = 75.0
_DIAL_S = 2.0
_CLOSE_S = 2.0
# How long a client that was refused may go on to send, so that it comes to read why.
_LINGER_S = 1.0
_CODES = {400: "bad_request", 502: "replica_lost", 503: "no_replica"}


class Left(Exception):
    """The client has gone."""


class Unreachable(Exception):
    """There is no connection to the replica: it has received nothing."""


class Lost(Exception):
    """The replica had the request, and has gone without an answer."""


class NotReady(Exception):
    """The replica has refused the request because it is about to leave, or not up yet."""


class Incoming:
    """A request whose head has come. `held` is what has come of its body, None when that was too much."""

    def __init__(self, head: Head, body: Body) -> None:
        self.head = head
        self.body = body
        self.upgrade = b"upgrade" in head.values(b"connection")
        self.held: bytearray | None = bytearray()

    def hold(self, piece: bytes) -> None:
        if self.held is not None:
            self.held += piece
            if len(self.held) > _HELD_BYTES:
                self.held = None

    @property
    def repeatable(self) -> bool:
        return self.held is not None and not self.upgrade


class Client:
    """Its connection. `stays` is whether another request may come on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stays = True
        self.writer = writer
        self._reader = reader
        self._refused = False
        self._early = b""  # of the next request, when it came during an answer

    @property
    def address(self) -> bytes:
        peer = self.writer.get_extra_info("peername")
        return str(peer[0]).encode() if peer else b"unknown"

    async def next(self) -> Incoming:
        """The next request. Raises Left, BadMessage, TimeoutError, ConnectionError."""
        async with asyncio.timeout(IDLE_S):
            head = head_of(await self._block())
        incoming = Incoming(head, request_body(head))
        self.stays = stays_open(head) and not incoming.upgrade
        return incoming

    async def read(self) -> bytes:
        """What comes next. Raises Left."""
        if self._early:
            early, self._early = self._early, b""
            return early
        piece = await self._reader.read(_PIECE_BYTES)
        if not piece:
            raise Left
        return piece

    def put_back(self, piece: bytes) -> None:
        self._early = piece + self._early

    async def _block(self) -> bytes:
        """Up to the empty line."""
        while b"\r\n\r\n" not in (begun := self._early.lstrip(b"\r\n")):  # empty lines before it are nothing
            if len(begun) > MOST_HEAD_BYTES:
                raise BadMessage("its head is too long")
            self._early = b""
            self._early = begun + await self.read()
        block, mark, self._early = begun.partition(b"\r\n\r\n")
        if len(block) > MOST_HEAD_BYTES:
            raise BadMessage("its head is too long")
        return block + mark

    def refuse(self, status: int, why: str) -> None:
        """As the gateway words its errors; the connection ends with it."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        error = {"message": why, "type": kind, "param": None, "code": _CODES[status]}
        body = msgspec.json.encode({"error": error})
        retry = b"Retry-After: 1\r\n" if status == 503 else b""
        self.writer.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%bConnection: close"
            b"\r\n\r\n%b" % (status, http.HTTPStatus(status).phrase.encode(), len(body), retry, body)
        )
        self.stays = False
        self._refused = True

    async def close(self) -> None:
        try:
            with contextlib.suppress(OSError, TimeoutError):
                if self._refused:
                    async with asyncio.timeout(_LINGER_S):
                        self.writer.write_eof()
                        while await self._reader.read(_PIECE_BYTES):
                            pass
                self.writer.close()
                async with asyncio.timeout(_CLOSE_S):
                    await self.writer.wait_closed()
        finally:
            self.writer.transport.abort()


class Asked:
    """One request at one replica. `leaves` is asked after a 503: whether the replica takes no requests any
    more, and another one does."""

    def __init__(self, client: Client, incoming: Incoming, leaves: Callable[[], Awaitable[bool]]) -> None:
        self._client = client
        self._incoming = incoming
        self._leaves = leaves
        self._begun = False
        self._switched = asyncio.Event()
        self._replica: asyncio.StreamWriter | None = None

    def abort(self) -> None:
        if self._replica is not None:
            self._replica.transport.abort()

    async def of(self, host: str, port: int) -> None:
        """Pass it there, and the answer back. Raises Left, Unreachable, NotReady, Lost, BadMessage (of the
        request), TimeoutError (the client reads nothing), ConnectionError (in the midst of an answer, which
        ends there)."""
        try:
            async with asyncio.timeout(_DIAL_S):
                reader, self._replica = await asyncio.open_connection(host, port, limit=MOST_HEAD_BYTES)
        except (OSError, TimeoutError) as reason:
            raise Unreachable from reason
        there = asyncio.create_task(self._there(self._replica), name="balancer.there")
        back = asyncio.create_task(self._back(reader), name="balancer.back")
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            if not back.done() and there.exception() is None:
                await back  # the client's next request has come meanwhile, and waits
            (back if back.done() else there).result()
        except BadMessage as wrong:
            if self._begun:
                raise ConnectionError from wrong
            raise
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            self.abort()

    async def _there(self, replica: asyncio.StreamWriter) -> None:
        """The request, and then the wait for the next one, or for the client to leave."""
        incoming, client = self._incoming, self._client
        about = (b"Connection", b"Upgrade" if incoming.upgrade else b"close")
        replica.write(incoming.head.passed_on((b"X-Forwarded-For", client.address), about))
        if incoming.held:
            replica.write(bytes(incoming.held))
        while not incoming.body.ended:
            piece = await client.read()
            own = piece[: incoming.body.feed(piece)]
            incoming.hold(own)
            client.put_back(piece[len(own) :])
            await _passed(replica, own)
        while incoming.upgrade:
            piece = await client.read()
            # Before, it would be another request, of which nothing here has been looked at.
            await self._switched.wait()
            await _passed(replica, piece)
        client.put_back(await client.read())

    async def _back(self, reader: asyncio.StreamReader) -> None:
        incoming, client = self._incoming, self._client
        try:
            head = await self._head(reader)
            body = answer_body(head, method=method_of(incoming.head))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, BadMessage, ConnectionError) as why:
            raise (ConnectionError() if self._begun else Lost()) from why
        if await self._refused(head):
            raise NotReady
        if status_of(head) == 101:
            body = UntilClosed()
            self._switched.set()
        if isinstance(body, UntilClosed) or not incoming.body.ended:
            client.stays = False
        about = b"Upgrade" if status_of(head) == 101 else b"keep-alive" if client.stays else b"close"
        self._say(head.passed_on((b"Connection", about)))
        while not body.ended:
            piece = await reader.read(_PIECE_BYTES)
            if not piece:
                client.stays = False  # where it ends too early, its framing shows it
                return
            try:
                self._say(piece[: body.feed(piece)])
            except BadMessage as why:
                raise ConnectionError from why
            async with asyncio.timeout(IDLE_S):
                await client.writer.drain()

    async def _head(self, reader: asyncio.StreamReader) -> Head:
        """Of the answer; what comes before it (`100 Continue`) is passed on."""
        while True:
            head = head_of(await reader.readuntil(b"\r\n\r\n"))
            if status_of(head) >= 200 or status_of(head) == 101:
                return head
            self._say(head.passed_on())

    async def _refused(self, head: Head) -> bool:
        """Whether it is a refusal that another replica would not give, and the request can be said again."""
        return (
            status_of(head) == 503
            and self._incoming.repeatable
            and not self._begun
            and b"false" not in head.values(b"x-should-retry")
            and await self._leaves()
        )

    def _say(self, answer: bytes) -> None:
        self._begun = True
        self._client.writer.write(answer)


async def _passed(replica: asyncio.StreamWriter, piece: bytes) -> None:
    replica.write(piece)
    with contextlib.suppress(ConnectionError):  # its answer says why, or that there is none
        await replica.drain()
