"""Readers that are slow and readers that have stalled: the rule, and both through real sockets."""

import asyncio
import contextlib
import socket

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.doors.stall import Backlog, Stall, backlog
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.raw import chat_body, post
from tests.ws.peer import connect_params, request

ANSWER = 12_000_000


@pytest.mark.parametrize(
    ("looks", "stalled"),
    [
        # (waiting, taken) once a second, with a limit of three.
        ([(5, 0), (5, 0), (5, 0)], False),
        ([(5, 0), (5, 0), (5, 0), (5, 0)], True),
        ([(0, 9), (0, 9), (0, 9), (0, 9), (0, 9)], False),
        ([(5, 0), (4, 0), (3, 0), (2, 0), (1, 0)], False),
        ([(5, 1), (5, 2), (5, 3), (5, 4), (5, 5)], False),
        ([(5, 1), (6, 2), (7, 3), (8, 4), (9, 5)], False),
        # More to take is nothing taken.
        ([(5, 1), (6, 1), (7, 1), (8, 1)], True),
        ([(5, 1), (5, 1), (0, 6), (5, 6), (5, 6)], False),
        ([(5, 1), (5, 1), (5, 2), (5, 2), (5, 2)], False),
        ([(5, 1), (5, 1), (5, 2), (5, 2), (5, 2), (5, 2)], True),
    ],
)
def test_the_rule(looks: list[tuple[int, int]], *, stalled: bool) -> None:
    stall = Stall(3.0, 0.0)
    seen = [stall.look(Backlog(*look), float(at)) for at, look in enumerate(looks)]
    assert seen[-1] is stalled
    assert not any(seen[:-1])


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 1000)), max_size=50))
def test_who_takes_anything_between_two_looks_never_stalls(steps: list[tuple[int, int]]) -> None:
    stall, taken = Stall(1.0, 0.0), 0
    for at, (waiting, took) in enumerate(steps):
        taken += took
        assert not stall.look(Backlog(waiting, taken), float(at))


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="only Linux says what a peer has taken")
async def test_the_kernel_says_what_the_reader_has_taken() -> None:
    async with asyncio.timeout(10):
        connected: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_server(lambda _, writer: connected.put_nowait(writer), "127.0.0.1", 0)
        reader, client = await asyncio.open_connection(*server.sockets[0].getsockname()[:2], limit=4096)
        writer = await connected.get()
        assert backlog(writer.transport).waiting == 0
        before = backlog(writer.transport).taken
        writer.write(bytes(20_000_000))
        behind = backlog(writer.transport)
        assert behind.waiting > 0
        got = 0
        while got < 10_000_000:
            got += len(await reader.read(1 << 20))
        assert backlog(writer.transport).taken - before >= 10_000_000 - 4096
        client.close()
        writer.transport.abort()
        server.close()
        await server.wait_closed()


@pytest.fixture
def long_answer(models: ModelServer) -> ModelServer:
    models.script("mock-echo", says(*["x" * 100_000] * (ANSWER // 100_000)))
    return models


async def sips(connection: socket.socket, total: int, *, bytes_per_s: int) -> int:
    """Read steadily until there is nothing more, at most `total`; how much it was."""
    loop = asyncio.get_running_loop()
    got = 0
    never = loop.create_future()
    while got < total:
        async with asyncio.timeout(10):
            data = await loop.sock_recv(connection, bytes_per_s // 20)
        if not data:
            break
        got += len(data)
        if bytes_per_s < ANSWER:
            await asyncio.wait([never], timeout=0.05)
    return got


async def dial(gateway: RunningGateway, *sent: bytes) -> socket.socket:
    """A bare socket that has sent these bytes and read nothing."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.setblocking(False)  # noqa: FBT003
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, (host, int(port)))
    for data in sent:
        await loop.sock_sendall(connection, data)
    return connection


def over_http(gateway: RunningGateway, *, stream: bool) -> list[bytes]:
    return [post(gateway, chat_body("hi", stream=stream))]


def over_websocket(gateway: RunningGateway) -> list[bytes]:
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    frames = []
    for frame in (
        request("0", "connect", connect_params(gateway.token)),
        request("1", "agent", {"message": "hi", "idempotencyKey": "k"}),
    ):
        data = msgspec.json.encode(frame)
        # Masked with zeros: what RFC 6455 asks of clients, without changing a byte.
        frames.append(b"\x81\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data)
    return [upgrade, *frames]


def limits(models: ModelServer) -> dict[str, object]:
    return model_config(models.base_url, {"gateway": {"limits": {"readerStallSeconds": 0.5}}})


@pytest.mark.parametrize("way", ["json", "stream", "websocket"])
async def test_a_slow_but_steady_reader_is_not_dropped(long_answer: ModelServer, way: str) -> None:
    """For a second or two not a byte leaves this process: the kernel's buffer is being emptied first."""
    async with running_gateway(limits(long_answer)) as gateway:
        sent = over_websocket(gateway) if way == "websocket" else over_http(gateway, stream=way == "stream")
        with await dial(gateway, *sent) as connection:
            got = await sips(connection, 800_000, bytes_per_s=300_000)
            # All of it comes, not only what the kernel had when the connection was given up.
            got += await sips(connection, ANSWER - got, bytes_per_s=1 << 30)
            assert got >= ANSWER


@pytest.mark.promise("limit.readerStallSeconds")
@pytest.mark.parametrize("way", ["json", "stream", "websocket"])
async def test_a_reader_that_has_stalled_is_dropped(
    long_answer: ModelServer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    stalled = asyncio.Event()
    look = Stall.look

    def heard(stall: Stall, seen: Backlog, now: float) -> bool:
        verdict = look(stall, seen, now)
        if verdict:
            stalled.set()
        return verdict

    monkeypatch.setattr(Stall, "look", heard)
    async with running_gateway(limits(long_answer)) as gateway:
        sent = over_websocket(gateway) if way == "websocket" else over_http(gateway, stream=way == "stream")
        with await dial(gateway, *sent) as connection:
            async with asyncio.timeout(20):
                await stalled.wait()
            got = 0
            with contextlib.suppress(ConnectionError):
                got = await sips(connection, ANSWER, bytes_per_s=1 << 30)
            assert got < ANSWER


async def held_up(gateway: RunningGateway) -> None:
    """Until the one run waits for its reader."""
    await gateway.wait_runs(1)
    (run,) = gateway.gateway._live.running()
    never = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(20):
        while run.readers.waiting is None:
            await asyncio.wait([never], timeout=0.05)


async def test_pipelining_ends_the_run_of_who_reads_nothing_at_once(long_answer: ModelServer) -> None:
    async with running_gateway(model_config(long_answer.base_url)) as gateway:
        (asked,) = over_http(gateway, stream=True)
        with await dial(gateway, asked) as connection:
            await held_up(gateway)
            await asyncio.get_running_loop().sock_sendall(connection, asked)
            await gateway.wait_no_runs()


async def test_a_connection_that_is_being_closed_does_not_wait_for_a_stalled_reader(
    long_answer: ModelServer,
) -> None:
    async with running_gateway(limits(long_answer)) as gateway:
        with await dial(gateway, *over_http(gateway, stream=True)):
            await held_up(gateway)
            listener = gateway.daemon._listener
            assert listener is not None
            (connection,) = listener._server.connections
            connection.force_close()
            await gateway.wait_no_runs()
