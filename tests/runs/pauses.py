"""A process that is paused while something is on its way to it."""

import asyncio
import socket
import time


async def answered_while_paused(seconds: float) -> None:
    """What is waited for comes while this process comes to nothing for so long."""
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(0)
        answer = asyncio.create_task(asyncio.get_running_loop().sock_recv(here, 1))
        await asyncio.sleep(0)
        there.send(b"1")
        time.sleep(seconds)  # noqa: ASYNC251  the loop is held on purpose
        await answer
