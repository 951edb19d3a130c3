"""Answers as bytes, and when a connection goes on behind them: no gateway, only a connection."""

import asyncio

import pytest
from aiohttp import web

from openclaw_gateway.doors import request_loop
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.event_stream import EventStream
from openclaw_gateway.doors.requests import Request
from tests.doors.served import DEADLINE_S, GET, served, until

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
CLOSING = GET.replace(b"Host", b"Connection: close\r\nHost")
OLD = GET.replace(b"1.1", b"1.0")


@pytest.mark.parametrize(
    ("asked", "head", "body", "connection", "closes"),
    [
        (GET, b"HTTP/1.1 201 Created", b"done", None, False),
        (
            CLOSING,
            b"HTTP/1.1 201 Created",
            b"done",
            b"close",
            True,
        ),
        (OLD, b"HTTP/1.0 201 Created", b"done", None, True),
        (GET.replace(b"1.1", b"2.0"), b"HTTP/1.1 201 Created", b"done", b"close", True),
        (GET.replace(b"1.1", b"0.9"), b"HTTP/1.0 201 Created", b"done", None, True),
        (
            OLD.replace(b"Host", b"Connection: keep-alive\r\nHost"),
            b"HTTP/1.0 201 Created",
            b"done",
            b"keep-alive",
            False,
        ),
        (GET.replace(b"GET", b"HEAD"), b"HTTP/1.1 201 Created", b"", None, False),
    ],
    ids=[
        "usual",
        "closed behind it",
        "HTTP/1.0",
        "a newer version",
        "an older version",
        "HTTP/1.0 kept open",
        "HEAD",
    ],
)
async def test_a_whole_answer(
    asked: bytes, head: bytes, body: bytes, connection: bytes | None, *, closes: bool
) -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        request.answer_headers["x-request-id"] = "one"
        await HttpAnswer(b"done", 201, {"Content-Type": "text/x"}).send(request)

    async with served(answer) as peer:
        peer.writer.write(asked)
        lines = (await peer.until(b"\r\n\r\n")).split(b"\r\n")
        assert lines[0] == head
        named = {line.partition(b": ")[0].lower(): line.partition(b": ")[2] for line in lines[1:-2]}
        assert len(named) == len(lines) - 3
        assert named.pop(b"date").endswith(b" GMT")
        assert named.pop(b"connection", None) == connection
        assert named == {
            b"content-length": b"4",
            b"content-type": b"text/x",
            b"x-request-id": b"one",
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"no-referrer",
        }
        if not closes:
            peer.writer.write(GET)
            assert (await peer.until(b"\r\n\r\n")).startswith(body + b"HTTP/1.1 201 Created")
        else:
            assert await peer.rest() == body


async def test_an_answer_without_a_body_says_no_length() -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(b"", 204, {}).send(request)

    async with served(answer) as peer:
        peer.writer.write(GET)
        assert b"length" not in (await peer.until(b"\r\n\r\n")).lower()


@pytest.mark.parametrize("value", ["b\r\nX-C: d", "b\nX-C: d", "b\rX-C: d", "b\0X-C: d"])
async def test_an_answer_with_a_line_end_in_a_header_is_none(value: str) -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(b"done", 200, {"X-A": value}).send(request)

    async with served(answer) as peer:
        peer.writer.write(GET)
        assert await peer.rest() == b""


async def test_the_head_of_a_stream_leaves_with_its_first_bytes_and_a_piece_is_a_chunk() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    answered: list[bool] = []

    async def answer(request: Request, _: BaseException | None) -> None:
        stream = EventStream(request)
        await stream.send(b"")
        answered.append(request.is_answered)
        begun.set()
        await go_on.wait()
        await stream.send(b"with the head")
        await stream.send(b"alone")
        await stream.finish(b"last")

    async with served(answer) as peer:
        peer.writer.write(GET)
        async with asyncio.timeout(DEADLINE_S):
            await begun.wait()
        go_on.set()
        head = await peer.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nTransfer-Encoding: chunked\r\n" in head
        assert await peer.until(b"0\r\n\r\n") == (
            b"d\r\nwith the head\r\n5\r\nalone\r\n4\r\nlast\r\n0\r\n\r\n"
        )
        peer.writer.write(GET)
        await peer.until(b"0\r\n\r\n")
    assert answered == [False, False]


async def test_a_stream_for_an_old_client_has_no_chunks_and_ends_with_its_connection() -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        stream = EventStream(request)
        await stream.send(b"one ")
        await stream.finish(b"two")

    async with served(answer) as peer:
        peer.writer.write(OLD.replace(b"Host", b"Connection: keep-alive\r\nHost"))
        said = await peer.rest()
        assert said.endswith(b"\r\n\r\none two")
        assert b"chunked" not in said
        assert b"keep-alive" not in said


async def test_a_stream_to_a_client_that_has_left_is_an_error() -> None:
    raised: list[BaseException] = []

    async def answer(request: Request, _: BaseException | None) -> None:
        stream = EventStream(request)
        await stream.send(b"one")
        await until(lambda: request.is_abandoned)
        try:
            await stream.send(b"late")
        except ConnectionError as error:
            raised.append(error)

    async with served(answer) as peer:
        peer.writer.write(GET)
        await peer.until(b"one")
        peer.writer.close()
        await until(lambda: bool(raised))


async def test_who_is_answered_while_still_sending_may_finish_and_goes_on() -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(b"done", 200, {}).send(request)

    async with served(answer) as peer:
        peer.writer.write(POST + b"12345")
        await peer.until(b"done")
        peer.writer.write(b"67890" + GET)
        await peer.until(b"done")


async def test_who_never_finishes_sending_is_closed_after_a_while() -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(b"done", 200, {}).send(request)

    async with served(answer, lingering_time=0.05) as peer:
        peer.writer.write(POST + b"12345")
        assert (await peer.rest()).endswith(b"done")


async def test_who_is_still_sending_does_not_hold_up_a_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_loop, "LAST_WORDS_S", 0.05)

    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(b"done", 200, {}).send(request)

    async with served(answer, lingering_time=60) as peer:
        peer.writer.write(POST + b"12345")
        await peer.until(b"done")
        await until(lambda: not peer.handler.requests[0].protocol._request_in_progress)
        peer.handler.close()
        assert await peer.rest() == b""


@pytest.mark.parametrize("fault", [RuntimeError, web.HTTPBadRequest, ConnectionResetError])
async def test_what_fails_ends_its_connection_without_an_answer_of_aiohttps(
    fault: type[Exception],
) -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        raise fault

    async with served(answer) as peer:
        peer.writer.write(GET)
        assert await peer.rest() == b""
