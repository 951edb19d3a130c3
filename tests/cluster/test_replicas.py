"""Replicas are real processes that can be killed, paused, ended and started again, each by itself."""

import asyncio
from pathlib import Path

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, says
from tests.cluster.replicas import Replica, answers, headers, replicas

CHAT = "/v1/chat/completions"


async def ask(session: aiohttp.ClientSession, replica: Replica, text: str, user: str) -> str:
    body = msgspec.json.encode({"messages": [{"role": "user", "content": text}], "user": user})
    async with session.post(f"{replica.url}{CHAT}", data=body, headers=headers()) as response:
        assert response.status == 200, await response.text()
        return str((await response.json())["choices"][0]["message"]["content"])


async def test_each_lives_and_dies_by_itself(models: ModelServer, tmp_path: Path) -> None:
    async with (
        replicas(tmp_path, models, names=("a", "b")) as (a, b),
        aiohttp.ClientSession() as session,
    ):
        assert await ask(session, a, "one", "u") == "one"
        await a.kill()
        assert not a.alive
        assert await ask(session, b, "two", "u") == "two"
        await a.start()
        assert await ask(session, a, "three", "u") == "three"
        assert await a.restart() == 0
        assert await answers(session, f"{a.url}/ready")
    assert not a.alive
    assert not b.alive
    assert "three" not in a.log


async def test_a_paused_one_does_nothing_until_it_goes_on(models: ModelServer, tmp_path: Path) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"))
    async with (
        replicas(tmp_path, models, names=("a",)) as (a,),
        aiohttp.ClientSession() as session,
    ):
        asking = asyncio.create_task(ask(session, a, "hi", "u"))
        await models.wait_requests(1)
        a.pause()
        gate.set()
        await models.wait_idle()
        # It is said whole by the model, and nobody reads it.
        assert not asking.done()
        assert not await answers(session, f"{a.url}/ready", wait_s=0.2)
        a.go_on()
        assert await asking == "one two"


async def test_whatever_becomes_of_the_block_no_process_is_left(models: ModelServer, tmp_path: Path) -> None:
    models.script("mock-echo", says("one ", Hang()))
    found: list[Replica] = []
    async with aiohttp.ClientSession() as session:

        async def fails() -> None:
            async with replicas(tmp_path, models, names=("a", "b")) as both:
                found.extend(both)
                asking = asyncio.create_task(ask(session, both[0], "hi", "u"))
                await models.wait_requests(1)
                both[1].pause()
                asking.cancel()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fails()
    assert [each.alive for each in found] == [False, False]
