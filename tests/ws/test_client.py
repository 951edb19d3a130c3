"""The project's own client: what it brings, and what it says when something is not as it should be."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey

from openclaw_gateway.client.address import Address
from openclaw_gateway.client.call import AgentCall
from openclaw_gateway.client.connection import GatewayClient
from openclaw_gateway.client.errors import (
    AnswerTimeout,
    AuthRefused,
    ConnectionLost,
    GatewayUnreachable,
    ProtocolMismatch,
    RemoteError,
)
from openclaw_gateway.doors.ws.connection import Timing
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from openclaw_gateway.wire.frames import AgentEvent
from tests.ws.peer import DEADLINE_S, door, ws_tasks


@pytest.fixture
async def client(gateway: RunningGateway) -> AsyncIterator[GatewayClient]:
    async with GatewayClient(gateway.ws_url, token=gateway.token) as connected:
        yield connected


@contextlib.asynccontextmanager
async def impostor(
    talk: Callable[[web.WebSocketResponse], Awaitable[None]],
) -> AsyncIterator[str]:
    """Something that speaks WebSocket and says what it likes."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await talk(ws)
        return ws

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_hello_and_a_request(client: GatewayClient) -> None:
    assert client.hello.protocol == 4
    assert "agent" in client.hello.features.methods
    assert (await client.request("agents.list"))["defaultId"] == "main"


async def test_a_run(models: ModelServer, client: GatewayClient) -> None:
    models.enqueue(says("Hel", "lo."))
    async with client.agent({"message": "hi"}) as call:
        assert (await call.accepted())["runId"] == call.run_id
        events = [event async for event in call]
        answer = await call.result()
    assert answer["payloads"][0]["text"] == "Hello."
    assert [event.stream for event in events][:2] == ["lifecycle", "lifecycle"]
    assert "".join(event.data["delta"] for event in events if event.stream == "assistant") == "Hello."
    assert events[-1].data["phase"] == "end"
    assert (await client.request("agent.wait", {"runId": call.run_id}))["status"] == "ok"


async def test_a_run_may_be_left_and_stopped(models: ModelServer, client: GatewayClient) -> None:
    models.enqueue(says("par", Hold(asyncio.Event())))
    async with client.agent({"message": "hi", "idempotencyKey": "mine"}) as call:
        async for event in call:
            if event.stream == "assistant":
                break
    assert call.run_id == "mine"
    assert (await client.request("chat.abort", {"runId": "mine"}))["aborted"] is True
    await models.wait_aborted(1)


async def test_runs_side_by_side(client: GatewayClient) -> None:
    async def say(text: str) -> str:
        async with client.agent({"message": text, "sessionKey": text}) as call:
            said = "".join([e.data["delta"] async for e in call if e.stream == "assistant"])
            assert said == (await call.result())["payloads"][0]["text"]
            return said

    texts = [f"text{number}" for number in range(20)]
    assert await asyncio.gather(*map(say, texts)) == texts


async def test_a_refused_run(client: GatewayClient) -> None:
    async with client.agent({"message": "hi", "agentId": "nobody"}) as call:
        assert [event async for event in call] == []
        with pytest.raises(RemoteError) as refusal:
            await call.accepted()
        with pytest.raises(RemoteError):
            await call.result()
    error = refusal.value
    assert (error.code, error.http_status, error.param) == ("agent_not_found", 400, "agentId")
    assert error.kind == "INVALID_REQUEST"
    assert not error.retryable


@pytest.mark.promise("error.remote_error")
async def test_a_remote_error(client: GatewayClient) -> None:
    with pytest.raises(RemoteError, match="unknown method: nosuch"):
        await client.request("nosuch")
    assert await client.request("health")


@pytest.mark.promise("error.answer_timeout")
async def test_an_answer_that_does_not_come_in_time(client: GatewayClient) -> None:
    with pytest.raises(AnswerTimeout):
        await client.request("agent.wait", {"runId": "nobody"}, timeout_s=0.01)
    assert await client.request("health")


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_a_wrong_secret(gateway: RunningGateway, token: str | None) -> None:
    with pytest.raises(AuthRefused) as refusal:
        async with GatewayClient(gateway.ws_url, token=token):
            pass
    assert (refusal.value.code, refusal.value.http_status) == ("invalid_api_key", 401)


@pytest.mark.promise("error.gateway_unreachable")
async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(GatewayUnreachable) as failure:
        async with GatewayClient(f"ws://user:secret@127.0.0.1:{port}/?token=secret"):
            pass
    message = failure.value.message
    assert message.startswith(f"Gateway not reachable at ws://127.0.0.1:{port}/")
    assert "openclaw gateway run" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:18789", "http://127.0.0.1:1", "ws://", "ws://[", "ws://x:99999999"]
)
async def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(GatewayUnreachable, match=r"ws://127\.0\.0\.1:18789"):
        async with GatewayClient(url):
            pass


