"""Clients that leave, at every point: what is remembered of an answer is what had reached its client."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.runs.run import Run
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, says
from openclaw_gateway.wire.events import Event, TextDelta
from tests.doors.chat import say
from tests.doors.raw import Seen, Wire, chat_body, post, wire

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
# More than the kernel keeps for a client that reads nothing, in deltas of 4 KB.
PIECE = "x" * 4_095 + " "
PIECES = 4_000


async def remembered(gateway: RunningGateway) -> list[str]:
    """What is kept of ada's conversation."""
    await gateway.wait_no_runs()
    entries = await gateway.gateway._store.transcript("operator", "agent:main:openai-user:ada")
    return [entry.message.content for entry in entries]


async def the_run(gateway: RunningGateway) -> Run:
    await gateway.wait_runs(1)
    return gateway.gateway._live.running()[0]


async def said(run: Run) -> str:
    """The first words of the run, looked at behind its client's back."""
    log = run.events()
    try:
        async with asyncio.timeout(5):
            while True:
                for event in await log.batch():
                    if isinstance(event, TextDelta):
                        return event.text
    finally:
        log.close()


async def test_before_anything_was_said_nothing_is_remembered(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says(Hang()))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True, user="ada")))
        await models.wait_requests(1)
        raw.drop()
    assert await remembered(gateway) == []


async def test_who_waits_for_the_whole_answer_has_seen_nothing_of_it(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("one two three", Hang()))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", user="ada")))
        assert await said(await the_run(gateway)) == "one two three"
        raw.drop()
    assert await remembered(gateway) == []


async def test_words_held_back_for_a_demanded_call_were_not_seen(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = asyncio.Event()
    take = Answer.take

    def spied(answer: Answer, events: Sequence[Event], place: int) -> Sequence[Event]:
        if any(isinstance(event, TextDelta) for event in events):
            taken.set()
        return take(answer, events, place)

    monkeypatch.setattr(Answer, "take", spied)
    models.script("mock-echo", says("I should look.", Hang()))
    body = chat_body("hi", stream=True, user="ada", tools=[TOOL], tool_choice="required")
    async with wire(gateway) as raw:
        raw.send(post(gateway, body))
        await taken.wait()
        raw.drop()
    assert await remembered(gateway) == []


@pytest.mark.promise("aborted-leaves-seen")
async def test_what_was_streamed_is_remembered_and_what_came_too_late_is_not(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("one ", "two ", Hang()))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True, user="ada")))
        await raw.until(b"two ")
        raw.drop()
    assert await remembered(gateway) == ["hi", "one two "]


async def test_after_the_end_the_whole_is_remembered(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("one ", "two"))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True, user="ada")))
        await raw.until(b"[DONE]")
        raw.drop()
    assert await remembered(gateway) == ["hi", "one two"]


async def test_an_operator_who_stops_a_run_does_not_undo_what_its_client_has(
    gateway: RunningGateway, models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two ", Hang()))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True, user="ada"), "Connection: close"))
        run = await the_run(gateway)
        await raw.until(b"one ")
        gate.set()
        await raw.until(b"two ")
        run.abort("aborted by request")
        assert b"run_aborted" in await raw.closed()
    assert await remembered(gateway) == ["hi", "one two "]


@asynccontextmanager
async def stalled(gateway: RunningGateway, models: ModelServer) -> AsyncIterator[tuple[Wire, Run]]:
    """A client that has read nothing of a very long answer, and its run, which waits for it."""
    models.script("mock-echo", says(*[PIECE] * PIECES))
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    reader, writer = await asyncio.open_connection(sock=connection)
    raw = Wire(reader, writer)
    try:
        raw.send(post(gateway, chat_body("hi", stream=True, user="ada"), "Connection: close"))
        run = await the_run(gateway)
        emitted = -1
        async with asyncio.timeout(20):
            while run.readers.waiting is None or run.emitted != emitted:
                emitted = run.emitted
                await asyncio.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        yield raw, run
    finally:
        writer.transport.abort()


async def test_a_run_waits_for_a_reader_that_is_far_behind(
    gateway: RunningGateway, models: ModelServer
) -> None:
    async with stalled(gateway, models) as (raw, run):
        assert run.emitted < PIECES
        assert models.open == 1
        assert (await say(gateway, "who else?", user="bob")).status == 200
        seen = Seen(await raw.closed(20))
    assert seen.is_whole
    assert seen.text.count(PIECE) == PIECES
    assert seen.text.endswith("data: [DONE]\n\n")


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system takes as much as it likes")
async def test_little_counts_as_shown_to_who_reads_nothing(
    gateway: RunningGateway, models: ModelServer
) -> None:
    """What the kernel would keep for such a client is megabytes: nobody has seen them."""
    async with stalled(gateway, models) as (_, run):
        assert run.readers.shown * len(PIECE) < 1 << 20


async def test_of_an_answer_that_stalled_only_what_left_us_is_remembered(
    gateway: RunningGateway, models: ModelServer
) -> None:
    async with stalled(gateway, models) as (raw, run):
        shown = run.readers.shown
        assert shown < run.emitted
        log = run.events()
        told = (await log.batch())[:shown]
        log.close()
        raw.drop()
        await gateway.wait_no_runs()
        assert run.readers.shown == shown
    question, answer = await remembered(gateway)
    assert question == "hi"
    assert answer == "".join(event.text for event in told if isinstance(event, TextDelta))
    assert answer
