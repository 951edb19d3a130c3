"""Each private name of aiohttp that the doors rely on, with what is relied on; and that it is all of them."""

import ast
import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import WSMsgType, web
from aiohttp.http import HttpVersion11, WebSocketReader
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.web_protocol import RequestHandler

import openclaw_gateway
from openclaw_gateway.doors.aiohttp_private import (
    FrameParser,
    OpenHandler,
    OpenWebSocket,
    line_limit,
    too_many_headers,
    whole_body,
)
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.requests import Request
from tests.doors.served import DEADLINE_S, GET, served, until

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PRIVATE = {"openclaw_gateway.doors.aiohttp_private", "openclaw_gateway.models.aiohttp_private"}


async def test_a_handler_tells_heads_from_bodies_and_counts_requests() -> None:
    seen: list[tuple[bool, int, bool]] = []
    go_on = asyncio.Event()

    async def answer(request: Request, _: BaseException | None) -> None:
        handler = request.protocol
        assert isinstance(handler, OpenHandler)
        seen.append((handler.awaits_head, handler.requests_seen, handler.has_pipelined))
        await go_on.wait()
        seen.append((handler.awaits_head, handler.requests_seen, handler.has_pipelined))
        await HttpAnswer(b"done", 200, {}).send(request)

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

    async def answer(request: Request, _: BaseException | None) -> None:
        assert await request.content.readany() == b"good"
        reading.set()
        try:
            await request.content.readany()
        except web.RequestPayloadError as error:
            told.append(error)
        await HttpAnswer(b"done", 200, {}).send(request)

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


@pytest.mark.parametrize("chunks", [(b"one",), (b"one", b"two"), (b"x" * 50_000, b"y"), ()])
async def test_a_body_that_has_come_is_taken_whole_and_the_next_request_is_read(
    chunks: tuple[bytes, ...],
) -> None:
    bodies: list[bytes] = []

    async def answer(request: Request, _: BaseException | None) -> None:
        if request.method == "POST":
            await until(request.content.is_eof)
            bodies.append(whole_body(request.content))
        await HttpAnswer(b"done", 200, {}).send(request)

    sent = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    async with served(answer) as peer:
        peer.writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + sent + b"0\r\n\r\n"
        )
        await peer.until(b"done")
        peer.writer.write(GET)
        await peer.until(b"done")
    assert b"".join(bodies) == b"".join(chunks)


async def test_an_interim_head_is_no_answer() -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        request.put_interim(b"HTTP/1.1 100 Continue\r\n\r\n")
        answered.append(request.is_answered)
        await HttpAnswer(b"done", 200, {}).send(request)
        answered.append(request.is_answered)

    answered: list[bool] = []
    async with served(answer) as peer:
        peer.writer.write(GET)
        assert await peer.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b"HTTP/1.1 200 OK" in await peer.until(b"done")
    assert answered == [False, True]


async def test_who_shuts_down_waits_for_the_answer_and_nothing_is_taken_behind_it() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def answer(request: Request, _: BaseException | None) -> None:
        begun.set()
        await go_on.wait()
        await HttpAnswer(b"done", 200, {}).send(request)

    async with served(answer) as peer:
        peer.writer.write(GET)
        async with asyncio.timeout(DEADLINE_S):
            await begun.wait()
        peer.handler.close()
        shutdown = asyncio.create_task(peer.handler.shutdown(DEADLINE_S))
        await asyncio.sleep(0)
        go_on.set()
        assert (await peer.rest()).endswith(b"done")
        await shutdown


async def test_a_declined_upgrade_is_a_request_like_others_and_what_came_behind_it_too() -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(request.raw_path.encode(), 200, {}).send(request)

    async with served(answer) as peer:
        peer.writer.write(UPGRADE.replace(b"/", b"/one", 1) + GET.replace(b"/", b"/two", 1))
        await peer.until(b"/one")
        await peer.until(b"/two")
        peer.writer.write(GET.replace(b"/", b"/three", 1))
        await peer.until(b"/three")


