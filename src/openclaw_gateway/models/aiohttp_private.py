"""The insides of aiohttp's client that the upstream client leans on, and all of them.

aiohttp does not promise to keep these names, so its minor version is pinned, and each has a test that says
what is relied on (tests/models/test_aiohttp_private.py). No other file below the doors may touch one.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

import aiohttp
from aiohttp import ClientRequest, ClientResponse, ClientSession, ClientTimeout, StreamReader, TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from multidict import CIMultiDictProxy
from yarl import URL


class Pool(TCPConnector):
    """Of its connections, none is used again on which something came that nobody had asked for.

    aiohttp takes that for the answer to the next request, and the answer to that one for the answer to the
    request after it, which may be another client's.
    """

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109  aiohttp's own signature
    ) -> Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            # One that was never used has no parser.
            if protocol is None or protocol._parser is None or not protocol.should_close:
                return connection
            connection.close()

    def end_answers(self) -> None:
        """Whoever waits for more of an answer's body waits no longer: closing alone would not tell them."""
        for protocol in tuple(self._acquired):
            if protocol._payload is not None and not protocol._payload.is_eof():
                end_reading(protocol._payload)


def end_deadline(response: ClientResponse) -> None:
    """An answer's head has come: the time that its request has in aiohttp's API no longer counts."""
    connection = response.connection
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = None
        connection.protocol.start_timeout()


class PoolRequest(ClientRequest):
    """What a session's pool of connections wants to know of a request, for any number of them."""

    @cached_property
    def connection_key(self) -> ConnectionKey:
        return super().connection_key


def pool_request(session: ClientSession, url: URL, headers: Mapping[str, str]) -> PoolRequest:
    """Its `headers` are those that aiohttp would send, but for the length of the body."""
    request = PoolRequest("POST", url, headers=headers, loop=asyncio.get_running_loop(), session=session)
    request.headers.popall("Content-Length", None)
    return request


async def connection_to(session: ClientSession, request: PoolRequest, waits: ClientTimeout) -> Connection:
    """A connection of the pool, or a new one; close or release it. Raises aiohttp.ClientError, OSError."""
    if session.connector is None:
        raise aiohttp.ClientConnectionError("the session is closed")
    try:
        return await session.connector.connect(request, [], waits)
    except TimeoutError as error:
        raise aiohttp.ConnectionTimeoutError("connecting took too long") from error


class Head(NamedTuple):
    """Of an answer, and the reader of the body behind it."""

    status: int
    headers: CIMultiDictProxy[str]
    content: StreamReader


async def exchange(connection: Connection, *sent: bytes, answer_s: float | None) -> Head:
    """Send the pieces of `sent` at once and wait `answer_s` seconds for the head of the answer. Raises
    aiohttp.ClientError, HttpProcessingError."""
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(read_until_eof=True)
    deadline = None
    if answer_s is not None:
        deadline = asyncio.get_running_loop().call_later(answer_s, _give_up, protocol)
    try:
        # Not joined: the body is nearly all of it.
        protocol.transport.writelines(sent)
        while True:
            message, content = await protocol.read()
            # Interim answers are followed by another one; 101 is not, and is nothing that was asked for.
            if message.code >= 200 or message.code == 101:
                break
    finally:
        if deadline is not None:
            deadline.cancel()
    return Head(message.code, message.headers, content)


