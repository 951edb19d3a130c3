"""A followed run, whatever the gateway answers and however far behind its reader is."""

import asyncio
from typing import Any

import pytest

from openclaw_gateway.client import call, followed_run
from openclaw_gateway.client.call import AgentCall
from openclaw_gateway.client.connection import GatewayClient, Hear
from openclaw_gateway.client.errors import AnswerGarbled, ConnectionLost, TooMuchSaid
from openclaw_gateway.client.followed_run import FollowedRun
from openclaw_gateway.client.link import Link
from openclaw_gateway.client.steps import Ended, Said, Step, Thought, ToolBegan, ToolDone, ToolWorks
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.frames import AgentEvent
from tests.ws.impostor import impostor
from tests.ws.peer import DEADLINE_S, Peer
from tests.ws.test_chat import sent


def linked(url: str, token: str | None = None) -> Link:
    def connect(hear: Hear) -> GatewayClient:
        return GatewayClient(url, token=token, scopes=("operator.read", "operator.write"), hear=hear)

    return Link(connect)


@pytest.mark.promise("error.answer_garbled")
@pytest.mark.parametrize("garbled", [{"queued": "many"}, {"status": 3}, {"queued": [1]}])
async def test_an_answer_of_another_shape_is_said_to_be_one(garbled: dict[str, Any]) -> None:
    async def answer(method: str, _: dict[str, Any]) -> object:
        return garbled if method == "chat.send" else {}

    async with impostor(answer) as url, linked(url) as link:
        with pytest.raises(AnswerGarbled, match=r"chat\.send cannot be read"):
            await link.send("main", "hi")


@pytest.mark.parametrize(
    "answers",
    [
        {"chat.send": {"status": "ok"}},
        {"chat.send": {"status": "ok"}, "agent.wait": {"status": []}},
        {"chat.send": {"status": "ok"}, "agent.wait": {"status": "ok"}, "chat.history": {"messages": ["x"]}},
        {"chat.send": {"status": "ok"}, "agent.wait": {"status": "ok"}, "chat.history": {"messages": 1}},
    ],
)
async def test_a_run_whose_end_cannot_be_read_is_not_waited_for(answers: dict[str, object]) -> None:
    async def answer(method: str, _: dict[str, Any]) -> object:
        return answers.get(method, {})

    async with impostor(answer) as url, linked(url) as link, asyncio.timeout(DEADLINE_S):
        with pytest.raises(AnswerGarbled):
            await link.send("main", "hi")


async def test_what_was_answered_unheard_is_that_run_s_answer_and_no_other_s(
    gateway: RunningGateway, models: ModelServer, peer: Peer
) -> None:
    models.enqueue(says("First."), says("Second."))
    for key in ("one", "two"):
        await peer.result("chat.send", sent(key))
        await peer.event("chat", runId=key, state="final")
    async with linked(gateway.ws_url, gateway.token) as link, asyncio.timeout(DEADLINE_S):
        steps = [step async for step in await link.attach("one", "talk")]
    assert steps == [Said("First."), Ended("completed", "stop")]


def works(number: int) -> list[Step]:
    name = str(number)
    return [
        ToolBegan(name, "t", {}),
        ToolWorks(name, "t", "x"),
        ToolDone(name, "t", failed=False, text="x", ms=1),
    ]


async def test_the_tools_of_a_run_that_nobody_reads_are_kept_up_to_a_bound_and_its_words_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(followed_run, "MOST_STEPS", 30)
    run = FollowedRun("r", "s")
    for number in range(1000):
        run.take(Said("a"), *works(number))
    run.told.ended = True
    run.take(Ended("completed"))
    steps = [step async for step in run]
    assert len(steps) < 40
    assert "".join(step.text for step in steps if isinstance(step, Said)) == "a" * 1000
    assert steps[-1] == Ended("completed")


@pytest.mark.promise("error.too_much_said")
@pytest.mark.parametrize("limit", ["MOST_STEPS", "MOST_CHARS"])
async def test_a_run_that_floods_is_followed_no_more(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(followed_run, limit, 30)
    run = FollowedRun("r", "s")
    for _ in range(1000):
        run.take(Said("a"), Thought("b"))
    heard: list[Step] = []
    with pytest.raises(TooMuchSaid):
        async for step in run:
            heard.append(step)
    assert 30 <= len(heard) <= 61


async def test_events_that_nobody_reads_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "MOST_EVENTS", 30)
    asked = AgentCall("r")
    for seq in range(1000):
        asked.hear(AgentEvent("r", seq, "assistant" if seq % 2 else "tool", 0, {"delta": f"{seq} "}))
    asked.fail(ConnectionLost("gone"))
    events = [event async for event in asked]
    assert [event.seq for event in events] == list(range(30))