async def test_behind_an_upgrade_that_is_not_known_nothing_more_is_promised() -> None:
    """The parser drops what came with it: a client that sees the end sends it again."""

    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(request.raw_path.encode(), 200, {}).send(request)

    unknown = UPGRADE.replace(b"websocket", b"h2c")
    async with served(answer) as peer:
        peer.writer.write(unknown.replace(b"/", b"/one", 1) + GET.replace(b"/", b"/two", 1))
        said = await peer.rest()
    assert said.endswith(b"/one")
    assert b"\r\nConnection: close\r\n" in said


async def test_a_connection_without_a_request_is_closed_after_its_time() -> None:
    async def answer(request: Request, _: BaseException | None) -> None:
        await HttpAnswer(b"done", 200, {}).send(request)

    async with served(answer, keepalive_timeout=0.05) as peer:
        peer.writer.write(GET)
        assert (await peer.rest()).endswith(b"done")


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

    async def answer(request: Request, _: BaseException | None) -> None:
        socket = Watched()
        sockets.append(socket)
        await socket.prepare(request)
        assert isinstance(socket.parser, WebSocketReader)
        assert not peer.handler.speaks_http
        kinds.append((await socket.receive()).type)
        kinds.append((await socket.receive()).type)
        over.set()
        request.close_behind()

    async with served(answer) as peer:
        peer.writer.write(UPGRADE)
        assert b"101" in await peer.until(b"\r\n\r\n")
        peer.writer.write(b"\x81\x82\0\0\0\0hi")
        await until(lambda: bool(kinds))
        peer.writer.write(b"no")
        await until(over.is_set)
    assert kinds == [WSMsgType.TEXT, WSMsgType.ERROR]
    assert sockets[0].counted == 10


async def test_after_a_frame_that_cannot_be_read_it_is_open_until_it_has_been_served() -> None:
    read_why = asyncio.Event()
    kinds: list[WSMsgType] = []

    async def answer(request: Request, _: BaseException | None) -> None:
        socket = Watched()
        await socket.prepare(request)
        kinds.append((await socket.receive()).type)
        assert request.transport is not None
        assert not request.transport.is_closing()
        await read_why.wait()
        request.close_behind()

    async with served(answer) as peer:
        peer.writer.write(UPGRADE)
        assert b"101" in await peer.until(b"\r\n\r\n")
        # A reserved opcode, and what stands behind it.
        peer.writer.write(b"\x83\x80\0\0\0\0" + b"more" * 1000)
        assert await peer.until(b"\x03\xea") == b"\x88\x02\x03\xea"
        read_why.set()
        assert await peer.rest() == b""
    assert kinds == [WSMsgType.ERROR]


async def test_a_pong_that_is_late_is_waited_for_as_often_as_we_say() -> None:
    kinds: list[WSMsgType] = []
    sockets: list[Watched] = []

    async def answer(request: Request, _: BaseException | None) -> None:
        socket = Watched(heartbeat=0.02, patience=3)
        sockets.append(socket)
        await socket.prepare(request)
        kinds.append((await socket.receive()).type)
        request.close_behind()

    async with served(answer) as peer:
        peer.writer.write(UPGRADE)
        assert b"101" in await peer.until(b"\r\n\r\n")
        async with asyncio.timeout(DEADLINE_S):
            await peer.reader.read()
        await until(lambda: bool(kinds))
    assert kinds == [WSMsgType.ERROR]
    assert sockets[0].patience == -1


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

    async def answer(request: Request, error: BaseException | None) -> None:
        errors.append(error)
        assert request.version == HttpVersion11, "the stand-in speaks our version"
        request.put(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with served(answer) as peer:
        peer.writer.write(head)
        assert b" 400 " in await peer.until(b"\r\n\r\n")
        async with asyncio.timeout(DEADLINE_S):
            assert await peer.reader.read() == b"", "and nothing can be read behind it"
    assert [error and (line_limit(error), too_many_headers(error)) for error in errors] == [(limit, many)]


def test_other_errors_are_neither() -> None:
    assert line_limit(LineTooLong(b"x")) is None
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
