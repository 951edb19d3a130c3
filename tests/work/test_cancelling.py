"""A stretch of a task ends at its deadline or when it is told to; another's cancellation goes on."""

import asyncio

import pytest

from openclaw_gateway.work.cancelling import Interruptible, is_being_cancelled

_DEADLINE_S = 5.0


def _stretch(in_s: float | None = None) -> Interruptible:
    loop = asyncio.get_running_loop()
    return Interruptible(loop, None if in_s is None else loop.time() + in_s)


async def test_at_its_deadline() -> None:
    with pytest.raises(TimeoutError), _stretch(0.0):
        await asyncio.Event().wait()
    assert not is_being_cancelled()


@pytest.mark.parametrize("when", ["before", "inside", "both"])
async def test_when_it_is_told_to(when: str) -> None:
    stretch = _stretch()
    if when != "inside":
        stretch.end_soon()
    with pytest.raises(TimeoutError), stretch:
        if when != "before":
            stretch.end_soon()
        await asyncio.Event().wait()
    assert not is_being_cancelled()


async def test_what_was_done_in_time_stays_done() -> None:
    with _stretch(_DEADLINE_S) as nothing:
        await asyncio.sleep(0)
    assert nothing is None
    stretch = _stretch()
    with stretch:
        stretch.end_soon()
    stretch.end_soon()
    await asyncio.sleep(0)
    assert not is_being_cancelled()


async def test_a_cancellation_of_somebody_else_goes_on() -> None:
    began = asyncio.Event()

    async def work() -> None:
        stretch = _stretch()
        with stretch:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                stretch.end_soon()
                await asyncio.sleep(0)

    async with asyncio.timeout(_DEADLINE_S):
        task = asyncio.create_task(work())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_one_that_leaked_out_of_something_is_not_meant_for_the_task() -> None:
    with pytest.raises(asyncio.CancelledError), _stretch(_DEADLINE_S):
        raise asyncio.CancelledError
    assert not is_being_cancelled()
