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
