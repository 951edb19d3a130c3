"""Who begins when: a few at a time, in order, never later than the limit; what a held loop tells."""

import asyncio
import socket
import sys
import time
from urllib.parse import urlsplit

import pytest

from openclaw_gateway.doors import line as doors_line
from openclaw_gateway.doors.connection import Connection
from openclaw_gateway.doors.lateness import Lateness, refusal
from openclaw_gateway.doors.line import BATCH, FEW, TURNS, Line
from openclaw_gateway.errors import Overloaded
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.raw import Wire, wire

DEADLINE_S = 5.0
HELD_S = 0.5
ASK = b'{"messages":[{"role":"user","content":"hi"}]}'
MODELS = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n"


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if many runs were going on."""
    monkeypatch.setattr(doors_line, "FEW", 0)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("waited", "refused"), [(0.0, False), (1.0, False), (1.001, True), (60.0, True)])
def test_a_wait_beyond_the_limit_is_refused(waited: float, refused: bool) -> None:
    late = refusal(waited, 1.0)
    assert (late is not None) is refused
    if late is not None:
        assert late.retry_after == 1
        assert "startWithinSeconds" in late.message


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def begin(line: Line, begun: list[int], count: int, arrived: float = 100.0) -> list[asyncio.Task[None]]:
    async def one(number: int) -> None:
        await line.begin(arrived, 1.0, FEW)
        begun.append(number)

    return [asyncio.create_task(one(number)) for number in range(count)]


async def test_a_batch_goes_through_its_turns_before_the_next_begins() -> None:
    begun: list[int] = []
    waiting = begin(Line(Clock()), begun, 2 * BATCH + 1)
    await turns(TURNS)
    assert begun == list(range(BATCH))
    await turns(TURNS)
    assert begun == list(range(2 * BATCH))
    await turns(TURNS)
    assert begun == list(range(2 * BATCH + 1))
    await asyncio.gather(*waiting)


async def test_nobody_waits_where_there_is_no_line() -> None:
    clock = Clock()
    line = Line(clock)
    begun: list[int] = []
    for _ in range(3):
        tasks = begin(line, begun, BATCH, clock.now)
        await turns(2)
        assert all(task.done() for task in tasks)
        clock.now += 0.1
    assert len(begun) == 3 * BATCH


async def test_who_comes_while_there_is_a_line_stands_at_its_end() -> None:
    clock = Clock()
    line = Line(clock)
    begun: list[int] = []
    first = begin(line, begun, BATCH + 1)
    await turns(1)
    clock.now += 0.5
    later: list[int] = []
    last = begin(line, later, 1)
    await turns(2)
    assert (len(begun), later) == (BATCH, [])
    await asyncio.gather(*first, *last)
    assert (len(begun), later) == (BATCH + 1, [0])


async def test_who_has_waited_too_long_is_refused_and_takes_no_place_in_a_batch() -> None:
    clock = Clock()
    line = Line(clock)
    begun: list[int] = []
    old = begin(line, begun, 2 * BATCH)
    await turns(1)
    new: list[int] = []
    clock.now += 1.5
    young = begin(line, new, BATCH, clock.now)
    await turns(TURNS + 1)
    assert len(begun) == BATCH
    assert len(new) == BATCH
    outcomes = await asyncio.gather(*old, *young, return_exceptions=True)
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == BATCH


async def test_who_would_be_too_late_is_refused_as_soon_as_that_can_be_seen() -> None:
    """By how long batches take: 0.19 s by the first, so the fourth is through in time, the fifth is not."""
    clock = Clock()
    line = Line(clock)
    begun: list[int] = []
    waiting = begin(line, begun, 5 * BATCH)
    await turns(2)
    clock.now += 0.38
    await turns(TURNS)
    assert begun == list(range(2 * BATCH))
    assert [task.done() for task in waiting] == [True] * 2 * BATCH + [False] * 2 * BATCH + [True] * BATCH
    with pytest.raises(Overloaded):
        await line.begin(clock.now - 0.5, 1.0, FEW)
    await turns(2 * TURNS)
    assert begun == list(range(4 * BATCH))
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_who_leaves_the_line_takes_no_place_in_a_batch() -> None:
    line = Line(Clock())
    begun: list[int] = []
    tasks = begin(line, begun, 3 * BATCH)
    await turns(1)
    for task in tasks[BATCH : 2 * BATCH]:
        task.cancel()
    await turns(TURNS + 1)
    assert begun == [*range(BATCH), *range(2 * BATCH, 3 * BATCH)]
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_loop_knows_how_late_it_is() -> None:
    loop = asyncio.get_running_loop()
    lateness = Lateness(loop)
    time.sleep(HELD_S)  # noqa: ASYNC251  the loop is held on purpose
    assert lateness.late_s >= HELD_S - 0.2
    lateness.close()


async def held(raw: Wire, request: bytes) -> None:
    """Send a request, and hold the loop that has to read it."""
    raw.send(request)
    time.sleep(HELD_S)  # noqa: ASYNC251


@pytest.mark.promise("limit.startWithinSeconds", "error.overloaded", "overload")
@pytest.mark.parametrize("kept_alive", [False, True])
@pytest.mark.usefixtures("busy")
async def test_a_request_that_a_held_loop_left_waiting_is_refused(
    models: ModelServer, kept_alive: bool
) -> None:
    soon = {"gateway": {"limits": {"startWithinSeconds": 0.2}}}
    async with running_gateway(model_config(models.base_url, soon)) as gateway, wire(gateway) as raw:
        listing = MODELS.format(gateway.token).encode()
        if kept_alive:
            raw.send(listing)
            assert (await raw.answer()).status == 200
        await held(raw, listing)
        answer = await raw.answer()
        assert (answer.status, answer.code) == (503, "overloaded")
        assert b"Retry-After: 1\r\n" in answer.head
        # It was not the client's fault: the same connection is served when there is time.
        raw.send(listing)
        assert (await raw.answer()).status == 200
    assert not models.requests


@pytest.mark.promise("overload")
@pytest.mark.usefixtures("busy")
async def test_a_probe_is_answered_however_late(models: ModelServer) -> None:
    soon = {"gateway": {"limits": {"startWithinSeconds": 0.05}}}
    async with running_gateway(model_config(models.base_url, soon)) as gateway:
        for path in ("/health", "/ready"):
            async with wire(gateway) as raw:
                await held(raw, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                assert (await raw.answer()).status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long bytes lay in the kernel")
@pytest.mark.usefixtures("busy")
async def test_waiting_to_be_accepted_counts(models: ModelServer) -> None:
    """A connection is accepted by a loop that was held, though by then it is punctual again."""
    soon = {"gateway": {"limits": {"startWithinSeconds": 0.2}}}
    async with running_gateway(model_config(models.base_url, soon)) as gateway:
        with socket.create_connection(
            ("127.0.0.1", urlsplit(gateway.url).port), timeout=DEADLINE_S
        ) as client:
            client.sendall(MODELS.format(gateway.token).encode())
            time.sleep(HELD_S)  # noqa: ASYNC251
            client.setblocking(False)  # noqa: FBT003
            async with asyncio.timeout(DEADLINE_S):
                said = await asyncio.get_running_loop().sock_recv(client, 65536)
    assert said.startswith(b"HTTP/1.1 503 ")


async def test_a_client_that_is_slow_itself_is_not_refused(gateway: RunningGateway) -> None:
    """Between its connection, its head and its body there is more than a moment."""
    async with wire(gateway) as raw:
        head = MODELS.format(gateway.token).encode()
        raw.send(head[:20])
        await asyncio.sleep(1.2)
        raw.send(head[20:])
        assert (await raw.answer()).status == 200


@pytest.mark.usefixtures("busy")
async def test_a_request_upon_the_last_byte_of_an_answer_is_as_new_as_any(
    models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read before the connection has begun to wait for it; the answer before may have taken long."""
    monkeypatch.setattr(Connection, "awaits_head", property(lambda self: self.requests_seen == 0))
    soon = {"gateway": {"limits": {"startWithinSeconds": 0.2}}}
    async with running_gateway(model_config(models.base_url, soon)) as gateway, wire(gateway) as raw:
        listing = MODELS.format(gateway.token).encode()
        for _ in range(2):
            raw.send(listing)
            assert (await raw.answer()).status == 200
            await asyncio.sleep(0.3)


async def test_a_gateway_with_little_to_do_serves_however_late(models: ModelServer) -> None:
    """It has just started, or its machine was asleep: that is no crowd."""
    soon = {"gateway": {"limits": {"startWithinSeconds": 0.05}}}
    async with running_gateway(model_config(models.base_url, soon)) as gateway, wire(gateway) as raw:
        await held(raw, MODELS.format(gateway.token).encode())
        assert (await raw.answer()).status == 200


@pytest.mark.usefixtures("busy")
async def test_a_stranger_is_told_so_and_takes_no_place_in_the_line(models: ModelServer) -> None:
    soon = {"gateway": {"limits": {"startWithinSeconds": 0.05}}}
    async with running_gateway(model_config(models.base_url, soon)) as gateway, wire(gateway) as raw:
        await held(raw, MODELS.format("not-the-token").encode())
        assert (await raw.answer()).status == 401
