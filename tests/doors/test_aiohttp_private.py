"""Each private name of aiohttp that the doors rely on, with what is relied on; and that it is all of them."""

import ast
import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import WSMsgType, web
from aiohttp.http import HttpVersion11, RawRequestMessage, WebSocketReader
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.web_protocol import ERROR, RequestHandler

import openclaw_gateway
from openclaw_gateway.doors.aiohttp_private import (
    FrameParser,
    LateHead,
    OpenHandler,
    OpenRequest,
    OpenWebSocket,
    WholeAnswer,
    line_limit,
    too_many_headers,
    version_told,
)

DEADLINE_S = 5.0
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PRIVATE = {"openclaw_gateway.doors.aiohttp_private", "openclaw_gateway.models.aiohttp_private"}

Answer = Callable[["Asked"], Awaitable[web.StreamResponse]]


class Asked(OpenRequest):
    def prepare_answer(self, response: web.StreamResponse) -> None:
        response.headers["x-from-hook"] = "yes"


class Peer:
    """The other end of one connection, and our side of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.handler: OpenHandler

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            return await self.reader.readuntil(mark)


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until it holds: what is waited for is a state of aiohttp's that nobody announces."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0)


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[Peer]:
    """One connection to an aiohttp server with our classes."""
    loop = asyncio.get_running_loop()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, Asked)
        return await answer(request)

    server = web.Server(
        handle,
        request_factory=lambda message, payload, protocol, writer, task: Asked(
            version_told(message), payload, protocol, writer, task, loop
        ),
    )
    made: list[OpenHandler] = []

    def connect() -> OpenHandler:
        made.append(OpenHandler(server, loop=loop))
        return made[-1]

    listening = await loop.create_server(connect, "127.0.0.1", 0)
    peer = Peer(*await asyncio.open_connection(*listening.sockets[0].getsockname()))
    try:
        await until(lambda: bool(made))
        peer.handler = made[0]
        yield peer
    finally:
        peer.writer.close()
        listening.close()
        server.pre_shutdown()
        await server.shutdown(DEADLINE_S)


async def test_a_handler_tells_heads_from_bodies_and_counts_requests() -> None:
    seen: list[tuple[bool, int, bool]] = []
    go_on = asyncio.Event()

    async def answer(request: Asked) -> web.StreamResponse:
        handler = request.protocol
        assert isinstance(handler, OpenHandler)
        seen.append((handler.awaits_head, handler.requests_seen, handler.has_pipelined))
        await go_on.wait()
        seen.append((handler.awaits_head, handler.requests_seen, handler.has_pipelined))
        return web.Response(text="done")

    async with served(answer) as peer:
        assert peer.handler.awaits_head
        assert peer.handler.speaks_http
        peer.writer.write(GET)
        await until(lambda: bool(seen))
        peer.writer.write(GET)
        await until(lambda: peer.handler.has_pipelined)
        go_on.set()
        await peer.until(b"done")
        await peer.until(b"done")
        await until(lambda: peer.handler.awaits_head)
    assert seen == [(False, 1, False), (False, 2, True), (False, 2, False), (False, 2, False)]


async def test_a_body_that_cannot_be_read_on_is_told_to_its_reader() -> None:
    told: list[BaseException] = []
    reading = asyncio.Event()

    async def answer(request: Asked) -> web.StreamResponse:
        assert await request.content.readany() == b"good"
        reading.set()
        try:
            await request.content.readany()
        except web.RequestPayloadError as error:
            told.append(error)
        return web.Response(text="done")

    async with served(answer) as peer:
        peer.writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n")
        async with asyncio.timeout(DEADLINE_S):
            await reading.wait()
        peer.handler.tear_body()
        assert not peer.handler.has_pipelined, "nothing was wrong yet"
        peer.writer.write(b"zz\r\n")
        await until(lambda: peer.handler.has_pipelined)
        peer.handler.tear_body()
        assert not peer.handler.has_pipelined
        async with asyncio.timeout(DEADLINE_S):
            assert (await peer.reader.read()).endswith(b"done")
    assert len(told) == 1


async def test_the_hook_has_a_word_in_every_answer_and_an_interim_head_is_none() -> None:
    async def answer(request: Asked) -> web.StreamResponse:
        await request.write_interim(b"HTTP/1.1 100 Continue\r\n\r\n")
        return web.Response(text="done")

    async with served(answer) as peer:
        peer.writer.write(GET)
        assert await peer.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b"x-from-hook: yes" in await peer.until(b"\r\n\r\n")


async def test_a_late_head_is_not_written_before_the_first_bytes() -> None:
    prepared, go_on = asyncio.Event(), asyncio.Event()

    async def answer(request: Asked) -> web.StreamResponse:
        response = LateHead()
        await response.prepare(request)
        prepared.set()
        await go_on.wait()
        written.append(request.writer.output_size)
        await response.write(b"first")
        await response.write_eof()
        return response

    written: list[int] = []
    async with served(answer) as peer:
        peer.writer.write(GET)
        async with asyncio.timeout(DEADLINE_S):
            await prepared.wait()
        go_on.set()
        assert b"200 OK" in await peer.until(b"first")
    assert written == [0]


async def test_a_piece_of_a_stream_is_a_chunk_and_a_client_that_has_left_is_an_error() -> None:
    left = asyncio.Event()
    raised: list[BaseException] = []

    async def answer(request: Asked) -> web.StreamResponse:
        response = LateHead()
        await response.prepare(request)
        for piece in (b"with the head", b"alone", b""):
            await response.write(piece)
        await left.wait()
        await until(lambda: request.transport is None)
        try:
            await response.write(b"late")
        except ConnectionError as error:
            raised.append(error)
        return response

    async with served(answer) as peer:
        peer.writer.write(GET)
        assert b"d\r\nwith the head\r\n5\r\nalone\r\n" in await peer.until(b"alone\r\n")
        peer.writer.close()
        left.set()
        await until(lambda: bool(raised))


async def test_a_stream_for_an_old_client_has_no_chunks() -> None:
    async def answer(request: Asked) -> web.StreamResponse:
        response = LateHead()
        await response.prepare(request)
        await response.write(b"one ")
        await response.write(b"two")
        await response.write_eof()
        return response

    async with served(answer) as peer:
        peer.writer.write(GET.replace(b"1.1", b"1.0"))
        assert (await peer.reader.read()).endswith(b"\r\n\r\none two")


@pytest.mark.parametrize(
    ("asked", "head", "body", "closes"),
    [
        (GET, b"HTTP/1.1 201 Created", b"done", False),
        (GET.replace(b"Host", b"Connection: close\r\nHost"), b"HTTP/1.1 201 Created", b"done", True),
        (GET.replace(b"1.1", b"1.0"), b"HTTP/1.0 201 Created", b"done", True),
        (GET.replace(b"GET", b"HEAD"), b"HTTP/1.1 201 Created", b"", False),
    ],
    ids=["one write", "closed behind it", "HTTP/1.0", "HEAD"],
)
async def test_a_whole_answer(asked: bytes, head: bytes, body: bytes, closes: bool) -> None:
    async def answer(request: Asked) -> web.StreamResponse:
        return WholeAnswer(body=b"done", status=201, headers={"Content-Type": "text/x"})

    async with served(answer) as peer:
        peer.writer.write(asked)
        lines = (await peer.until(b"\r\n\r\n")).split(b"\r\n")
        assert lines[0] == head
        named = {line.partition(b": ")[0].lower(): line.partition(b": ")[2] for line in lines[1:-2]}
        assert named[b"content-length"] == b"4"
        assert named[b"content-type"] == b"text/x"
        assert named[b"x-from-hook"] == b"yes"
        assert named[b"date"].endswith(b" GMT")
        if not closes:
            assert b"connection" not in named
            peer.writer.write(GET)
            assert (await peer.until(b"\r\n\r\n")).startswith(body + b"HTTP/1.1 201 Created")
        else:
            assert await peer.reader.read() == body


async def test_an_answer_with_a_line_end_in_a_header_is_none() -> None:
    async def answer(request: Asked) -> web.StreamResponse:
        return WholeAnswer(body=b"done", headers={"X-A": "b\r\nX-C: d"})

    async with served(answer) as peer:
        peer.writer.write(GET)
        assert b"X-C" not in await peer.reader.read()


class Watched(OpenWebSocket):
    """Counts bytes on their way to the parser, refuses when told, waits for a late pong `patience` times."""

    def __init__(self, *, heartbeat: float | None = None, patience: int = 0) -> None:
        super().__init__(heartbeat=heartbeat)
        self.counted = 0
        self.patience = patience

    def may_wait(self, transport: asyncio.Transport) -> bool:
        self.patience -= 1
        return self.patience >= 0

    def stand_before(self, parser: FrameParser, refuse: Callable[[BaseException], None]) -> FrameParser:
        self.parser = parser
        self.refuse = refuse
        return self

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.counted += len(data)
        if data == b"no":
            self.refuse(ValueError("refused"))
            return True, b""
        return self.parser.feed_data(data)

    def feed_eof(self) -> None:
        self.parser.feed_eof()


async def test_what_stands_before_the_frames_sees_every_byte_and_can_refuse() -> None:
    kinds: list[WSMsgType] = []
    sockets: list[Watched] = []
    over = asyncio.Event()

    async def answer(request: Asked) -> web.StreamResponse:
        socket = Watched()
        sockets.append(socket)
        await socket.prepare(request)
        assert isinstance(socket.parser, WebSocketReader)
        assert not peer.handler.speaks_http
        for _ in range(2):
            kinds.append((await socket.receive()).type)
        over.set()
        return socket

    async with served(answer) as peer:
        peer.writer.write(UPGRADE)
        assert b"101" in await peer.until(b"\r\n\r\n")
        peer.writer.write(b"\x81\x82\0\0\0\0hi")
        await until(lambda: bool(kinds))
        peer.writer.write(b"no")
        await until(over.is_set)
    assert kinds == [WSMsgType.TEXT, WSMsgType.ERROR]
    assert sockets[0].counted == 10


async def test_a_pong_that_is_late_is_waited_for_as_often_as_we_say() -> None:
    kinds: list[WSMsgType] = []
    sockets: list[Watched] = []

    async def answer(request: Asked) -> web.StreamResponse:
        socket = Watched(heartbeat=0.02, patience=3)
        sockets.append(socket)
        await socket.prepare(request)
        kinds.append((await socket.receive()).type)
        return socket

    async with served(answer) as peer:
        peer.writer.write(UPGRADE)
        assert b"101" in await peer.until(b"\r\n\r\n")
        async with asyncio.timeout(DEADLINE_S):
            await peer.reader.read()
        await until(lambda: bool(kinds))
    assert kinds == [WSMsgType.ERROR]
    assert sockets[0].patience == -1


def test_the_stand_in_for_an_unreadable_head_gets_our_version() -> None:
    assert version_told(ERROR).version == HttpVersion11
    other: RawRequestMessage = ERROR._replace(path="/other")
    assert version_told(other) is other


@pytest.mark.parametrize(
    ("head", "limit", "many"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 8190, False),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", None, True),
        (b"NONSENSE\r\n\r\n", None, False),
    ],
)
async def test_the_parser_says_what_is_too_long(head: bytes, limit: int | None, many: bool) -> None:
    errors: list[BaseException | None] = []

    class Handler(OpenHandler):
        def handle_error(
            self,
            request: web.BaseRequest,
            status: int = 500,
            exc: BaseException | None = None,
            message: str | None = None,
        ) -> web.StreamResponse:
            errors.append(exc)
            return web.Response(status=400)

    async def never(request: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError

    server = web.Server(never)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Handler(server, loop=loop), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    writer.write(head)
    async with asyncio.timeout(DEADLINE_S):
        assert b" 400 " in await reader.readline()
    writer.close()
    listening.close()
    server.pre_shutdown()
    await server.shutdown(DEADLINE_S)
    assert [(line_limit(error), too_many_headers(error)) for error in errors] == [(limit, many)]


def test_other_errors_are_neither() -> None:
    assert line_limit(LineTooLong(b"x")) is None
    assert line_limit(None) is None
    assert not too_many_headers(BadHttpMessage("other"))


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(openclaw_gateway.__path__, "openclaw_gateway."):
        source = Path(str(getattr(found.module_finder, "path", ""))) / found.name.rpartition(".")[2]
        text = (source / "__init__.py" if found.ispkg else source.with_suffix(".py")).read_text("utf-8")
        if "aiohttp" in text and found.name not in PRIVATE:
            yield importlib.import_module(found.name)


def test_no_other_file_overrides_or_touches_a_private_name_of_aiohttp() -> None:
    faults = []
    for module in modules():
        tree = ast.parse(inspect.getsource(module))
        for name, made in inspect.getmembers(module, inspect.isclass):
            if made.__module__ != module.__name__:
                continue
            theirs = {
                attribute
                for base in made.__mro__
                if base.__module__.partition(".")[0] == "aiohttp"
                for attribute in (*vars(base), *getattr(base, "__slots__", ()))
                if attribute.startswith("_") and not attribute.startswith("__") and attribute != "_abc_impl"
            }
            (body,) = (
                node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name
            )
            used = {node.attr for node in ast.walk(body) if isinstance(node, ast.Attribute)} | {*vars(made)}
            faults += [f"{module.__name__}.{name}.{attribute}" for attribute in theirs & used]
        faults += [
            f"{module.__name__}:{node.lineno} {ast.unparse(node)}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.startswith("__")
            and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", "os"})
        ]
    assert faults == []


def test_the_handler_is_still_made_of_slots() -> None:
    """Connection adds its own; a base that got a __dict__ would cost every connection memory."""
    assert "__slots__" in vars(RequestHandler)
