"""What goes wrong while an answer is on its way: told in the stream, or cut; never a second answer in it."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import pytest
from aiohttp import web

from openclaw_gateway.doors import delivery
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.event_stream import EventStream
from openclaw_gateway.doors.http import chat_completions
from openclaw_gateway.doors.http import models as models_endpoint
from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.errors import EventsGone
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.sessions.local.log import LogReader
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, Reasoning, fails, says
from openclaw_gateway.wire.events import Event
from tests.doors.chat import say
from tests.doors.logged import logged
from tests.doors.raw import Seen, chat_body, post, wire

SECRET = "a path: /home/someone/x"


async def got(gateway: RunningGateway, *, stream: bool = True, **fields: object) -> Seen:
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=stream, **fields), "Connection: close"))
        return Seen(await raw.closed())


def raises(error: BaseException, *, at: int = 1) -> Callable[..., bytes]:
    """A voice's method that fails the `at`-th time it is asked, and says "" before."""
    left = at

    def method(*_: object) -> bytes:
        nonlocal left
        left -= 1
        if left == 0:
            raise error
        return b": so far\n\n"

    return method


# Classes: an exception that is kept keeps the frames it came through, and the runs in them.
FAULTS: tuple[type[BaseException], ...] = (
    RuntimeError,
    LookupError,
    TimeoutError,
    ConnectionResetError,
    asyncio.CancelledError,
    web.HTTPBadRequest,
)


def made(fault: type[BaseException]) -> BaseException:
    return fault(text=SECRET) if issubclass(fault, web.HTTPException) else fault(SECRET)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["head", "deltas"])
async def test_what_fails_before_the_head_has_a_real_status(
    gateway: RunningGateway,
    models: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    fault: type[BaseException],
) -> None:
    monkeypatch.setattr(ChatVoice, method, raises(made(fault)))
    # The first word is what shall fail, and not the silence of a machine that is slow to ask the model.
    monkeypatch.setattr(delivery, "HOLD_S", 30.0)
    models.script("mock-echo", says("one", Hang()))
    seen = await got(gateway)
    assert (seen.status, seen.is_whole) == (500, True)
    assert SECRET not in seen.text
    await gateway.wait_no_runs()
    await models.wait_aborted(1)


@pytest.mark.promise("real-status", "error-is-no-text")
@pytest.mark.parametrize("fault", FAULTS)
async def test_what_fails_after_the_head_is_told_in_the_stream_and_ends_the_run(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    monkeypatch.setattr(ChatVoice, "deltas", raises(made(fault), at=2))
    gate = asyncio.Event()
    models.script("mock-echo", says("one", Hold(gate), "two", Hang()))
    with logged() as log:
        async with wire(gateway) as raw:
            raw.send(post(gateway, chat_body("hi", stream=True), "Connection: close"))
            so_far = await raw.until(b"so far")
            gate.set()
            seen = Seen(so_far + await raw.closed())
        assert [line["level"] for line in log.lines("delivery.failed")] == ["error"]
    assert (seen.status, seen.is_whole, seen.code) == (200, True, "internal_error")
    assert SECRET not in seen.text
    await gateway.wait_no_runs()
    await models.wait_aborted(1)


async def test_an_end_that_cannot_be_worded_is_a_failure_in_the_stream(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChatVoice, "end", raises(RuntimeError(SECRET)))
    gate = asyncio.Event()
    models.script("mock-echo", says("one", Hold(gate)))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True), "Connection: close"))
        so_far = await raw.until(b"one")
        gate.set()
        seen = Seen(so_far + await raw.closed())
    assert (seen.is_whole, seen.code) == (True, "internal_error")


async def test_a_stream_that_cannot_even_say_that_it_failed_is_cut(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one", Hold(gate), "two", Hang()))
    monkeypatch.setattr(ChatVoice, "deltas", raises(RuntimeError(SECRET), at=2))
    monkeypatch.setattr(ChatVoice, "failure", raises(RuntimeError(SECRET)))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True)))
        so_far = await raw.until(b"so far")
        gate.set()
        seen = Seen(so_far + await raw.closed())
    assert not seen.is_whole
    await gateway.wait_no_runs()
    await models.wait_aborted(1)