class Body:
    """The body of an answer, of which nobody waits longer than `silence_s` seconds for the next bytes; None
    is for ever. `close` it.

    For all its waits it has one timer, which is set anew only when it has run down: most waits end early.
    """

    __slots__ = ("_content", "_loop", "_most", "_silence_s", "_since", "_take", "_timer", "_waiter", "_woken")

    def __init__(self, content: StreamReader, silence_s: float | None) -> None:
        self._content = content
        self._silence_s = silence_s
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        # Of a `hand` that waits: to whom what comes goes, and how much at once.
        self._take: Callable[[bytes], bool] | None = None
        self._most = 0
        self._woken: asyncio.Future[bool] | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its last byte has come, though perhaps it is not read yet."""
        return self._content.is_eof()

    async def read(self, most: int) -> bytes:
        """What is there, at least one byte and at most `most`; b"" at the end. What came before a failure is
        read before it is raised.

        For the usual little that is there, without what `StreamReader.read` does each time: it resumes a
        connection that was not paused, and parses nothing once more.
        """
        content = self._content
        if type(content) is not StreamReader:
            return await content.read(most)
        buffer = content._buffer
        while not buffer and not content._eof:
            if content._exception is not None:
                raise content._exception
            if content._waiter is not None or content._protocol.transport is None:
                await content._wait("read")  # which says what is wrong
                continue
            waiter = self._expected()
            try:
                await waiter
            finally:
                content._waiter = None
                self._since = None
                del waiter  # with its error it would keep this frame, and so the request
        if not buffer:
            if content._exception is not None:
                raise content._exception
            return b""
        if content._size > most or content._buffer_offset:
            # So that others have their turn while a fast provider has much to say.
            await asyncio.sleep(0)
            return content._read_nowait(most)
        return self._all_there()

    async def hand(self, take: Callable[[bytes], bool], most: int) -> None:
        """Call `take` with what is there and what comes, cut as by `read`, until it says False; it raises
        nothing. Raises what `read` raises.

        A little that comes at a time is handed over where it comes in: to wake a task for each word of an
        answer costs as much as the word. Much at once, the end and failures are left to whoever waits here.
        """
        goes_on = True
        while goes_on:
            content = self._content
            if (
                type(content) is StreamReader
                and not (content._buffer or content._eof or content._exception or content._waiter)
                and content._protocol.transport is not None
            ):
                self._take, self._most = take, most
                self._woken = woken = self._loop.create_future()
                self._waiter = self._expected()
                self._waiter.add_done_callback(self._came)
                try:
                    goes_on = await woken
                finally:
                    self._take = None
                    # Somebody else may wait by now: `take` has let the end be read.
                    if content._waiter is self._waiter:
                        content._waiter = self._since = None
                    self._waiter = None
            else:
                goes_on = take(await self.read(most))

    def _came(self, waiter: "asyncio.Future[None]") -> None:
        """Something has come, or has gone wrong."""
        failure, content, woken = waiter.exception(), self._content, self._woken
        self._since = None
        if self._take is None or woken is None or woken.done():
            return  # who waited has left
        if failure or not content._buffer or content._size > self._most or content._buffer_offset:
            woken.set_result(True)
        elif not self._take(self._all_there()):
            woken.set_result(False)
        elif content._eof or content._exception:
            woken.set_result(True)
        else:
            self._waiter = self._expected()
            self._waiter.add_done_callback(self._came)

    def _expected(self) -> "asyncio.Future[None]":
        """What is done when something comes, or goes wrong. The silence counts from now on."""
        if self._silence_s is not None:
            self._since = self._loop.time()
            if self._timer is None:
                self._timer = self._loop.call_later(self._silence_s, self._run_down, self._silence_s)
        self._content._waiter = waiter = self._loop.create_future()
        return waiter

    def _all_there(self) -> bytes:
        content = self._content
        buffer = content._buffer
        data = buffer[0] if len(buffer) == 1 else b"".join(buffer)
        buffer.clear()
        content._size = 0
        content._cursor += len(data)
        if content._http_chunk_splits:
            content._http_chunk_splits.clear()
        if content._protocol._reading_paused:
            content._protocol.resume_reading()
        return data

    def close(self) -> None:
        """Nothing more will be read."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run_down(self, silence_s: float) -> None:
        self._timer = None
        if self._since is None or self._content._waiter is None:
            return  # nobody waits, or something has come and whoever waits has not had their turn yet
        left = self._since + silence_s - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._run_down, silence_s)
        else:
            self._content.set_exception(aiohttp.SocketTimeoutError("the answer fell silent"))


def _give_up(protocol: ResponseHandler) -> None:
    protocol.set_exception(aiohttp.SocketTimeoutError("no answer in time"))


def end_reading(content: StreamReader) -> None:
    """Whoever waits for more of this body waits no longer."""
    if content.exception() is None:
        content.set_exception(aiohttp.ClientConnectionError("the connection was closed"))