async def test_a_plain_gateway_does_not_speak_tls(gateway: RunningGateway) -> None:
    with pytest.raises(GatewayUnreachable, match="does not speak TLS"):
        async with GatewayClient(gateway.ws_url.replace("ws://", "wss://")):
            pass


def test_why_there_is_no_connection_is_told() -> None:
    key = ConnectionKey("x", 1, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)
    why: dict[Exception, str] = {
        aiohttp.ClientConnectorDNSError(key, OSError()): "no such name is known",
        aiohttp.ClientConnectorCertificateError(key, ValueError()): "does not trust its certificate",
        aiohttp.ClientConnectorError(key, OSError()): "nothing listens there",
    }
    for error, told in why.items():
        assert told in Address("wss://x:1").unopened(error).message


async def test_somebody_else_listens(models: ModelServer) -> None:
    with pytest.raises(GatewayUnreachable, match="HTTP 200"):
        async with GatewayClient(f"ws://127.0.0.1:{models.port}/none"):
            pass


@pytest.mark.parametrize(
    "said",
    [
        "hello",
        '{"type":"res","id":"1","ok":true,"payload":{}}',
        '{"type":"res","id":"1","ok":true,"payload":1}',
    ],
)
async def test_another_language_is_spoken(said: str) -> None:
    async def talk(ws: web.WebSocketResponse) -> None:
        await ws.send_str(said)
        await ws.receive()

    async with impostor(talk) as url:
        with pytest.raises(ConnectionLost, match="does not speak"):
            async with GatewayClient(url):
                pass


@pytest.mark.promise("error.PROTOCOL_MISMATCH")
async def test_a_gateway_of_another_age() -> None:
    async def talk(ws: web.WebSocketResponse) -> None:
        await ws.send_str(
            '{"type":"res","id":"1","ok":false,"error":{"code":"INVALID_REQUEST","message":"mismatch",'
            '"details":{"code":"PROTOCOL_MISMATCH","expectedProtocol":9}}}'
        )
        await ws.receive()

    async with impostor(talk) as url:
        with pytest.raises(ProtocolMismatch) as refusal:
            async with GatewayClient(url):
                pass
    assert refusal.value.code == "protocol_mismatch"
    assert refusal.value.details["expectedProtocol"] == 9


async def test_silence_instead_of_a_greeting() -> None:
    async def talk(ws: web.WebSocketResponse) -> None:
        await ws.receive()
        await ws.receive()

    async with impostor(talk) as url:
        with pytest.raises(GatewayUnreachable, match="in time"):
            async with GatewayClient(url, connect_timeout_s=0.05):
                pass


@pytest.mark.promise("error.connection_lost")
async def test_a_connection_that_ends_in_the_middle(models: ModelServer, gateway: RunningGateway) -> None:
    models.enqueue(says("par", Hold(asyncio.Event())))
    async with (
        GatewayClient(gateway.ws_url, token=gateway.token) as client,
        client.agent({"message": "hi"}) as call,
    ):
        events = aiter(call)
        while (await anext(events)).stream != "assistant":
            pass
        response = client._socket._response
        assert response.connection is not None
        assert response.connection.transport is not None
        response.connection.transport.abort()
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(ConnectionLost, match="was lost"):
                await call.result()
        with pytest.raises(ConnectionLost):
            await client.request("health")


async def test_a_gateway_that_restarts(gateway: RunningGateway) -> None:
    async with GatewayClient(gateway.ws_url, token=gateway.token) as client:
        waiting = asyncio.create_task(client.request("agent.wait", {"runId": "nobody"}))
        await client.request("health")
        await gateway.daemon.drain()
        with pytest.raises(ConnectionLost, match="restarting") as lost:
            await waiting
    assert lost.value.close_code == 1012
    assert lost.value.retryable


async def test_cancelling_who_waits_does_no_harm(client: GatewayClient) -> None:
    waiting = asyncio.create_task(client.request("agent.wait", {"runId": "nobody"}))
    await client.request("health")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await client.request("health")


async def test_closing_leaves_no_task(gateway: RunningGateway) -> None:
    async with door(gateway.gateway, Timing()) as opened:
        async with GatewayClient(opened.url, token=gateway.token) as client:
            assert await client.request("health")
        assert not any(task.get_name().startswith("gateway-client") for task in asyncio.all_tasks())
        await opened.wait_served()
        assert ws_tasks() == set()


async def test_text_nobody_has_read_yet_is_joined() -> None:
    call = AgentCall("r")
    for seq, (stream, delta) in enumerate(
        [("lifecycle", ""), ("assistant", "a"), ("assistant", "b"), ("thinking", "c"), ("assistant", "d")]
    ):
        call.hear(AgentEvent("r", seq, stream, 0, {"delta": delta, "text": delta}))
    call.fail(ConnectionLost("gone"))
    events = [(event.seq, event.stream, event.data["delta"]) async for event in call]
    assert events == [
        (0, "lifecycle", ""),
        (2, "assistant", "ab"),
        (3, "thinking", "c"),
        (4, "assistant", "d"),
    ]
