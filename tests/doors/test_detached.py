"""A stream that outlives its client: cut anywhere and resumed, it is the same bytes."""

import asyncio
import random
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from openclaw_gateway.doors import delivery
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import (
    Call,
    Hang,
    Hold,
    ModelServer,
    Reasoning,
    calls,
    fails,
    says,
)
from tests.doors.chat import CHAT, Answer, ask, http, user

CUTS = 1_000
DETACH = {"x-openclaw-detach": "true"}
USAGE = {"include_usage": True}


async def detached(gateway: RunningGateway, **fields: Any) -> Answer:
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True, "stream_options": USAGE, **fields}
    return await ask(gateway, body, headers=DETACH)


async def events(gateway: RunningGateway, id_: str, after: int | str | None = None, **headers: str) -> Answer:
    query = "" if after is None else f"?after={after}"
    async with (
        http(gateway) as session,
        session.get(f"{CHAT}/{id_}/events{query}", headers=headers) as response,
    ):
        return Answer(response.status, response.headers.copy(), await response.text())


def frames_of(text: str) -> list[str]:
    """Whole frames, with their end, but for comments."""
    whole = text.split("\n\n")[:-1]
    return [f"{frame}\n\n" for frame in whole if not frame.startswith(":")]


async def first_frame(response: aiohttp.ClientResponse) -> bytes:
    frame = b""
    while not frame.endswith(b"\n\n"):
        frame += await response.content.readline()
    return frame


def number(frame: str) -> int:
    assert frame.startswith("id: "), frame
    return int(frame[4 : frame.index("\n")])


def chunks(answer: Answer) -> list[dict[str, Any]]:
    """Of a stream that has ended well."""
    return [msgspec.json.decode(frame.partition("data: ")[2]) for frame in frames_of(answer.text)[:-1]]


def said(answer: Answer) -> list[str]:
    """The texts of the deltas, of a stream that has ended well."""
    *frames, done = [frame.partition("data: ")[2] for frame in frames_of(answer.text)]
    assert done == "[DONE]\n\n"
    choices = [choice for frame in frames for choice in msgspec.json.decode(frame)["choices"]]
    assert choices[-1]["finish_reason"] == "stop"
    return [choice["delta"]["content"] for choice in choices if "content" in choice["delta"]]


def id_of(answer: Answer) -> str:
    text = answer.text
    start = text.index("chatcmpl_")
    return text[start : text.index('"', start)]


@pytest.mark.promise("detached")
async def test_a_stream_that_is_cut_at_any_byte_and_resumed_is_the_same_bytes(
    models: ModelServer, gateway: RunningGateway
) -> None:
    thought = (Reasoning("hm "), Reasoning("é\u2028"))
    models.script(
        "mock-echo",
        calls(Call("read", '{"path":"SOUL.md"}')),
        says(*thought, "one ", "two\n\n", "🙂 ", "three", split=7),
    )
    answer = await detached(gateway)
    whole = answer.text
    frames = frames_of(whole)
    assert [number(frame) for frame in frames] == list(range(1, len(frames) + 1))
    id_ = id_of(answer)
    chance = random.Random(5)  # noqa: S311
    encoded = whole.encode()

    async def resume(at: int) -> None:
        had = frames_of(encoded[:at].decode(errors="ignore"))
        after = number(had[-1]) if had else 0
        rest = await events(gateway, id_, after)
        assert rest.status == 200
        assert "".join((*had, *frames_of(rest.text))) == "".join(frames)

    limit = asyncio.Semaphore(8)

    async def one(at: int) -> None:
        async with limit:
            await resume(at)

    await asyncio.gather(*(one(chance.randrange(len(encoded) + 1)) for _ in range(CUTS)))
    by_header = await events(gateway, id_, 0, **{"Last-Event-ID": str(len(frames) - 1)})
    assert frames_of(by_header.text) == [frames[-1]]


