"""The balancer in front of real gateways: what clients see while replicas come, go, hang and break."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing import passing
from openclaw_gateway.testing.balancer import Balancer, Place, _status, balancing
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, says
from tests.doors.chat import CHAT, user

JSON = {"Content-Type": "application/json"}
NEVER_S = 3600.0
DEADLINE_S = 20


@contextlib.asynccontextmanager
async def replicas(models: ModelServer, *names: str) -> AsyncIterator[list[RunningGateway]]:
    """Gateways, of which each has a model of its own name, which says it."""
    async with contextlib.AsyncExitStack() as stack:
        for name in names:
            models.script(name, says(name))
        yield [
            await stack.enter_async_context(running_gateway(model_config(models.base_url, model=name)))
            for name in names
        ]


def client(gateway: RunningGateway, url: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        url, headers=gateway.headers, connector=aiohttp.TCPConnector(limit=1), read_bufsize=1 << 20
    )


@contextlib.asynccontextmanager
async def in_front(
    *gateways: RunningGateway, look_s: float = 0.01
) -> AsyncIterator[tuple[aiohttp.ClientSession, Balancer]]:
    """A client that comes through the balancer, and the balancer."""
    async with (
        balancing([gateway.url for gateway in gateways], look_s=look_s) as (url, balancer),
        client(gateways[0], url) as session,
    ):
        yield session, balancer


def question(text: str = "hi", **more: Any) -> dict[str, Any]:
    return {"model": "openclaw", "messages": [user(text)], **more}


async def answer(session: aiohttp.ClientSession, body: Any = None, **options: Any) -> str:
    async with session.post(CHAT, json=body or question(), **options) as response:
        told = await response.json()
        assert response.status == 200, told
        return str(told["choices"][0]["message"]["content"])


async def streamed(session: aiohttp.ClientSession) -> bytes:
    async with session.post(CHAT, json=question(stream=True)) as response:
        return await response.read()


async def test_each_request_of_one_connection_goes_to_the_next(models: ModelServer) -> None:
    async with replicas(models, "one", "two") as both, in_front(*both) as (session, _):
        said = [await answer(session) for _ in range(4)]
    assert said[:2] == said[2:]
    assert {*said} == {"one", "two"}


async def test_a_stream_comes_as_it_is_said_and_who_leaves_ends_his_run(models: ModelServer) -> None:
    gate = asyncio.Event()
    async with replicas(models, "one") as (one,), in_front(one) as (session, _):
        models.script("one", says("first ", Hold(gate), "last"), says("never ", Hang()))
        async with session.post(CHAT, json=question(stream=True)) as response:
            seen = b""
            async with asyncio.timeout(DEADLINE_S):
                while b"first" not in seen:
                    seen += await response.content.readany()
            assert b"last" not in seen
            gate.set()
            assert b"[DONE]" in await response.read()
        async with session.post(CHAT, json=question(stream=True)) as response:
            await response.content.readany()
            await one.wait_runs(1)
            response.close()
        await one.wait_no_runs()


async def test_a_replica_that_drains_ends_its_streams_and_is_asked_nothing(models: ModelServer) -> None:
    gate = asyncio.Event()
    async with replicas(models, "one", "two") as (one, two):
        models.script("one", says("begun ", Hold(gate), "ended"))
        async with in_front(one, two) as (session, balancer), client(two, str(session._base_url)) as other:
            streams = [asyncio.create_task(streamed(each)) for each in (session, other)]
            await one.wait_runs(1)
            drain = asyncio.create_task(one.daemon.drain())
            await balancer.wait_ready(1)
            async with in_front(one, two) as (third, _):
                assert {await answer(third) for _ in range(4)} == {"two"}
            gate.set()
            assert any(b"ended" in said for said in await asyncio.gather(*streams))
            await drain


@pytest.mark.parametrize("body", [question(), question("x" * 100_000)], ids=["small", "large"])
async def test_a_refusal_before_the_balancer_has_looked_is_none(models: ModelServer, body: Any) -> None:
    """Whoever asks in the moment in which a replica begins to drain is answered by the other one."""
    gate = asyncio.Event()
    async with replicas(models, "one", "two") as both, in_front(*both, look_s=NEVER_S) as (session, balancer):
        one, two = both
        models.script("one", says("begun ", Hold(gate), "ended"))
        async with client(one, one.url) as direct:
            running = asyncio.create_task(answer(direct))
            await one.wait_runs(1)
            drain = asyncio.create_task(one.daemon.drain())
            async with asyncio.timeout(DEADLINE_S):
                while await _status(Place.of(one.url)) == 200:
                    pass
            assert {await answer(session, body) for _ in range(2)} == {"two"}
            assert [*balancer.ready] == [Place.of(two.url)]
            gate.set()
            assert await running == "begun ended"
            await drain


async def test_one_that_is_gone_is_passed_by(models: ModelServer) -> None:
    async with replicas(models, "one", "two") as both, in_front(*both, look_s=NEVER_S) as (session, _):
        await both[0].daemon.close()
        assert {await answer(session) for _ in range(4)} == {"two"}


async def test_one_that_comes_back_is_asked_again(models: ModelServer) -> None:
    async with replicas(models, "two") as (two,), contextlib.AsyncExitStack() as stack:
        models.script("one", says("one"))
        one = await stack.enter_async_context(running_gateway(model_config(models.base_url, model="one")))
        place = Place.of(one.url)
        async with in_front(one, two) as (session, balancer):
            await stack.aclose()
            await balancer.wait_ready(1)
            again = running_gateway(model_config(models.base_url, model="one"), port=place.port)
            await stack.enter_async_context(again)
            await balancer.wait_ready(2)
            assert {await answer(session) for _ in range(2)} == {"one", "two"}


async def test_a_503_of_one_that_stays_is_passed_on(models: ModelServer) -> None:
    """Another replica would say the same."""
    full = {"gateway": {"limits": {"maxRuns": 1}}}
    models.script("m", says("never", Hang()))
    config = model_config(models.base_url, full, model="m")
    async with running_gateway(config) as one, in_front(one) as (session, balancer):
        async with client(one, one.url) as direct, direct.post(CHAT, json=question(stream=True)) as response:
            await response.content.readany()
            async with session.post(CHAT, json=question()) as refused:
                assert (refused.status, (await refused.json())["error"]["code"]) == (503, "overloaded")
            response.close()
        assert len(balancer.ready) == 1


async def test_without_a_replica_it_says_so(models: ModelServer) -> None:
    async with replicas(models, "one") as (one,):
        await one.daemon.close()
        async with (
            in_front(one) as (session, _),
            session.post(CHAT, json=question("x" * 300_000)) as response,
        ):
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
            assert (await response.json())["error"]["code"] == "no_replica"


async def test_the_websocket_passes(models: ModelServer) -> None:
    async with (
        replicas(models, "one") as (one,),
        in_front(one) as (session, _),
        session.ws_connect("/") as socket,
    ):
        told = await socket.receive_json(timeout=DEADLINE_S)
        assert told["event"] == "connect.challenge"
        await socket.send_str("no frame of ours")
        closed = await socket.receive(timeout=DEADLINE_S)
        assert closed.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.TEXT)


async def test_a_body_passes_whole_and_after_a_word_of_the_replica(models: ModelServer) -> None:
    async with replicas(models, "one") as (one,), in_front(one) as (session, _):
        large = io.BytesIO(msgspec.json.encode(question("x" * 3_000_000)))
        async with session.post(CHAT, data=large, headers=JSON, expect100=True) as response:
            assert response.status == 200
        await answer(session)
    assert len(models.requests[0].body["messages"][-1]["content"]) == 3_000_000


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def broken(serve: Serve, *, ready: bytes = b"200 OK") -> AsyncIterator[Place]:
    """A replica that says so of itself, and does to every other request what `serve` does."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /ready "):
                writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % ready)
            else:
                await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield Place(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()


async def test_an_answer_that_was_cut_is_not_taken_for_whole() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    async with (
        broken(serve) as place,
        opened(Balancer([place])) as url,
        aiohttp.ClientSession(url) as session,
        session.get("/") as response,
    ):
        with pytest.raises(aiohttp.ClientPayloadError):
            async with asyncio.timeout(DEADLINE_S):
                await response.read()


async def test_one_that_is_not_ready_is_asked_nothing_though_it_would_answer() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        broken(serve, ready=b"503 Service Unavailable") as place,
        opened(Balancer([place])) as url,
        aiohttp.ClientSession(url) as session,
        session.get("/") as response,
    ):
        assert response.status == 503


