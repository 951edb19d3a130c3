"""Slots: so many at once, so many of one, and the lines are served in turn."""

import asyncio

import pytest

from openclaw_gateway.work.slots import Slots


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_with_many_calls_does_not_keep_the_others_waiting() -> None:
    slots = Slots(2, 2)
    order: list[str] = []

    async def call(of: str, go: asyncio.Event) -> None:
        await slots.take(of)
        order.append(of)
        await go.wait()
        slots.give(of)

    go = asyncio.Event()
    greedy = [asyncio.create_task(call("a", go)) for _ in range(10)]
    await settle()
    modest = asyncio.create_task(call("b", go))
    await settle()
    assert (order, slots.taken) == (["a", "a"], 2)
    go.set()
    await asyncio.gather(*greedy, modest)
    assert order.index("b") <= 3
    assert slots.taken == 0


async def test_so_many_of_one_leave_room_for_others() -> None:
    slots = Slots(4, 2)
    for _ in range(2):
        await slots.take("a")
    third = asyncio.create_task(slots.take("a"))
    await slots.take("b")
    await settle()
    assert not third.done()
    slots.give("b")
    await settle()
    assert not third.done()
    slots.give("a")
    await third
    assert slots.taken == 2


@pytest.mark.parametrize("served", [False, True])
async def test_who_is_cancelled_takes_no_slot(*, served: bool) -> None:
    slots = Slots(1, 1)
    await slots.take("a")
    waiting = asyncio.create_task(slots.take("b"))
    await settle()
    if served:
        # Its turn comes in the same moment.
        slots.give("a")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if not served:
        slots.give("a")
    await settle()
    assert slots.taken == 0
    await slots.take("c")
