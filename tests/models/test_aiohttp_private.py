"""What the upstream client relies on inside aiohttp."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest
from aiohttp import StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

from openclaw_gateway.models.aiohttp_private import (
    Body,
    Head,
    connection_to,
    end_deadline,
    end_reading,
    exchange,
    pool_request,
)
from openclaw_gateway.testing.model_server import Flush, Hang, Hold, ModelServer, says


async def test_the_time_for_a_status_is_over_with_the_status(models: ModelServer) -> None:
    """How long the answer may be silent then is its reader's affair."""
    gate = asyncio.Event()
    models.script("m", says("one ", Flush(), Hold(gate), "two", Flush(), Hang()))
    hurried = aiohttp.ClientTimeout(total=None, sock_read=0.3)
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        session.post(
            f"{models.base_url}/chat/completions", json={"model": "m", "stream": True}, timeout=hurried
        ) as response,
    ):
        end_deadline(response)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                while await response.content.readany():
                    pass
        gate.set()
        body = Body(response.content, 0.05)
        with pytest.raises(aiohttp.SocketTimeoutError, match="silent"):
            while await body.read(99):
                pass
        body.close()


WAITS = aiohttp.ClientTimeout(total=None, connect=5)


@asynccontextmanager
async def answering(
    *answers: bytes, hold: asyncio.Event | None = None
) -> AsyncIterator[tuple[URL, list[bytes]]]:
    """A server that gives each request the next of these answers, in pieces that are split at b"|"; `hold` is
    waited for between two pieces. What it was sent is in the list."""
    heard: list[bytes] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                heard.append(head + await reader.readexactly(length))
                for index, piece in enumerate(left.pop(0).split(b"|")):
                    if index and hold is not None:
                        await hold.wait()
                    writer.write(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            yield URL(f"http://127.0.0.1:{port}/v1/x?q=1"), heard
        finally:
            if hold is not None:
                hold.set()


async def answered(
    session: aiohttp.ClientSession, url: URL, *, answer_s: float = 5
) -> tuple[Connection, Head]:
    """A question on a connection of its own, and the head of what came."""
    connection = await connection_to(session, pool_request(session, url, {}), WAITS)
    asked = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    return connection, await exchange(connection, asked, answer_s=answer_s)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def test_a_connection_is_used_again_after_the_last_byte() -> None:
    async with asyncio.timeout(10), aiohttp.ClientSession() as session, answering(OK, OK) as (url, heard):
        request = pool_request(session, url, {"X-A": "b"})
        assert dict(request.headers)["X-A"] == "b"
        assert "Content-Length" not in request.headers
        protocols = []
        for _ in range(2):
            connection = await connection_to(session, request, WAITS)
            protocols.append(connection.protocol)
            head = await exchange(connection, b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n.", answer_s=5)
            assert (head.status, head.headers["Content-Length"]) == (200, "2")
            assert await head.content.read() == b"hi"
            connection.release()
        assert protocols[0] is protocols[1]
        assert len(heard) == 2


async def test_interim_answers_are_passed_over() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with asyncio.timeout(10), aiohttp.ClientSession() as session, answering(early + OK) as (url, _):
        connection, head = await answered(session, url)
        assert head.status == 200
        connection.close()


@pytest.mark.parametrize(
    ("answer", "answer_s", "silence_s"),
    [(b"|" + OK, 0.05, 60), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n|hi", 60, 0.05)],
    ids=["no head", "a body that stops"],
)
async def test_what_does_not_come_in_time_is_a_timeout(
    answer: bytes, answer_s: float, silence_s: float
) -> None:
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        answering(answer, hold=asyncio.Event()) as (url, _),
    ):
        connection = await connection_to(session, pool_request(session, url, {}), WAITS)
        with pytest.raises(aiohttp.SocketTimeoutError):
            head = await exchange(
                connection,
                b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
                answer_s=answer_s,
            )
            await Body(head.content, silence_s).read(99)
        connection.close()


async def test_a_time_for_the_status_is_over_with_the_status() -> None:
    """A connection that is used again is not closed by the deadline of an earlier answer."""
    hold = asyncio.Event()
    slow = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n|hi"
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        answering(slow, hold=hold) as (url, _),
    ):
        connection, head = await answered(session, url, answer_s=0.05)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await head.content.read()
        hold.set()
        assert await head.content.read() == b"hi"
        connection.release()


async def test_a_reader_is_told_that_there_is_no_more() -> None:
    hold = asyncio.Event()
    slow = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n|hi"
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        answering(slow, hold=hold) as (url, _),
    ):
        connection, head = await answered(session, url)
        reading = asyncio.ensure_future(head.content.read())
        await asyncio.sleep(0)
        end_reading(head.content)
        connection.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await reading


async def test_where_nobody_listens_is_a_connection_error() -> None:
    async with aiohttp.ClientSession() as session:
        request = pool_request(session, URL("http://127.0.0.1:1/"), {})
        with pytest.raises(aiohttp.ClientConnectorError):
            await connection_to(session, request, WAITS)


@pytest.mark.parametrize("size", [1, 1 << 10, 3 << 20])
async def test_a_body_of_any_size_is_read_in_bounded_pieces(size: int) -> None:
    """Also one beyond what aiohttp buffers, for which it has stopped to read."""
    body = bytes(range(1, 124)) * (size // 123 + 1)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with asyncio.timeout(20), aiohttp.ClientSession() as session, answering(answer) as (url, _):
        connection, head = await answered(session, url)
        pieces = []
        read = Body(head.content, None).read
        while piece := await read(16 << 10):
            pieces.append(piece)
        assert b"".join(pieces) == body
        assert max(map(len, pieces)) <= 16 << 10
        connection.release()


async def test_chunks_are_read_as_they_come() -> None:
    hold = asyncio.Event()
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n|2\r\ncd\r\n0\r\n\r\n"
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        answering(answer, hold=hold) as (url, _),
    ):
        connection, head = await answered(session, url)
        assert await Body(head.content, None).read(99) == b"ab"
        hold.set()
        assert await Body(head.content, None).read(99) == b"cd"
        assert await Body(head.content, None).read(99) == b""
        connection.release()