async def test_streams_that_are_cut_while_the_run_goes_on(models: ModelServer) -> None:
    config = model_config(models.base_url, model="mock-40-2000")
    chance = random.Random(9)  # noqa: S311

    body = {"messages": [user("hi")], "stream": True}

    async def cut_and_resumed() -> None:
        most = chance.randrange(250, 6_000)
        got = b""
        async with http(gateway) as session:
            response = await session.post(CHAT, json=body, headers=DETACH)
            while len(got) < most and (piece := await response.content.readany()):
                got += piece
            response.close()
        had = frames_of(got[:most].decode())
        id_ = had[0][had[0].index("chatcmpl_") :].partition('"')[0]
        rest = frames_of((await events(gateway, id_, number(had[-1]))).text)
        assert [number(frame) for frame in (*had, *rest)] == list(range(1, 44))
        readers = await asyncio.gather(*(events(gateway, id_) for _ in range(3)))
        assert {"".join(frames_of(reader.text)) for reader in readers} == {"".join((*had, *rest))}

    async with running_gateway(config) as gateway:
        await asyncio.gather(*(cut_and_resumed() for _ in range(20)))
    assert (len(models.requests), models.aborted) == (20, 0)


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_run_goes_on_and_is_followed_by_many(
    models: ModelServer, gateway: RunningGateway, streamed: bool
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"))
    asking = asyncio.create_task(detached(gateway, stream=streamed, stream_options=None))
    await models.wait_requests(1)
    (run,) = gateway.gateway._live.running()
    asking.cancel()
    await asyncio.wait([asking])
    following = [asyncio.create_task(events(gateway, run.id)) for _ in range(3)]
    async with asyncio.timeout(5):
        while run.clients < 3:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
    following.pop().cancel()
    gate.set()
    for answer in await asyncio.gather(*following):
        assert said(answer) == ["one ", "two"]
    assert models.aborted == 0


@pytest.mark.promise("error.completion_not_found")
async def test_what_is_not_there_to_be_followed(models: ModelServer, gateway: RunningGateway) -> None:
    """Another owner's run, one whose client did not ask for it, and none: one answer."""
    id_ = id_of(await detached(gateway))
    ordinary = id_of(await ask(gateway, {"messages": [user("hi")]}))
    run = gateway.gateway._live.find(id_)
    assert run is not None
    theirs = replace(run.request.origin, owner="somebody else")
    run.request = replace(run.request, origin=theirs)
    for other in (id_, ordinary, "chatcmpl_none"):
        answer = await events(gateway, other)
        assert (answer.status, answer.error["code"]) == (404, "completion_not_found")


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "9" * 30, "٣"])
async def test_a_place_that_is_none_is_refused(gateway: RunningGateway, after: str) -> None:
    answer = await events(gateway, "chatcmpl_x", after)
    assert (answer.status, answer.error["param"]) == (400, "after")


async def test_a_wish_that_is_none_is_refused(gateway: RunningGateway) -> None:
    answer = await ask(gateway, {"messages": [user("hi")]}, headers={"x-openclaw-detach": "perhaps"})
    assert (answer.status, answer.error["param"]) == (400, "x-openclaw-detach")


