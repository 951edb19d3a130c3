"""A request that the official SDK sends again by itself is done once, whatever lies between it and us.

`make retries` asks a thousand times."""

import asyncio
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import openai
import pytest

from openclaw_gateway.gateway import retries
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hang, Hold, ModelServer, calls, fails, says
from tests.doors.chat import Answer, ask, user
from tests.doors.cutting_proxy import MISCHIEFS, cutting
from tests.doors.raw import chat_body, post, wire

REQUESTS = int(os.environ.get("RETRIES", "60"))
# At once. With hundreds, on a slow machine, a head is on its way to the proxy for longer than it may be lost.
_THREADS = 20
# One of each kind of mischief, and this many times none.
_NONE = 6


@pytest.mark.promise("retries")
async def test_nothing_is_done_twice_through_a_proxy_that_cuts_and_fails(models: ModelServer) -> None:
    """The real SDK with its own retries; of what it gave up, the model may have heard once as well."""
    chance = random.Random(7)  # noqa: S311

    def choose() -> Any:
        return chance.choice((*MISCHIEFS, *["none"] * _NONE))

    config = model_config(models.base_url, model="mock-5-15000")
    async with running_gateway(config) as gateway, cutting(gateway, choose) as base_url:
        with (
            openai.OpenAI(base_url=base_url, api_key=gateway.token) as client,
            ThreadPoolExecutor(_THREADS) as threads,
        ):
            loop = asyncio.get_running_loop()
            asked = (loop.run_in_executor(threads, _ask, client, number) for number in range(REQUESTS))
            outcomes = await asyncio.gather(*asked)
        await gateway.wait_no_runs()
    seen = Counter(request.body["messages"][-1]["content"] for request in models.requests)
    assert not {text: times for text, times in seen.items() if times > 1}
    answered = [number for number, text in enumerate(outcomes) if text is not None]
    assert len(answered) > REQUESTS / 2
    for number in answered:
        assert outcomes[number] == "tok0 tok1 tok2 tok3 tok4 "
        assert seen[f"question {number}"] == 1


def _ask(client: openai.OpenAI, number: int) -> str | None:
    """What was said; None when the SDK has given up."""
    messages: Any = [user(f"question {number}")]
    more: Any = {"user": f"u{number % 7}"} if number % 3 == 0 else {}
    try:
        if number % 2:
            chunks = list(
                client.chat.completions.create(model="openclaw", messages=messages, stream=True, **more)
            )
            # The SDK takes a stream that was cut before its end for one that has ended.
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            return str(text) if chunks[-1].choices[0].finish_reason else None
        whole = client.chat.completions.create(model="openclaw", messages=messages, **more)
    except (openai.APIConnectionError, openai.InternalServerError):
        return None
    except Exception as error:
        if "peer closed" in str(error):
            return None
        raise
    return str(whole.choices[0].message.content)


async def attempt(gateway: RunningGateway, count: int, text: str = "hi", **fields: Any) -> Answer:
    headers = {"x-stainless-retry-count": str(count), **fields.pop("headers", {})}
    return await ask(gateway, {"model": "openclaw", "messages": [user(text)], **fields}, headers=headers)


def content(answer: Answer) -> str:
    if answer.text.startswith("{"):
        return answer.content
    frames = [frame for frame in answer.frames[:-1] if frame["choices"]]
    return "".join(frame["choices"][0]["delta"].get("content") or "" for frame in frames)


@pytest.mark.promise("retries-waited-for")
@pytest.mark.parametrize("session", [{}, {"user": "ada"}])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_attempt_that_is_not_the_first_gets_the_first_one_s_run(
    models: ModelServer, gateway: RunningGateway, session: dict[str, str], stream: bool
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("once ", Hold(gate), "only"), says("twice"))
    first = asyncio.create_task(attempt(gateway, 0, stream=stream, **session))
    await models.wait_requests(1)
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(attempt(gateway, 1, stream=stream, **session))
    (run,) = gateway.gateway._live.running()
    async with asyncio.timeout(5):
        while not run.clients or first in asyncio.all_tasks():  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
    gate.set()
    answers = [await second, await attempt(gateway, 2, stream=stream, **session)]
    assert [content(answer) for answer in answers] == ["once only"] * 2
    assert answers[0].text == answers[1].text or stream
    assert (len(models.requests), models.aborted) == (1, 0)


@pytest.mark.parametrize(
    "other",
    [
        {"text": "something else"},
        {"user": "bob"},
        {"stream": True},
        {"headers": {"x-openclaw-agent-id": "beta"}},
        {"headers": {"x-openclaw-session-key": "work"}},
        {"count": 0},
    ],
)
async def test_another_request_gets_a_run_of_its_own(models: ModelServer, other: dict[str, Any]) -> None:
    config = model_config(models.base_url, {"agents": {"list": [{"id": "main"}, {"id": "beta"}]}})
    async with running_gateway(config) as gateway:
        assert (await attempt(gateway, 0)).status == 200
        assert (await attempt(gateway, **{"count": 1, **other})).status == 200
        assert (await attempt(gateway, 1)).status == 200
    assert len(models.requests) == 2


async def test_an_attempt_by_another_owner_gets_a_run_of_its_own(
    models: ModelServer, gateway: RunningGateway
) -> None:
    assert (await attempt(gateway, 0)).status == 200
    kept = gateway.gateway._retries._kept
    ((key, answer),) = kept.items()
    assert key[0] == "operator"
    del kept[key]
    kept["somebody else", *key[1:]] = answer
    assert (await attempt(gateway, 1)).status == 200
    assert len(models.requests) == 2