async def test_what_came_before_a_failure_is_read_before_it() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"
    async with aiohttp.ClientSession() as session:
        server = await asyncio.start_server(partial(send_and_close, answer), "127.0.0.1", 0)
        async with asyncio.timeout(10), server:
            url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            connection, head = await answered(session, url)
            assert connection.protocol is not None
            if (closed := connection.protocol.closed) is not None:
                await closed
            assert await Body(head.content, None).read(99) == b"hi"
            with pytest.raises(aiohttp.ClientPayloadError):
                await Body(head.content, None).read(99)
            connection.close()


async def send_and_close(answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(answer)
    await writer.drain()
    writer.close()


async def test_a_reader_that_takes_its_time_is_no_silence_of_the_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So much has come by the time a busy loop sees the head that nothing is read on until it is wanted."""
    read = ResponseHandler.read

    async def late(protocol: ResponseHandler) -> object:
        message = await read(protocol)
        while True:
            if protocol._reading_paused:
                return message
            await asyncio.sleep(0)

    monkeypatch.setattr(ResponseHandler, "read", late)
    body = b"x" * (4 << 20)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with asyncio.timeout(20), aiohttp.ClientSession() as session, answering(answer) as (url, _):
        connection = await connection_to(session, pool_request(session, url, {}), WAITS)
        protocol = connection.protocol
        assert protocol is not None
        head = await exchange(connection, b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", answer_s=5)
        await asyncio.sleep(0.3)  # longer than the provider may be silent
        assert protocol._reading_paused
        size = 0
        whole = Body(head.content, 0.1)
        while piece := await whole.read(64 << 10):
            size += len(piece)
        assert size == len(body)
        whole.close()
        connection.release()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n|2\r\ncd\r\n0\r\n\r\n"


@asynccontextmanager
async def in_the_middle(silence_s: float | None) -> AsyncIterator[tuple[Body, StreamReader, asyncio.Event]]:
    """(an answer of which "ab" was read, what it is read from, what to set so that "cd" and its end come)."""
    hold = asyncio.Event()
    async with (
        asyncio.timeout(10),
        aiohttp.ClientSession() as session,
        answering(CHUNKED, hold=hold) as (url, _),
    ):
        connection, head = await answered(session, url)
        body = Body(head.content, silence_s)
        try:
            assert await body.read(99) == b"ab"
            assert isinstance(head.content, StreamReader)
            yield body, head.content, hold
        finally:
            body.close()
            connection.close()


async def test_a_little_is_handed_over_where_it_comes_in_and_the_end_to_who_waits() -> None:
    taken: list[tuple[bytes, bool]] = []

    def take(data: bytes) -> bool:
        taken.append((data, asyncio.current_task() is handing))
        return data != b""

    async with in_the_middle(5.0) as (body, _, hold):
        handing = asyncio.create_task(body.hand(take, 99))
        await asyncio.sleep(0)
        hold.set()
        await handing
        assert taken == [(b"cd", False), (b"", True)]


async def test_what_comes_when_nobody_is_there_to_take_it_is_read_later() -> None:
    async with in_the_middle(None) as (body, content, hold):
        handing = asyncio.create_task(body.hand(lambda data: pytest.fail(str(data)), 99))
        await asyncio.sleep(0)
        handing.cancel()
        hold.set()
        await content.wait_eof()
        assert handing.cancelled()
        assert await body.read(99) == b"cd"


async def test_a_silence_of_the_provider_reaches_who_has_it_handed_on() -> None:
    async with in_the_middle(0.05) as (body, _, _):
        with pytest.raises(aiohttp.SocketTimeoutError, match="silent"):
            await body.hand(lambda _: True, 99)


async def test_who_takes_all_there_is_may_let_somebody_else_wait_for_the_rest() -> None:
    """As a model's answer does, which has said all and lets only its end be read."""
    async with in_the_middle(None) as (body, content, _):
        rest: list[asyncio.Task[bytes]] = []

        def take(data: bytes) -> bool:
            rest.append(asyncio.create_task(body.read(99)))
            return False

        handing = asyncio.create_task(body.hand(take, 99))
        await asyncio.sleep(0)
        content.feed_data(b"cd")
        await handing
        content.feed_data(b"ef")
        assert await rest[0] == b"ef"


async def test_what_has_come_is_no_silence_though_its_reader_has_not_had_a_turn() -> None:
    async with in_the_middle(5.0) as (body, content, _):
        for waiting in (body.read(99), body.hand(lambda data: data == b"", 99)):
            reading = asyncio.create_task(waiting)
            await asyncio.sleep(0)
            content.feed_data(b"more")
            body._run_down(0.0)
            await reading


async def test_a_reader_that_is_cancelled_has_taken_nothing() -> None:
    async with asyncio.timeout(10), aiohttp.ClientSession() as session, answering(OK) as (url, _):
        connection, head = await answered(session, url)
        body = Body(head.content, None)
        await head.content.wait_eof()
        reading = asyncio.create_task(body.read(1))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        assert await body.read(99) == b"hi"
        connection.release()