async def test_one_that_dies_before_its_answer_is_not_repeated() -> None:
    asked = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1

    async with (
        broken(serve) as place,
        broken(serve) as other,
        opened(Balancer([place, other])) as url,
        aiohttp.ClientSession(url) as session,
        session.post("/", data=b"x") as response,
    ):
        assert (response.status, (await response.json())["error"]["code"]) == (502, "replica_lost")
    assert asked == 1


async def test_one_that_says_nothing_for_long_loses_its_requests() -> None:
    hangs = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        server.close()  # nobody answers `/ready` any more
        hangs.set()
        await reader.read()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET /ready "):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    place = Place(*server.sockets[0].getsockname()[:2])
    async with (
        opened(Balancer([place], look_s=0.01, gone_s=0.05)) as url,
        aiohttp.ClientSession(url) as session,
        session.get("/") as response,
    ):
        await hangs.wait()
        with pytest.raises(aiohttp.ClientPayloadError):
            async with asyncio.timeout(DEADLINE_S):
                await response.read()


@pytest.mark.parametrize(
    "sent",
    [
        b"no request\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(sent: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with broken(serve) as place, opened(Balancer([place])) as url:
        told = await said_to(url, sent)
    assert told.startswith(b"HTTP/1.1 400 Bad Request\r\n")


UPGRADE = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"
BEHIND = b"GET /behind HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    ("answered", "passes"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n", BEHIND),
    ],
    ids=["refused", "switched"],
)
async def test_what_stands_behind_an_upgrade_passes_when_the_replica_has_switched(
    answered: bytes, passes: bytes
) -> None:
    """Else it would be a request of which the balancer has not said whose it is."""
    got, ended = b"", asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        try:
            writer.write(answered)
            while len(got) < len(BEHIND) and (piece := await reader.read(1000)):
                got += piece
        finally:
            ended.set()

    async with broken(serve) as place, opened(Balancer([place])) as url:
        told = await said_to(url, UPGRADE + BEHIND)
        async with asyncio.timeout(DEADLINE_S):
            await ended.wait()
    assert told.startswith(answered[:12])
    assert got == passes


@pytest.mark.parametrize(
    "answered",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"no answer\r\n\r\n",
    ],
)
async def test_an_answer_that_can_be_read_in_two_ways_is_not_the_clients_fault(answered: bytes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answered)

    async with broken(serve) as place, opened(Balancer([place])) as url:
        told = await said_to(url, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b"replica_lost" in told


async def test_a_client_that_reads_nothing_holds_no_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "IDLE_S", 0.05)
    left = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x" * 100_000)
                await writer.drain()
        finally:
            left.set()

    async with broken(serve) as place, opened(Balancer([place])) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]), limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        async with asyncio.timeout(DEADLINE_S):
            await left.wait()
        assert reader.exception() is None
        writer.transport.abort()


async def said_to(url: str, sent: bytes) -> bytes:
    """All that comes back on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        writer.write(sent)
        async with asyncio.timeout(DEADLINE_S):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def opened(balancer: Balancer) -> AsyncIterator[str]:
    try:
        yield await balancer.open()
    finally:
        await balancer.close()