@pytest.mark.promise("detached-by-key")
async def test_the_configuration_may_make_it_the_rule_and_a_header_counts_more(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"), says("one ", Hang()), says("Title"))
    more = {"gateway": {"http": {"endpoints": {"chatCompletions": {"detach": True}}}}}
    body = {"messages": [user("hi")], "stream": True}
    async with running_gateway(model_config(models.base_url, more)) as gateway, http(gateway) as session:
        async with session.post(CHAT, json=body) as response:
            frame = (await first_frame(response)).decode()
        assert number(frame) == 1
        gate.set()
        id_ = msgspec.json.decode(frame.partition("data: ")[2])["id"]
        assert "".join(said(await events(gateway, id_))) == "one two"
        headers = {"x-openclaw-detach": "false"}
        async with session.post(CHAT, json=body, headers=headers) as response:
            assert (await first_frame(response)).startswith(b"data: ")
        await models.wait_aborted(1)
        title = await ask(gateway, body, headers={"x-openclaw-task": "title"})
        assert title.text.startswith("data: ")


@pytest.mark.promise("detached-kept")
async def test_after_a_restart_there_is_the_answer_but_no_place_in_it(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("mock-echo", says("one ", "two"))
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        id_ = id_of(await detached(gateway))
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        answer = await events(gateway, id_)
        assert said(answer) == ["one two"]
        assert id_of(answer) == id_
        refused = await events(gateway, id_, 2)
        assert (refused.status, refused.error["code"]) == (410, "events_gone")


@pytest.mark.parametrize("functions", [False, True])
async def test_after_a_restart_it_is_told_as_its_own_door_told_it(
    models: ModelServer, tmp_path: Path, *, functions: bool
) -> None:
    models.script("mock-echo", calls(Call("weather", "{}")), says("Hello."))
    config = model_config(models.base_url)
    tool = {"name": "weather", "parameters": {"type": "object"}}
    tools: Any = {"functions": [tool]} if functions else {"tools": [{"type": "function", "function": tool}]}
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        first = await detached(gateway, model="openclaw/main", **tools)
        body = {"messages": [user("hi")], "stream": True}
        named = await ask(gateway, body, headers={"Idempotency-Key": "mine"})
        before = await events(gateway, id_of(named))
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        again = await events(gateway, id_of(first))
        after = await events(gateway, id_of(named))
    frames = chunks(again)
    assert frames[-1]["usage"] == chunks(first)[-1]["usage"] is not None
    assert {frame["model"] for frame in frames} == {"openclaw/main"}
    assert ("function_call" in again.text) == functions
    assert ("tool_calls" in again.text) == (not functions)
    # One that was not detached is none, whenever it is asked for.
    assert (before.status, after.status) == (404, 404)


async def test_who_has_begun_to_read_is_told_of_a_failure_in_the_stream(
    models: ModelServer, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "HOLD_S", 0.01)
    models.script("mock-echo", says(Hang()))
    body = {"messages": [user("hi")], "stream": True}
    async with http(gateway) as session, session.post(CHAT, json=body, headers=DETACH) as response:
        head = (await first_frame(response)).decode()
        (run,) = gateway.gateway._live.running()
        assert await gateway.gateway.abort(OPERATOR, run.id)
        rest = await response.text()
    again = await events(gateway, run.id, number(head))
    assert (response.status, again.status) == (200, 200)
    assert frames_of(again.text) == frames_of(rest)
    assert "run_aborted" in again.text


async def test_of_a_run_that_the_gateway_s_end_has_cut_short_the_error_is_told(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("mock-echo", says("one ", Hang()))
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        asking = asyncio.create_task(detached(gateway))
        await models.wait_requests(1)
        (run,) = gateway.gateway._live.running()
        await gateway.gateway.drain(0)
        await asyncio.wait([asking])
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        answer = await events(gateway, run.id)
        assert (answer.status, answer.error["code"]) == (503, "draining")


async def test_events_that_are_gone_leave_the_answer(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", says("one ", "two"))
    id_ = id_of(await detached(gateway))
    bus = gateway.gateway._named._bus
    assert isinstance(bus, LocalBus)
    bus.forget(id_)
    answer = await events(gateway, id_)
    assert said(answer) == ["one two"]
    assert (await events(gateway, id_, 1)).error["code"] == "events_gone"


async def test_an_answer_longer_than_its_log_is_told_once_it_has_ended_and_says_so_before(
    models: ModelServer, gateway: RunningGateway
) -> None:
    bus = gateway.gateway._named._bus
    assert isinstance(bus, LocalBus)
    bus._max_events = 3
    there, gate = asyncio.Event(), asyncio.Event()
    there.set()
    words = [f"{number} " for number in range(20)]
    pieces = [piece for word in words for piece in (word, Reasoning("so"), Hold(there))]
    models.script("mock-echo", says(*pieces, Hold(gate), "end"))
    asking = asyncio.create_task(detached(gateway))
    await models.wait_requests(1)
    (run,) = gateway.gateway._live.running()
    async with asyncio.timeout(5):
        while run.emitted < 20:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
    for after in (None, 1):
        refused = await events(gateway, run.id, after)
        assert (refused.status, refused.error["code"]) == (410, "events_gone")
        assert "Once it has ended ask for all of it" in refused.error["message"]
    gate.set()
    await asyncio.wait([asking])
    await run.wait()
    assert "".join(said(await events(gateway, run.id))) == "".join([*words, "end"])


async def test_a_failure_is_told_again(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", fails(401))
    failed = asyncio.create_task(detached(gateway))
    await models.wait_requests(1)
    (run,) = gateway.gateway._live.running()
    first, again = await failed, await events(gateway, run.id)
    assert (first.status, first.error) == (again.status, again.error)
    assert first.status == 401


async def test_attempts_of_a_detached_request_are_one_run(
    models: ModelServer, gateway: RunningGateway
) -> None:
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    first, again = [
        await ask(gateway, body, headers={**DETACH, "x-stainless-retry-count": str(count)})
        for count in range(2)
    ]
    assert first.text == again.text
    assert len(models.requests) == 1
