"""Limits of connections, bodies and providers, each set low and then reached."""

import asyncio
import socket

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import ask, say
from tests.doors.raw import wire

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.promise("limit.keepAliveSeconds")
async def test_an_idle_connection_is_closed(models: ModelServer) -> None:
    short = {"gateway": {"limits": {"keepAliveSeconds": 0.1}}}
    async with running_gateway(model_config(models.base_url, short)) as gateway, wire(gateway) as raw:
        raw.send(HEALTH)
        assert (await raw.answer()).status == 200
        assert await raw.closed() == b""


@pytest.mark.promise("limit.maxConnections", "limit.maxConnectionsPerAddress", "overload")
@pytest.mark.parametrize("limit", ["maxConnections", "maxConnectionsPerAddress"])
async def test_a_connection_too_many_gets_an_answer(models: ModelServer, limit: str) -> None:
    two = {"gateway": {"limits": {limit: 2}}}
    async with running_gateway(model_config(models.base_url, two)) as gateway:
        async with wire(gateway) as first, wire(gateway) as second:
            for raw in (first, second):
                raw.send(HEALTH)
                assert (await raw.answer()).status == 200
            async with wire(gateway) as third:
                answer = await third.answer()
            assert (answer.status, answer.code) == (503, "overloaded")
            assert b"Retry-After" in answer.head
        async with asyncio.timeout(5):
            while True:  # the gateway hears a moment later that the two are gone
                async with wire(gateway) as later:
                    later.send(HEALTH)
                    if (await later.answer()).status == 200:
                        break


@pytest.mark.promise("limit.maxJsonDepth", "error.json_too_deep")
@pytest.mark.parametrize(("depth", "status"), [(64, 200), (65, 400)])
async def test_a_body_may_be_64_deep(gateway: RunningGateway, depth: int, status: int) -> None:
    inner = b"[" * (depth - 1) + b"]" * (depth - 1)
    answer = await ask(gateway, b'{"messages":[{"role":"user","content":"hi"}],"x":' + inner + b"}")
    assert answer.status == status
    if status == 400:
        assert answer.error["code"] == "json_too_deep"


@pytest.mark.promise("limit.upstreamConnectSeconds", "error.provider_timeout")
async def test_a_provider_that_does_not_take_the_connection(models: ModelServer) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [_knocks(full.getsockname()) for _ in range(8)]  # more than it has places
        limits = {"gateway": {"limits": {"upstreamConnectSeconds": 0.1}}}
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        async with running_gateway(model_config(url, limits)) as gateway:
            answer = await say(gateway, "hi")
        for client in waiting:
            client.close()
    assert (answer.status, answer.error["code"]) == (504, "provider_timeout")


def _knocks(address: tuple[str, int]) -> socket.socket:
    client = socket.socket()
    client.setblocking(False)  # noqa: FBT003
    client.connect_ex(address)
    return client
