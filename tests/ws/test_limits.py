"""What a connection may not do: too much, too often, the wrong kind, and never reading."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from openclaw_gateway.doors.ws.connection import Timing
from openclaw_gateway.doors.ws.dispatch import MAX_CALLS
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, hangs
from tests.doors.logged import logged
from tests.ws.peer import DEADLINE_S, Door, connect_params, connected, dial, door, request, ws_tasks


@pytest.fixture
async def narrow(models: ModelServer) -> AsyncIterator[RunningGateway]:
    """A gateway with small limits and a large list of models."""
    many = [{"id": f"model-{number}", "name": "x" * 500} for number in range(2000)]
    more = {
        "gateway": {
            "limits": {
                "maxWsFrameBytes": 100_000,
                "wsMessagesPerSecond": 0.001,
                "wsBurst": 20,
                "readerStallSeconds": 0.2,
            }
        },
        "models": {"providers": {"mock": {"models": many}}},
    }
    async with running_gateway(model_config(models.base_url, more)) as running:
        yield running


@contextlib.asynccontextmanager
async def asking(
    opened: Door, gateway: RunningGateway, *, answers: int = 2
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare socket that has asked for so many answers of a megabyte each, and read nothing of them."""
    bare = socket.socket()
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    bare.setblocking(False)  # noqa: FBT003
    host, port = opened.url.removeprefix("ws://").rstrip("/").split(":")
    await asyncio.get_running_loop().sock_connect(bare, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=bare, limit=16_384)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    asked = [request(str(number), "models.list") for number in range(1, answers + 1)]
    for frame in (request("0", "connect", connect_params(gateway.token)), *asked):
        data = msgspec.json.encode(frame)
        # Masked with zeros: what RFC 6455 asks of clients, without changing a byte.
        writer.write(b"\x81\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.promise("limit.maxWsFrameBeforeConnectBytes")
async def test_a_frame_before_connect_is_at_most_64_kib(gateway: RunningGateway) -> None:
    async with dial(gateway.ws_url) as peer:
        await peer.event("connect.challenge")
        await peer.send(request("1", "connect", connect_params(gateway.token, userAgent="x" * 70_000)))
        assert await peer.close_code() == 1009


async def test_many_frames_before_connect_together_are_as_well(gateway: RunningGateway) -> None:
    async with dial(gateway.ws_url) as peer:
        await peer.event("connect.challenge")
        for _ in range(5):
            await peer.socket.send_frame(b"x" * 20_000, aiohttp.WSMsgType.PING)
        assert await peer.close_code() in (1002, 1009)


async def test_a_large_frame_after_connect_is_fine(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        error = await peer.error("agent", {"message": "x" * 1_000_000})
        assert error["message"] == "invalid agent params: must have required property 'idempotencyKey'"


@pytest.mark.promise("limit.maxWsFrameBytes")
async def test_a_frame_after_connect_has_a_limit_too(narrow: RunningGateway) -> None:
    async with connected(narrow) as peer:
        await peer.send(request("1", "agent", {"message": "x" * 100_000}))
        assert await peer.close_code() == 1009


async def test_who_is_still_sending_a_frame_that_is_too_large_reads_why_it_is_closed(
    narrow: RunningGateway,
) -> None:
    async with connected(narrow) as peer:
        await peer.send(request("1", "agent", {"message": "x" * 30_000_000}))
        assert await peer.close_code() == 1009


@pytest.mark.promise("limit.wsMessagesPerSecond", "limit.wsBurst")
async def test_too_many_messages(narrow: RunningGateway) -> None:
    async with connected(narrow) as peer:
        for _ in range(19):
            assert await peer.error("nosuch")
        await peer.send(request("1", "health"))
        assert await peer.close_code() == 1008
        assert "messages a second" in peer.reason


async def test_pings_count_as_messages(narrow: RunningGateway) -> None:
    async with connected(narrow) as peer:
        for _ in range(20):
            await peer.socket.ping()
        assert await peer.close_code() == 1008


async def test_a_ping_is_answered(gateway: RunningGateway) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(gateway.ws_url, autoping=False) as ws:
        assert (await ws.receive()).type is aiohttp.WSMsgType.TEXT
        await ws.ping(b"there?")
        pong = await ws.receive(timeout=DEADLINE_S)
        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"there?")


async def test_binary_frames_are_refused(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        await peer.socket.send_bytes(b"{}")
        assert await peer.close_code() == 1003


async def test_text_that_is_not_utf_8_is_answered(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        frame = b'{"type":"req","id":"\xff","method":"health"}'
        await peer.socket.send_frame(frame, aiohttp.WSMsgType.TEXT)
        assert not (await peer.answer("invalid"))["ok"]
        assert await peer.result("health")


async def test_compression_is_not_agreed_to(gateway: RunningGateway) -> None:
    async with dial(gateway.ws_url, compress=15) as peer:
        assert not peer.socket.compress


@pytest.mark.promise("limit.maxBodiesBytes")
async def test_large_frames_count_until_they_are_answered(models: ModelServer) -> None:
    models.script("mock-echo", hangs())
    config = model_config(models.base_url, {"gateway": {"limits": {"maxBodiesBytes": 500_000}}})
    asked = {"message": "x" * 400_000, "sessionKey": "talk"}
    async with running_gateway(config) as gateway, connected(gateway) as other:
        async with connected(gateway) as peer:
            await peer.send(request("1", "agent", {**asked, "idempotencyKey": "first"}))
            await models.wait_requests(1)
            error = await other.error("agent", {**asked, "idempotencyKey": "second"})
            assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)
            assert "maxBodiesBytes" in error["message"]
        # What a client that has left has sent counts no more; its run goes on.
        async with asyncio.timeout(DEADLINE_S):
            while not (await other.call("chat.send", {**asked, "idempotencyKey": "third"}))["ok"]:
                pass
        for run in ("third", "first"):
            assert (await other.result("chat.abort", {"runId": run}))["aborted"]
        await gateway.wait_no_runs()


async def test_the_loop_goes_on_while_a_large_frame_is_read(gateway: RunningGateway) -> None:
    """Also while its brackets are counted, of which there are millions."""
    frame = '{"type":"req","id":"1","method":"health","params":{"a":[' + "[]," * 2_000_000 + "[]]}}"
    loop = asyncio.get_running_loop()
    async with connected(gateway) as peer:
        await peer.send(frame)
        began = last = loop.time()
        longest = 0.0
        answer = asyncio.create_task(peer.answer("1"))
        while not answer.done():
            await asyncio.sleep(0)
            now = loop.time()
            longest, last = max(longest, now - last), now
        assert (await answer)["ok"]
    assert longest < (last - began) / 2


async def test_too_many_calls_at_once(models: ModelServer) -> None:
    config = model_config(models.base_url, {"gateway": {"limits": {"wsBurst": 1000}}})
    async with running_gateway(config) as gateway, connected(gateway) as peer:
        for number in range(MAX_CALLS):
            await peer.send(request(str(number), "agent.wait", {"runId": "nobody"}))
        error = await peer.error("health")
        assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)


@pytest.mark.promise("limit.readerStallSeconds")
async def test_a_reader_that_takes_nothing_is_dropped(narrow: RunningGateway) -> None:
    async with door(narrow.gateway, Timing()) as opened, asking(opened, narrow) as (_, writer):
        await opened.wait_served()
        assert ws_tasks() == set()
        writer.transport.abort()


@pytest.mark.promise("limit.maxWsBufferedBytes")
async def test_pongs_that_wait_for_a_client_count_too(models: ModelServer) -> None:
    """Each ping is a sign of life, and a reader that takes a little now and then has not stalled."""
    limits = {"maxWsBufferedBytes": 200_000, "readerStallSeconds": 3600}
    many = {"wsMessagesPerSecond": 1_000_000, "wsBurst": 1_000_000}
    config = model_config(models.base_url, {"gateway": {"limits": limits | many}})
    # Masked with zeros, too.
    pings = (b"\x89\xfd" + bytes(4) + bytes(125)) * 100
    async with (
        running_gateway(config) as gateway,
        door(gateway.gateway, Timing()) as opened,
        asking(opened, gateway, answers=0) as (reader, writer),
    ):
        async with asyncio.timeout(DEADLINE_S):
            await reader.readuntil(b"hello-ok")
        with logged() as log, contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_S):
                while opened.served.locked():
                    writer.write(pings)
                    await writer.drain()
                    await asyncio.sleep(0)
        (line,) = log.lines("ws.slow_consumer")
        assert 200_000 < line["owed"] < 220_000
        writer.transport.abort()


async def test_a_reader_that_is_slow_is_not(narrow: RunningGateway) -> None:
    async with door(narrow.gateway, Timing()) as opened, asking(opened, narrow) as (reader, writer):
        received = 0
        never = asyncio.get_running_loop().create_future()
        began = asyncio.get_running_loop().time()
        # A megabyte in small sips takes several times what counts as stalled.
        while received < 1_000_000:
            async with asyncio.timeout(DEADLINE_S):
                received += len(await reader.read(16_384))
            await asyncio.wait([never], timeout=0.01)
        assert asyncio.get_running_loop().time() - began > 2 * narrow.gateway.limits.reader_stall_s
        assert opened.served.locked()
        writer.transport.abort()
        await opened.wait_served()
