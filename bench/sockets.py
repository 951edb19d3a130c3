"""Clients of the control protocol that only listen: many WebSockets, let in, with subscriptions or without.

A process of its own. It prints "ready" once all have been let in, and for each line that it is sent how many
ends of runs it has heard. What it is told it throws away: it must cost less than what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.gateway_process import TOKEN, StartError, end

_AT_ONCE = 100
_DEADLINE_S = 60.0
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_END = b'"phase":"end","startedAt"'


def frame(value: object) -> bytes:
    """A text frame of a client; its mask is nought, which is a mask too."""
    data = json.dumps(value).encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + data


_CONNECT = frame(
    {
        "type": "req",
        "id": "1",
        "method": "connect",
        "params": {
            "minProtocol": 4,
            "maxProtocol": 4,
            "client": {"id": "bench", "version": "1", "platform": "linux", "mode": "backend"},
            "auth": {"token": TOKEN},
        },
    }
)
_SUBSCRIBE = frame({"type": "req", "id": "2", "method": "sessions.subscribe", "params": {}})
# What is sent once this has been read.
_STEPS = ((b"connect.challenge", _CONNECT), (b"hello-ok", _SUBSCRIBE), (b'"subscribed":true', b""))


class Listening(asyncio.Protocol):
    """`ready` is done when it has been let in, and subscribed if it is to be."""

    def __init__(self, *, subscribed: bool) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self.ends = 0
        self._steps = list(_STEPS if subscribed else _STEPS[:2])
        self._seen = b""

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        transport.write(_UPGRADE)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("not let in"))

    def data_received(self, data: bytes) -> None:
        if self.ready.done():
            self._seen = self._seen[-len(_END) + 1 :] + data
            self.ends += self._seen.count(_END)
            return
        self._seen += data
        while self._steps and self._steps[0][0] in self._seen:
            _, answer = self._steps.pop(0)
            self._seen = b""
            if not self._steps:
                self.ready.set_result(None)
            else:
                self._transport.write(answer)


async def listen(port: int, count: int, *, subscribed: bool) -> None:
    loop = asyncio.get_running_loop()
    clients: list[Listening] = []
    for first in range(0, count, _AT_ONCE):
        some = [Listening(subscribed=subscribed) for _ in range(min(_AT_ONCE, count - first))]
        for client in some:
            await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.wait_for(asyncio.gather(*(client.ready for client in some)), _DEADLINE_S)
        clients += some
    print("ready", flush=True)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        print(sum(client.ends for client in clients), flush=True)


@contextlib.contextmanager
def listening(port: int, count: int, *, subscribed: bool) -> Iterator[Callable[[int], int]]:
    """So many clients; what is given waits until they have heard so many ends of runs, and says how many.
    Raises StartError."""
    command = [sys.executable, "-m", "bench.sockets", str(port), str(count), str(int(subscribed))]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        asks, answers = child.stdin, child.stdout
        if answers.readline().strip() != "ready":
            raise StartError(f"{count} WebSockets were not let in")

        def heard(wanted: int) -> int:
            until = time.perf_counter() + _DEADLINE_S
            while True:
                asks.write("\n")
                asks.flush()
                ends = int(answers.readline())
                if ends >= wanted or time.perf_counter() > until:
                    return ends
                time.sleep(0.05)

        yield heard
    finally:
        end(child)
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


if __name__ == "__main__":
    asyncio.run(listen(int(sys.argv[1]), int(sys.argv[2]), subscribed=sys.argv[3] == "1"))
