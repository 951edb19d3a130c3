"""A session that is busy: how a request hears of its place, and what it may want instead of waiting."""

import asyncio
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, says
from tests.doors.chat import Answer, ask, user


async def asked(gateway: RunningGateway, text: str, queue: str | None = None, **fields: Any) -> Answer:
    headers = {} if queue is None else {"x-openclaw-queue": queue}
    body = {"messages": [user(text)], "user": "ada", **fields}
    return await ask(gateway, body, headers=headers)


async def waiting(gateway: RunningGateway, *places: int) -> None:
    """Until runs of these places are in the line."""
    async with asyncio.timeout(5):
        while tuple(run.queued for run in gateway.gateway._live.running()) != places:  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.promise("queued-place")
async def test_who_waits_hears_its_place(models: ModelServer) -> None:
    gates = [asyncio.Event() for _ in range(2)]
    models.script("mock-echo", *(says("at ", Hold(gate), "work") for gate in gates), says("done"))
    config = model_config(models.base_url, {"gateway": {"limits": {"streamKeepaliveSeconds": 0.1}}})
    async with running_gateway(config) as gateway:
        runs = []
        for place in range(3):
            runs.append(asyncio.create_task(asked(gateway, f"question {place}", stream=True)))
            await waiting(gateway, *range(place + 1))
        # Both have had their head, for which a second is waited, and a comment.
        await asyncio.wait(runs, timeout=1.5)
        gates[0].set()
        await runs[0]
        await waiting(gateway, 0, 1)
        gates[1].set()
        first, second, third = await asyncio.gather(*runs)
    assert "queued" not in first.text
    assert ": queued 1\n\n" in second.text
    assert ": queued 2\n\n" in third.text
    assert third.frames[-1] == "[DONE]"
    assert "".join(frame["choices"][0]["delta"].get("content", "") for frame in third.frames[:-1]) == "done"


@pytest.mark.promise("queue-wish")
@pytest.mark.parametrize("stream", [False, True])
async def test_who_will_not_wait_is_refused(
    models: ModelServer, gateway: RunningGateway, stream: bool
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("at ", Hold(gate), "work"), says("done"))
    first = asyncio.create_task(asked(gateway, "one", "reject"))
    await models.wait_requests(1)
    refused = await asked(gateway, "two", "reject", stream=stream)
    assert (refused.status, refused.error["code"]) == (429, "session_busy")
    assert refused.headers["x-should-retry"] == "false"
    gate.set()
    assert (await first).content == "at work"
    assert (await asked(gateway, "three", "reject")).content == "done"
    said = [message["content"] for message in models.requests[-1].messages]
    assert said[-3:] == ["one", "at work", "three"]


async def test_who_interrupts_ends_what_is_at_work_and_what_waits(
    models: ModelServer, gateway: RunningGateway
) -> None:
    models.script("mock-echo", says("at ", Hang()), says("done"))
    first = asyncio.create_task(asked(gateway, "one"))
    await models.wait_requests(1)
    second = asyncio.create_task(asked(gateway, "two"))
    await waiting(gateway, 0, 1)
    other = asyncio.create_task(asked(gateway, "elsewhere", user="bob"))
    assert (await other).content == "done"
    third = await asked(gateway, "three", "interrupt")
    assert third.content == "done"
    for answer in (await first, await second):
        assert (answer.status, answer.error["code"]) == (499, "run_aborted")
    assert [message["content"] for message in models.requests[-1].messages[1:]] == ["three"]
    assert len(models.requests) == 3


async def test_who_interrupts_has_room_in_a_line_that_is_full(models: ModelServer) -> None:
    models.script("mock-echo", says("at ", Hang()), says("done"))
    config = model_config(models.base_url, {"gateway": {"limits": {"maxQueuedPerSession": 1}}})
    async with running_gateway(config) as gateway:
        first = asyncio.create_task(asked(gateway, "one"))
        await models.wait_requests(1)
        second = asyncio.create_task(asked(gateway, "two"))
        await waiting(gateway, 0, 1)
        refused = await asked(gateway, "three")
        assert (refused.status, refused.error["code"]) == (429, "session_busy")
        assert (await asked(gateway, "four", "interrupt")).content == "done"
        for answer in (await first, await second):
            assert (answer.status, answer.error["code"]) == (499, "run_aborted")
        assert [message["content"] for message in models.requests[-1].messages[1:]] == ["four"]


@pytest.mark.parametrize("other", [{"user": "bob"}, {"user": None}])
async def test_nobody_interrupts_what_another_has_asked_for(
    models: ModelServer, gateway: RunningGateway, other: dict[str, Any]
) -> None:
    """Who knows the key of a session may speak in it, and waits there like anybody else."""
    gate = asyncio.Event()
    models.script("mock-echo", says("at ", Hold(gate), "work"), says("done"))
    key = {"x-openclaw-session-key": "shared"}
    body = {"messages": [user("hi")], "user": "ada"}
    first = asyncio.create_task(ask(gateway, body, headers=key))
    await models.wait_requests(1)
    wish = {**key, "x-openclaw-queue": "interrupt"}
    second = asyncio.create_task(ask(gateway, {**body, **other}, headers=wish))
    await waiting(gateway, 0, 1)
    gate.set()
    assert [answer.content for answer in await asyncio.gather(first, second)] == ["at work", "done"]


async def test_an_attempt_that_is_sent_again_does_not_interrupt_itself(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("at ", Hold(gate), "work"))
    body = {"messages": [user("hi")], "user": "ada"}
    asking = []
    for count in range(2):
        headers = {"x-openclaw-queue": "interrupt", "x-stainless-retry-count": str(count)}
        asking.append(asyncio.create_task(ask(gateway, body, headers=headers)))
        await models.wait_requests(1)
    (run,) = gateway.gateway._live.running()
    async with asyncio.timeout(5):
        while run.clients < 2:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
    gate.set()
    assert [answer.content for answer in await asyncio.gather(*asking)] == ["at work"] * 2


async def test_without_a_session_nobody_waits(gateway: RunningGateway) -> None:
    for wish in ("reject", "interrupt", "Wait", ""):
        assert (await asked(gateway, "hi", wish, user=None)).content == "hi"


@pytest.mark.parametrize("name", ["queue", "progress"])
async def test_a_wish_that_is_none_is_refused(gateway: RunningGateway, name: str) -> None:
    header = f"x-openclaw-{name}"
    answer = await ask(gateway, {"messages": [user("hi")]}, headers={header: "perhaps"})
    assert (answer.status, answer.error["param"]) == (400, header)
