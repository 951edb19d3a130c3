"""A request that is sent again gets the first answer, by every door, while it runs and afterwards."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, Reasoning, calls, fails, says
from tests.doors.chat import Answer, ask, user
from tests.ws.peer import DEADLINE_S, Peer, connected, request

KEY = {"Idempotency-Key": "k-1"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


async def said(gateway: RunningGateway, text: str = "hi", key: str = "k-1", **fields: Any) -> Answer:
    body = {"model": "openclaw", "messages": [user(text)], **fields}
    return await ask(gateway, body, headers={"Idempotency-Key": key})


def told(answer: Answer) -> tuple[str, str, str, str]:
    """(id, text, reasoning, how it finished), streamed or not."""
    assert answer.status == 200, answer.text
    if answer.text.startswith("{"):
        choice = answer.json["choices"][0]
        message = choice["message"]
        reasoning = message.get("reasoning_content", "")
        return answer.json["id"], message["content"] or "", reasoning, choice["finish_reason"]
    unnumbered = Answer(answer.status, answer.headers, re.sub(r"(?m)^id: \d+\n", "", answer.text))
    frames = [frame for frame in unnumbered.frames[:-1] if frame["choices"]]
    deltas = [frame["choices"][0]["delta"] for frame in frames]
    text = "".join(delta.get("content") or "" for delta in deltas)
    reasoning = "".join(delta.get("reasoning_content") or "" for delta in deltas)
    return frames[0]["id"], text, reasoning, frames[-1]["choices"][0]["finish_reason"]


@pytest.mark.promise("error.duplicate_run")
@pytest.mark.promise("repeats")
@pytest.mark.parametrize("session", [{}, {"user": "ada"}])
@pytest.mark.parametrize("first_streams", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
async def test_a_repeat_gets_the_first_answer(
    models: ModelServer, tmp_path: Path, session: dict[str, str], first_streams: bool, restarted: bool
) -> None:
    models.script("mock-echo", says(Reasoning("hm"), "once ", "only"), says("twice"))
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        first = told(await said(gateway, stream=first_streams, **session))
        again = [told(await said(gateway, stream=stream, **session)) for stream in (True, False)]
    if restarted:
        async with running_gateway(config, state_dir=tmp_path) as gateway:
            again += [told(await said(gateway, stream=stream, **session)) for stream in (True, False)]
    assert again == [first] * len(again)
    assert first[1:] == ("once only", "hm", "stop")
    assert len(models.requests) == 1


@pytest.mark.parametrize(
    "attempts",
    [
        [KEY, KEY],
        [{"x-openclaw-detach": "true", "x-stainless-retry-count": count} for count in ("0", "1")],
    ],
)
async def test_a_stream_is_told_again_when_only_its_answer_is_left(
    models: ModelServer, gateway: RunningGateway, attempts: list[dict[str, str]]
) -> None:
    """Events have a bound in bytes, and answers in memory have their own."""
    models.script("mock-echo", says(Reasoning("hm"), "once ", "only"), says("twice"))
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    first = told(await ask(gateway, body, headers=attempts[0]))
    await gateway.wait_no_runs()
    gateway.gateway._named._bus.forget(first[0])
    assert told(await ask(gateway, body, headers=attempts[1])) == first
    assert len(models.requests) == 1


async def test_calls_of_the_client_s_tools_are_told_again(models: ModelServer, tmp_path: Path) -> None:
    models.script("mock-echo", calls(Call("weather", '{"city":"Oslo"}')))
    config = model_config(models.base_url)
    answers = []
    for _ in range(2):
        async with running_gateway(config, state_dir=tmp_path) as gateway:
            answers.append((await said(gateway, tools=[WEATHER])).json)
    assert answers[0] == answers[1]
    assert answers[0]["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "weather"
    assert len(models.requests) == 1


@pytest.mark.promise("error.idempotency_key_reused")
@pytest.mark.promise("repeats-other")
@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    "other",
    [
        {"text": "something else"},
        {"user": "bob"},
        {"temperature": 0.5},
        {"tools": [WEATHER]},
        {"model": "openclaw/beta"},
    ],
)
async def test_the_same_key_for_another_request_is_refused(
    models: ModelServer, tmp_path: Path, other: dict[str, Any], restarted: bool
) -> None:
    config = model_config(models.base_url, {"agents": {"list": [{"id": "main"}, {"id": "beta"}]}})
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        assert (await said(gateway, user="ada")).status == 200
        refused = await said(gateway, **{"user": "ada", **other})
    if restarted:
        async with running_gateway(config, state_dir=tmp_path) as gateway:
            refused = await said(gateway, **{"user": "ada", **other})
    assert (refused.status, refused.error["code"]) == (422, "idempotency_key_reused")
    assert len(models.requests) == 1


@pytest.mark.parametrize("session", [{}, {"user": "ada"}])
async def test_concurrent_repeats_attach_to_one_run(
    models: ModelServer, gateway: RunningGateway, session: dict[str, str]
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"), says("again"))
    asking = [asyncio.create_task(said(gateway, stream=bool(number % 2), **session)) for number in range(6)]
    await models.wait_requests(1)
    gate.set()
    answers = {told(answer) for answer in await asyncio.gather(*asking)}
    assert len(answers) == 1
    assert len(models.requests) == 1


async def test_a_client_that_leaves_does_not_take_the_answer_from_the_others(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"), says("again"))
    leaves = asyncio.create_task(said(gateway))
    await models.wait_requests(1)
    stays = asyncio.create_task(said(gateway, stream=True))
    async with asyncio.timeout(DEADLINE_S):
        (run,) = gateway.gateway._live.running()
        while run.clients < 2:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([leaves])
    gate.set()
    assert told(await stays)[1] == "one two"
    assert (len(models.requests), models.aborted) == (1, 0)


@pytest.mark.promise("repeats-failed")
@pytest.mark.parametrize("session", [{}, {"user": "ada"}])
async def test_what_failed_may_be_tried_again_under_its_key(
    models: ModelServer, gateway: RunningGateway, session: dict[str, str]
) -> None:
    models.script("mock-echo", fails(401, "no such key"), says("fine"), says("never"))
    assert (await said(gateway, **session)).status == 401
    first = told(await said(gateway, **session))
    assert first[1] == "fine"
    assert told(await said(gateway, **session)) == first
    assert len(models.requests) == 2


async def test_what_the_agent_s_tools_have_done_is_not_done_again(
    models: ModelServer, gateway: RunningGateway
) -> None:
    write = Call("write", msgspec.json.encode({"path": "n.txt", "content": "x"}).decode())
    models.script("mock-echo", calls(write), fails(401, "no such key"), says("never"))
    first = await said(gateway, user="ada")
    again = await said(gateway, user="ada")
    assert (first.status, again.status) == (401, 401)
    assert first.error == again.error
    assert len(models.requests) == 2


@pytest.mark.promise("error.idempotency_key_invalid")
async def test_without_a_key_nothing_is_remembered(models: ModelServer, gateway: RunningGateway) -> None:
    for key in ("", "  "):
        assert (await said(gateway, key=key)).status == 200
    assert len(models.requests) == 2
    refused = await said(gateway, key="k" * 257)
    assert (refused.status, refused.error["code"]) == (400, "idempotency_key_invalid")


async def test_the_key_is_the_same_by_every_door(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", says("once"), says("twice"))
    headers = {"x-openclaw-session-key": "agent:main:main", **KEY}
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with connected(gateway) as peer:
        params = {"message": "hi", "idempotencyKey": "k-1", "sessionKey": "main"}
        await peer.send(request("r", "agent", params))
        assert (await peer.answer("r"))["payload"]["runId"] == "k-1"
        assert (await peer.answer("r"))["ok"]
        over_http = await ask(gateway, body, headers=headers)
        assert over_http.content == "once"
        assert over_http.json["id"].startswith("chatcmpl_")
        error = await peer.error("agent", {**params, "message": "something else"})
        assert (error["details"]["code"], error["details"]["httpStatus"]) == ("idempotency_key_reused", 422)
    assert len(models.requests) == 1


@pytest.mark.promise("accepted-is-on-disk")
async def test_accepted_means_on_disk_for_every_frame(models: ModelServer, gateway: RunningGateway) -> None:
    """Of two equal frames the second one too is told so only when the run is recorded."""
    store = gateway.gateway._store
    recording, may_record = asyncio.Event(), asyncio.Event()
    begin = store.begin

    async def slow_begin(*args: Any, **more: Any) -> Any:
        recording.set()
        await may_record.wait()
        return await begin(*args, **more)

    store.begin = slow_begin  # type: ignore[method-assign]
    models.script("mock-echo", says("once"), says("twice"))
    async with connected(gateway) as peer:
        for number in (1, 2):
            params = {"message": "hi", "idempotencyKey": "k"}
            await peer.send(request(f"r{number}", "agent", params))
        await recording.wait()
        await peer.send(request("health", "health"))
        assert [answer["id"] for answer in await answers(peer, 1)] == ["health"]
        may_record.set()
        final = await answers(peer, 4)
    assert [answer["payload"]["status"] for answer in final] == ["accepted", "accepted", "ok", "ok"]
    assert {answer["payload"]["result"]["payloads"][0]["text"] for answer in final[2:]} == {"once"}
    assert await store.run_by_key("operator", "k") is not None
    assert len(models.requests) == 1


async def test_an_abort_right_behind_its_request_is_not_lost(
    models: ModelServer, gateway: RunningGateway
) -> None:
    models.script("mock-echo", says("never", Hold(asyncio.Event())))
    async with connected(gateway) as peer:
        for key in (f"k{number}" for number in range(20)):
            params = {"message": "hi", "idempotencyKey": key, "sessionKey": key}
            await peer.send(request(key, "agent", params))
            await peer.send(request(f"abort-{key}", "chat.abort", {"runId": key}))
            told = {(answer["id"], _outcome(answer)) for answer in await answers(peer, 3)}
            assert {(f"abort-{key}", True), (key, "run_aborted")} < told
        params = {"message": "hi", "idempotencyKey": "k19", "sessionKey": "k19"}
        await peer.send(request("again", "agent", params))
        assert _outcome((await answers(peer, 2))[-1]) == "run_aborted", "what was stopped stays stopped"
    async with asyncio.timeout(DEADLINE_S):
        await gateway.gateway.idle()


async def answers(peer: Peer, number: int) -> list[dict[str, Any]]:
    """The next answers, whatever they answer."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(found) < number:
            frame = await peer.frame()
            if frame["type"] == "res":
                found.append(frame)
    return found


def _outcome(answer: dict[str, Any]) -> Any:
    if not answer["ok"]:
        return answer["error"]["details"]["code"]
    return answer["payload"].get("aborted", answer["payload"].get("status"))
