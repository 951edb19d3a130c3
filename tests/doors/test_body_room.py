"""All request bodies together: bounded, counted until they are answered, and given back whatever happens."""

import asyncio

import pytest

from openclaw_gateway.doors.body_room import BodyRoom
from openclaw_gateway.errors import Overloaded
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.testing.replies import hangs
from tests.doors.chat import ask
from tests.doors.raw import Wire, wire

BODY = b'{"messages":[{"role":"user","content":"%s"}]}' % (b"x" * 6000)
HEAD = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n{}\r\n\r\n"
LENGTH = f"Content-Length: {len(BODY)}"
ROOM = {"gateway": {"limits": {"maxBodiesBytes": 10_000}}}


def test_what_is_taken_counts_until_it_is_given_back() -> None:
    room = BodyRoom()
    room.take(6, 10)
    with pytest.raises(Overloaded, match="maxBodiesBytes"):
        room.take(5, 10)
    assert room.taken == 6
    room.take(4, 10)
    room.give_back(6)
    room.take(5, 10)
    assert room.taken == 9


def test_a_body_alone_always_has_room() -> None:
    """Else one that maxBodyBytes allows would be told to come back for ever."""
    room = BodyRoom()
    room.take(100, 10)
    with pytest.raises(Overloaded):
        room.take(1, 10)


def post(raw: Wire, gateway: RunningGateway, header: str) -> None:
    raw.send(HEAD.format(gateway.token, header).encode())


@pytest.mark.promise("limit.maxBodiesBytes", "overload")
async def test_a_body_that_has_no_room_is_refused_unread(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url, ROOM)) as gateway:
        async with wire(gateway) as first:
            # Its body never comes: what it has announced counts.
            post(first, gateway, f"{LENGTH}\r\nExpect: 100-continue")
            await first.until(b"100 Continue\r\n\r\n")
            async with wire(gateway) as second:
                post(second, gateway, f"{LENGTH}\r\nExpect: 100-continue")
                answer = await second.answer()
                assert (answer.status, answer.code) == (503, "overloaded")
                assert b"Retry-After: 1\r\n" in answer.head
        assert not models.requests
        assert await answered(gateway)


async def test_a_body_of_unknown_length_counts_as_it_comes(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url, ROOM)) as gateway, wire(gateway) as first:
        post(first, gateway, f"{LENGTH}\r\nExpect: 100-continue")
        await first.until(b"100 Continue\r\n\r\n")
        async with wire(gateway) as second:
            post(second, gateway, "Transfer-Encoding: chunked\r\nExpect: 100-continue")
            await second.until(b"100 Continue\r\n\r\n")
            second.send(b"%x\r\n%s\r\n" % (len(BODY), BODY))
            assert (await second.answer()).code == "overloaded"


async def test_a_body_counts_until_its_answer_has_ended(models: ModelServer) -> None:
    models.script("mock-echo", hangs())
    async with running_gateway(model_config(models.base_url, ROOM)) as gateway:
        running = asyncio.create_task(ask(gateway, BODY))
        await models.wait_requests(1)
        assert (await ask(gateway, BODY)).status == 503
        running.cancel()
        await asyncio.wait([running])
        await gateway.wait_no_runs()
        models.script("mock-echo")
        assert await answered(gateway)


async def test_what_was_refused_or_wrong_takes_no_room(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url, ROOM)) as gateway:
        for _ in range(3):
            assert (await ask(gateway, BODY.replace(b'"user"', b'"nobody"'))).status == 400
            assert (await ask(gateway, BODY)).status == 200


async def answered(gateway: RunningGateway) -> bool:
    """Whether a body has room again; the gateway hears a moment later that a client has gone."""
    async with asyncio.timeout(5):
        while (await ask(gateway, BODY)).status != 200:
            pass
    return True
