"""Accepts connections in bursts, so that opening many is not held up by the streams that are open.

The event loop's own way takes one connection per turn (uvloop), and a turn is as long as all that the open
streams do in it. When there is no descriptor left, it closes the connections that wait without a word. Here
they wait in the kernel, and the log says so.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Protocol

import structlog

from openclaw_gateway.descriptors import EXHAUSTED
from openclaw_gateway.doors.connection import Connection

log = structlog.get_logger()

# Taken in one turn. What holds up the open streams is not the taking but what the requests start: line.py
# lets them begin a few at a time, and can refuse only what it sees.
_BURST = 128
_AGAIN_S = 0.1
_SAY_AGAIN_S = 10.0


class Admission(Protocol):
    """What decides about connections; server.py is one."""

    @property
    def is_crowded(self) -> bool: ...

    @property
    def spare(self) -> int: ...

    def admit(self, address: str, descriptor: int) -> Connection: ...

    def let_go(self, connection: Connection) -> None: ...


class Acceptor:
    """Owns the listening sockets and the tasks in which connections begin. Used on one event loop."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._loop = asyncio.get_running_loop()
        self._listening: dict[socket.socket, asyncio.TimerHandle | None] = {}
        self._beginning: set[asyncio.Task[None]] = set()
        self._silent_until = 0.0

    def listen(self, listening: socket.socket) -> None:
        """Take connections from this socket, which is ours from now on."""
        listening.settimeout(0)
        self._listening[listening] = None
        self._loop.add_reader(listening, self._accept, listening)

    async def close(self) -> None:
        """Stop listening. Connections that have begun go on."""
        for listening, later in self._listening.items():
            if later is not None:
                later.cancel()
            self._loop.remove_reader(listening)
            listening.close()
        self._listening.clear()
        await asyncio.gather(*self._beginning, return_exceptions=True)

    def _accept(self, listening: socket.socket) -> None:
        taken = 0
        while taken < self._burst():
            taken += 1
            try:
                accepted, peer = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._wait(listening, error)
                    return
                continue  # a client that has gone already
            accepted.settimeout(0)
            connection = self._admission.admit(str(peer[0]), accepted.fileno())
            task = self._loop.create_task(self._begin(connection, accepted), name="http.begin")
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)

    def _burst(self) -> int:
        """While refusing, only as many as can be heard before newer ones take their places."""
        return max(1, self._admission.spare // 4) if self._admission.is_crowded else _BURST

    async def _begin(self, connection: Connection, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(_giving(connection), accepted)
        except OSError:
            self._admission.let_go(connection)
            accepted.close()

    def _wait(self, listening: socket.socket, error: OSError) -> None:
        """There is no descriptor for who waits: look again soon, without turning in circles until then."""
        self._loop.remove_reader(listening)
        self._listening[listening] = self._loop.call_later(_AGAIN_S, self.listen, listening)
        now = self._loop.time()
        if now >= self._silent_until:
            self._silent_until = now + _SAY_AGAIN_S
            log.error(
                "http.cannot_accept",
                reason=os.strerror(error.errno or 0),
                advice="New connections wait. Raise the limit on open files (ulimit -n, LimitNOFILE).",
            )


def _giving(connection: Connection) -> Callable[[], Connection]:
    return lambda: connection