async def test_an_answer_that_cannot_be_worded_is_an_error(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChatVoice, "whole", raises(RuntimeError(SECRET)))
    seen = await got(gateway, stream=False)
    assert (seen.status, SECRET in seen.text) == (500, False)


@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_that_cannot_be_worded_is_an_error(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    models.script("mock-echo", fails(400))
    monkeypatch.setattr(ChatVoice, "refusal", raises(RuntimeError(SECRET)))
    seen = await got(gateway, stream=stream)
    assert (seen.status, SECRET in seen.text) == (500, False)


async def test_a_header_that_cannot_be_sent_ends_the_run_without_half_an_answer(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(request: Request, *_: object, **__: object) -> None:
        request.answer_headers["x-odd"] = "two\r\nlines"

    monkeypatch.setattr(chat_completions, "tell", tell)
    models.script("mock-echo", says("one", Hang()))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True)))
        assert await raw.closed() == b""
    await gateway.wait_no_runs()
    await models.wait_aborted(1)


@pytest.mark.parametrize("stream", [True, False])
async def test_what_fails_between_the_start_and_the_delivery_ends_the_run(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    def tell(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(chat_completions, "tell", tell)
    models.script("mock-echo", says("one", Hang()))
    assert (await got(gateway, stream=stream)).status == 500
    await gateway.wait_no_runs()


async def test_a_reader_whose_part_of_the_log_is_gone_is_told(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LogReader.batch

    async def batch(reader: LogReader, wait_s: float | None = None) -> Sequence[Event]:
        if reader._next > 3:
            raise EventsGone("Read faster.")
        return await whole(reader, wait_s)

    monkeypatch.setattr(LogReader, "batch", batch)
    monkeypatch.setattr(LogReader, "offer", lambda *_: None)
    gate = asyncio.Event()
    models.script("mock-echo", says("one", Hold(gate), "two", Hang()))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True), "Connection: close"))
        so_far = await raw.until(b"one")
        gate.set()
        seen = Seen(so_far + await raw.closed())
    assert (seen.is_whole, seen.code) == (True, "events_gone")
    assert seen.frames[-2]["error"]["message"] == "Read faster."
    await gateway.wait_no_runs()
    await models.wait_aborted(1)


@pytest.mark.promise("error.events_gone")
async def test_a_log_that_is_gone_before_the_head_has_a_status(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def batch(*_: object) -> Sequence[Event]:
        raise EventsGone("Read faster.")

    monkeypatch.setattr(LogReader, "batch", batch)
    seen = await got(gateway)
    error = msgspec.json.decode(seen.text)["error"]
    assert (seen.status, error["code"], error["message"]) == (410, "events_gone", "Read faster.")


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_endpoint_answers_twice(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    async def answer(_: object, request: Request, __: Principal) -> web.StreamResponse:
        stream = EventStream(request)
        await stream.send(b"data: 1\n\n")
        raise made(fault)

    monkeypatch.setattr(models_endpoint.Endpoint, "answer", answer)
    async with wire(gateway) as raw:
        raw.send(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ")
        raw.send(gateway.token.encode() + b"\r\n\r\n")
        seen = Seen(await raw.closed())
    assert (seen.text, seen.is_whole) == ("data: 1\n\n", False)


async def test_a_detached_run_goes_on_without_its_client(
    gateway: RunningGateway, models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"), says("Hello."))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("hi", stream=True, user="ada"), "x-openclaw-detach: true"))
        await raw.until(b"one")
        raw.drop()
    gate.set()
    await gateway.wait_no_runs()
    await say(gateway, "and?", user="ada")
    assert [message["content"] for message in models.requests[-1].messages[-2:]] == ["one two", "and?"]


async def test_a_stream_is_told_from_a_place_in_the_log(
    gateway: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started, the model called, and what it thought are what this client has."""
    monkeypatch.setattr(chat_completions, "Delivery", lambda *args, **more: Delivery(*args, **more, after=3))
    models.script("mock-echo", says(Reasoning("one "), "two ", "three"))
    seen = await got(gateway)
    deltas = [frame["choices"][0]["delta"] for frame in seen.frames[:-1]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "two three"
    assert not any("reasoning_content" in delta for delta in deltas)
