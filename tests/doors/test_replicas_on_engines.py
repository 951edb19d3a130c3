"""Several processes of one gateway on PostgreSQL and Valkey: what a client sees is what one process shows."""

import asyncio
from pathlib import Path

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.doors.chat import CHAT, Answer, ask, http, user
from tests.doors.test_detached import DETACH, events, frames_of, id_of, number, said
from tests.doors.test_replicas import SESSION, Fleet, members, say
from tests.engines.valkey import Valkey


@pytest.fixture
def engines(models: ModelServer, tmp_path: Path, postgres_url: str, valkey: Valkey) -> Fleet:
    config = {"store": {"url": postgres_url, "leaseSeconds": 1}, "bus": {"url": valkey.url}}
    return Fleet(tmp_path, models, config)


async def test_a_front_is_answered_by_a_worker(models: ModelServer, engines: Fleet) -> None:
    async with members(engines, "front", "worker") as (front, worker):
        assert (await say(front, "one two three")).content == "one two three"
        assert (await say(front, "in a session", **SESSION)).content == "in a session"
        assert (await say(front, "and again", **SESSION)).content == "and again"
        assert [len(request.messages) for request in models.requests] == [2, 2, 4]
        streamed = await ask(front, {"model": "openclaw", "messages": [user("a b c")], "stream": True})
        assert [frame for frame in frames_of(streamed.text) if '"b' in frame]
        sessions, count = await worker.gateway.sessions(OPERATOR)
        assert count == 1
        assert [session.last_seq for session in sessions] == [4]
        roles = sorted(replica.role for replica in await front.gateway.replicas())
        assert roles == ["front", "worker"]


@pytest.mark.promise("lock-out-shared")
async def test_who_guesses_at_many_is_locked_out_at_all(engines: Fleet) -> None:
    engines.config |= {"gateway": {"auth": {"rateLimit": {"maxAttempts": 4}}}}
    async with members(engines, "all", "front", "worker") as every:

        async def guess(gateway: RunningGateway) -> int:
            return (await say(gateway, "hi", Authorization="Bearer wrong")).status

        assert [await guess(gateway) for gateway in (*every, every[0])] == [401] * 4
        async with asyncio.timeout(10):
            while [await guess(gateway) for gateway in every] != [429] * 3:
                pass
        for gateway in every:
            assert (await say(gateway, "hi")).status == 200


async def test_the_same_name_at_any_of_them_is_one_run(models: ModelServer, engines: Fleet) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("once", Hold(gate)))
    async with members(engines, "all", "all", "front") as every:
        asked = [
            asyncio.create_task(say(gateway, "hi", **{"Idempotency-Key": "k"}))
            for gateway in every
            for _ in range(17)
        ]
        await models.wait_requests(1)
        for gateway in every:
            await gateway.wait_runs(1)
        gate.set()
        answers = await asyncio.gather(*asked)
        assert {(answer.status, answer.content) for answer in answers} == {(200, "once")}
        assert len(models.requests) == 1


async def test_a_stream_that_was_cut_at_one_goes_on_at_another(models: ModelServer, engines: Fleet) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", "b ", Hold(gate), "c ", "d"))
    async with members(engines, "front", "front", "worker") as (one, other, _):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(one) as session, session.post(CHAT, json=body, headers=DETACH) as response:
            begun = (await response.content.readuntil(b"\n\n")).decode()
            id_ = id_of(Answer(200, response.headers.copy(), begun))
        going = asyncio.create_task(events(other, id_, number(begun)))
        await other.wait_runs(1)
        gate.set()
        rest = await going
        whole = await events(one, id_)
        assert frames_of(whole.text) == [begun, *frames_of(rest.text)]
        assert "".join(said(whole)) == "a b c d"


async def test_any_of_them_stops_a_run_and_hears_of_it(models: ModelServer, engines: Fleet) -> None:
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    async with members(engines, "all", "all") as (one, other):
        heard: asyncio.Queue[str] = asyncio.Queue()
        silence = other.gateway.listen(OPERATOR, Listener(lambda run: heard.put_nowait(run.id)))
        asked = asyncio.create_task(say(one, "hi", **SESSION))
        await models.wait_requests(1)
        async with asyncio.timeout(5):
            run_id = await heard.get()
        assert await other.gateway.abort(OPERATOR, run_id)
        await models.wait_aborted(1)
        assert (await asked).status == 499
        silence()


async def test_with_the_bus_away_runs_go_on_and_are_told(models: ModelServer, engines: Fleet) -> None:
    """The final answer comes from the store."""
    engines.config["bus"] = {"url": "redis://127.0.0.1:9"}
    async with members(engines, "front", "worker", "all") as (front, _, alone):
        assert (await say(front, "one two", **SESSION)).content == "one two"
        streamed = await ask(alone, {"model": "openclaw", "messages": [user("a b c")], "stream": True})
        assert [frame for frame in frames_of(streamed.text) if '"b' in frame]
        assert not front.gateway.bus_health().connected
