"""Threads that can be left behind: nobody waits for one that hangs, not even the end of the process."""

import asyncio
import subprocess
import sys
import threading

import pytest

from openclaw_gateway.work.threads import Threads

_HANGS = """
import asyncio, threading
from openclaw_gateway.work.threads import Threads

async def main():
    threads = Threads("t", most=2)
    try:
        await threads.run("a", threading.Event().wait, deadline_s=0.1)
    except TimeoutError:
        print("let go", flush=True)
    hanging = asyncio.create_task(threads.run("a", threading.Event().wait))
    await asyncio.sleep(0)
    hanging.cancel()
    threads.close()

asyncio.run(main())
print("ended", flush=True)
"""


async def test_what_it_returns_and_raises() -> None:
    threads = Threads("t", most=2)
    assert await threads.run("a", lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await threads.run("a", lambda: 1 // 0)
    assert await asyncio.gather(*(threads.run("a", threading.get_ident) for _ in range(20)))
    threads.close()


async def test_what_no_future_takes_is_told_all_the_same() -> None:
    threads = Threads("t", most=1)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await threads.run("a", lambda: next(iter(())))
    assert await threads.run("a", lambda: 1) == 1
    threads.close()


async def test_one_that_hangs_takes_nothing_from_others() -> None:
    threads = Threads("t", most=3, most_of_one=1)
    hangs = threading.Event()
    with pytest.raises(TimeoutError):
        await threads.run("a", hangs.wait, deadline_s=0.05)
    # Its own slot is taken until the disk answers; others go on.
    with pytest.raises(TimeoutError):
        await threads.run("a", lambda: 1, deadline_s=0.05)
    assert await threads.run("b", lambda: 2, deadline_s=20) == 2
    hangs.set()
    assert await threads.run("a", lambda: 3, deadline_s=20) == 3
    threads.close()


def test_a_process_ends_without_those_that_hang() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HANGS], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "let go\nended\n"


async def test_a_forgotten_pool_leaves_no_thread() -> None:
    threads = Threads("forgotten", most=2)
    await threads.run("a", lambda: None)
    del threads
    async with asyncio.timeout(20):
        while any(one.name.startswith("forgotten") for one in threading.enumerate()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
