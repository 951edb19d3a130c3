"""Waiting without blocking: a bare future, and a timer only when there is a limit.

Cheaper than asyncio.Event or Condition, which make a future anyway and a task when they have a limit.
"""

import asyncio


async def wait(loop: asyncio.AbstractEventLoop, waiter: "asyncio.Future[bool]", wait_s: float | None) -> bool:
    if wait_s is None:
        return await waiter
    timer = loop.call_later(wait_s, _expire, waiter)
    try:
        return await waiter
    finally:
        timer.cancel()


def _expire(waiter: "asyncio.Future[bool]") -> None:
    settle(waiter, result=False)


def settle(waiter: "asyncio.Future[bool]", *, result: bool) -> bool:
    if waiter.done():
        return False
    waiter.set_result(result)
    return True