async def test_what_failed_is_tried_anew(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", fails(401), says("fine"))
    assert (await attempt(gateway, 0)).status == 401
    assert (await attempt(gateway, 1)).content == "fine"
    assert (await attempt(gateway, 2)).content == "fine"
    assert len(models.requests) == 2


async def test_what_tools_have_done_is_not_done_again_and_the_client_is_told(
    models: ModelServer, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client has stayed away too long: the run was stopped, and is not begun anew."""
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 0.05)
    write = Call("write", msgspec.json.encode({"path": "n.txt", "content": "x"}).decode())
    models.script("mock-echo", calls(write), says(Hang()), says("never"))
    first = asyncio.create_task(attempt(gateway, 0))
    await models.wait_requests(2)
    first.cancel()
    await asyncio.wait([first])
    await models.wait_aborted(1)
    second = await attempt(gateway, 1)
    assert (second.status, second.error["code"]) == (499, "run_aborted")
    assert "already used tools" in second.error["message"]
    assert len(models.requests) == 2


async def test_who_comes_when_the_run_is_being_stopped_gets_a_new_one(
    models: ModelServer, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 0.0)
    models.script("mock-echo", says(Hang()), says("anew"))
    first = asyncio.create_task(attempt(gateway, 0))
    await models.wait_requests(1)
    first.cancel()
    answers = await asyncio.gather(attempt(gateway, 1), attempt(gateway, 1))
    assert [answer.content for answer in answers] == ["anew"] * 2
    assert len(models.requests) == 2


async def test_a_client_that_does_not_number_its_attempts_ends_its_run_at_once(
    models: ModelServer, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 3600.0)
    models.script("mock-echo", says(Hang()))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi")))
        await models.wait_requests(1)
        raw.drop()
        await models.wait_aborted(1)


@pytest.mark.parametrize("is_behind", [True, False])
async def test_who_has_stopped_an_answer_and_goes_on_does_not_wait_for_himself(
    models: ModelServer, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch, is_behind: bool
) -> None:
    """He asks for something behind it, or for the answer anew, in words that say so."""
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 3600.0)
    models.script("mock-echo", says(Hang()), says("next"))
    first = asyncio.create_task(attempt(gateway, 0, "question", user="ada"))
    await models.wait_requests(1)
    first.cancel()
    await asyncio.wait([first])
    (run,) = gateway.gateway._live.running()
    async with asyncio.timeout(5):
        while not run.was_left:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
    messages = [user("question"), *([user("another")] if is_behind else [])]
    async with asyncio.timeout(10):
        answer = await attempt(gateway, 0, user="ada", messages=messages)
    assert answer.content == "next"
    await models.wait_aborted(1)


async def test_who_asks_something_else_meanwhile_does_not_end_what_is_to_be_asked_for_again(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("once ", Hold(gate), "only"), says("other"))
    first = asyncio.create_task(attempt(gateway, 0, "question", user="ada"))
    await models.wait_requests(1)
    first.cancel()
    await asyncio.wait([first])
    (run,) = gateway.gateway._live.running()
    other = asyncio.create_task(attempt(gateway, 0, "another", user="ada"))
    async with asyncio.timeout(5):
        while [each.queued for each in gateway.gateway._live.running()] != [0, 1]:  # noqa: ASYNC110
            await asyncio.sleep(0)
    again = asyncio.create_task(attempt(gateway, 1, "question", user="ada"))
    async with asyncio.timeout(5):
        while not run.clients:  # noqa: ASYNC110
            await asyncio.sleep(0)
    gate.set()
    assert [(await each).content for each in (again, other)] == ["once only", "other"]
    assert (len(models.requests), models.aborted) == (2, 0)


async def test_what_is_kept_is_bounded(
    models: ModelServer, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "MOST_KEPT", 3)
    monkeypatch.setattr(retries, "MOST_CHARS", 100)
    found = gateway.gateway._retries
    for number in range(5):
        await attempt(gateway, 0, text=str(number))
    assert (len(found._kept), found._chars, found._going) == (3, 3, {})
    await attempt(gateway, 0, text="x" * 99)
    assert (len(found._kept), found._chars) == (2, 100)
    await attempt(gateway, 0, text="x" * 200)
    assert (len(found._kept), found._chars) == (0, 0)
    monkeypatch.setattr(retries, "KEEP_GIVEN_S", 0.0)
    await attempt(gateway, 0, text="soon forgotten")
    asked = len(models.requests)
    await attempt(gateway, 1, text="soon forgotten")
    assert len(models.requests) == asked + 1


@pytest.mark.parametrize(("key", "is_there"), [("KEEP_GIVEN_S", False), ("KEEP_S", True)])
async def test_what_nobody_was_there_for_is_kept_longer(
    models: ModelServer, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch, key: str, is_there: bool
) -> None:
    """Of each kind of answer the time is its own: the other one's does not count."""
    monkeypatch.setattr(retries, key, 0.0)
    gate = asyncio.Event()
    models.script("mock-echo", says(Hold(gate), "once"))
    first = asyncio.create_task(attempt(gateway, 0))
    await models.wait_requests(1)
    if not is_there:
        first.cancel()
    (run,) = gateway.gateway._live.running()
    if not is_there:
        async with asyncio.timeout(5):
            while run.clients:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0)
    gate.set()
    await run.wait()
    await asyncio.wait([first])
    assert (await attempt(gateway, 1)).content == "once"
    assert len(models.requests) == 1
