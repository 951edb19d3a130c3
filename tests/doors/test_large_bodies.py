"""Large bodies: decoded on a thread, one at a time, with the same errors as small ones."""

import asyncio
import threading

import pytest

from openclaw_gateway.doors.large_bodies import LARGE, LargeBodies
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import ask

DEADLINE_S = 5.0


async def test_a_small_body_is_decoded_where_it_is() -> None:
    assert await LargeBodies().decode(b"x" * LARGE, lambda _: threading.get_ident()) == threading.get_ident()


async def test_the_loop_goes_on_while_a_large_body_is_decoded() -> None:
    """The decoder waits for what only the loop can give."""
    given = threading.Event()
    decoding = asyncio.create_task(LargeBodies().decode(b"x" * (LARGE + 1), lambda _: given.wait(DEADLINE_S)))
    await asyncio.sleep(0)
    given.set()
    assert await decoding


async def test_large_bodies_are_decoded_one_at_a_time() -> None:
    bodies = LargeBodies()
    inside = 0
    most = 0

    def decode(data: bytes) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.01)
        inside -= 1
        return len(data)

    sizes = [LARGE + 1 + n for n in range(6)]
    async with asyncio.timeout(DEADLINE_S):
        got = await asyncio.gather(*(bodies.decode(b"x" * size, decode) for size in sizes))
    assert (got, most) == (sizes, 1)


@pytest.mark.parametrize("error", [None, InvalidRequest("wrong")])
async def test_a_client_that_leaves_keeps_its_turn_until_the_thread_is_done(error: Exception | None) -> None:
    """Else its body is held by a thread and counted by nobody, and the next is decoded beside it."""
    bodies = LargeBodies()
    entered, given, ended = threading.Event(), threading.Event(), threading.Event()

    def decode(_: bytes) -> None:
        entered.set()
        given.wait(DEADLINE_S)
        ended.set()
        if error is not None:
            raise error

    body = b"x" * (LARGE + 1)
    first = asyncio.create_task(bodies.decode(body, decode))
    async with asyncio.timeout(DEADLINE_S):
        assert await asyncio.to_thread(entered.wait, DEADLINE_S)
        first.cancel()
        second = asyncio.create_task(bodies.decode(body, lambda _: ended.is_set()))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not first.done()
        given.set()
        assert await second
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_wrong_large_body_raises_what_a_small_one_does() -> None:
    def decode(_: bytes) -> None:
        raise InvalidRequest("wrong")

    with pytest.raises(InvalidRequest):
        await LargeBodies().decode(b"x" * (LARGE + 1), decode)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"messages":[{"role":"user","content":"%s"}]}', 200), (b'{"messages":[{"role":"%s"}]}', 400)],
)
async def test_a_large_request_is_answered(
    gateway: RunningGateway, models: ModelServer, body: bytes, status: int
) -> None:
    answer = await ask(gateway, body % (b"word " * 60_000))
    assert answer.status == status
    assert len(models.requests) == (status == 200)


async def test_who_is_cancelled_again_and_again_hears_of_it_when_the_thread_is_done() -> None:
    entered, given = threading.Event(), threading.Event()

    def decode(_: bytes) -> None:
        entered.set()
        given.wait(DEADLINE_S)

    bodies = LargeBodies()
    decoding = asyncio.create_task(bodies.decode(b"x" * (LARGE + 1), decode))
    assert await asyncio.to_thread(entered.wait, DEADLINE_S)
    for _ in range(3):
        decoding.cancel()
        await asyncio.wait({decoding}, timeout=0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not decoding.done()
    given.set()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(DEADLINE_S):
            await decoding
