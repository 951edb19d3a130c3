"""A model server that costs next to nothing, so that what is measured is the gateway and not the model.

`mock-<deltas>-<gap>` answers with so many text deltas, so many microseconds apart; a gap of 0 means all at
once, in one write. `mock-read-<deltas>-<gap>` first asks for the tool `read`, if it is offered one, and
answers with the text when the result is there; a result that is not the file's is an error 400. `GET /stats`
tells how many requests and how many body bytes have come, so that the bench can see that a conversation's
history really went upstream. Prints its port on the first line.
"""

from __future__ import annotations

import asyncio
import signal
from functools import lru_cache
from typing import Any

import msgspec
import uvloop

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
USAGE = b'"usage":{"prompt_tokens":9,"completion_tokens":20,"total_tokens":29}'
CHUNK = b'data: {"id":"chatcmpl-mock","object":"chat.completion.chunk","created":1,"model":"mock","choices":'


READ_FILE = "lines.txt"
READ_TEXT = "a line of the file"
READ_CALL = (
    b'"tool_calls":[{"index":0,"id":"call_bench","type":"function","function":{"name":"read","arguments":'
    + msgspec.json.encode(msgspec.json.encode({"path": READ_FILE}).decode())
    + b"}}]"
)


class StreamOptions(msgspec.Struct):
    include_usage: bool = False


class Question(msgspec.Struct):
    model: str
    stream: bool = False
    stream_options: StreamOptions | None = None


class Stats(msgspec.Struct):
    requests: int = 0
    body_bytes: int = 0


decode = msgspec.json.Decoder(Question).decode


def pieces(count: int) -> list[str]:
    """The deltas of an answer; the load generator expects exactly these."""
    return [f"tok{number} " for number in range(count)]


def in_chunk(payload: bytes) -> bytes:
    """One chunk of the HTTP chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def event(choice: bytes) -> bytes:
    return CHUNK + b'[{"index":0,' + choice + b"}]}\n\n"


@lru_cache
def delta(text: str) -> bytes:
    return event(b'"delta":{"content":' + msgspec.json.encode(text) + b'},"finish_reason":null')


ROLE = event(b'"delta":{"role":"assistant","content":""},"finish_reason":null')


def tail(*, usage: bool) -> bytes:
    finish = event(b'"delta":{},"finish_reason":"stop"')
    return finish + (CHUNK + b"[]," + USAGE + b"}\n\n" if usage else b"") + b"data: [DONE]\n\n"


@lru_cache
def whole_stream(count: int, *, usage: bool) -> bytes:
    payload = ROLE + b"".join(map(delta, pieces(count))) + tail(usage=usage)
    return STREAM_HEAD + in_chunk(payload) + b"0\r\n\r\n"


def plain(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


@lru_cache
def whole_answer(count: int) -> bytes:
    text = msgspec.json.encode("".join(pieces(count)))
    return plain(
        b'{"id":"chatcmpl-mock","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":' + text + b'},"finish_reason":"stop"}],' + USAGE + b"}"
    )


def read_first(body: bytes) -> bool:
    return b'"tools":' in body and b'"role":"tool"' not in body


def was_read(body: bytes) -> bool:
    return b'"role":"tool"' not in body or READ_TEXT.encode() in body


def stream_of_call(*, usage: bool) -> bytes:
    call = event(b'"delta":{"role":"assistant","content":null,' + READ_CALL + b'},"finish_reason":null')
    finish = event(b'"delta":{},"finish_reason":"tool_calls"')
    payload = call + finish + (CHUNK + b"[]," + USAGE + b"}\n\n" if usage else b"") + b"data: [DONE]\n\n"
    return STREAM_HEAD + in_chunk(payload) + b"0\r\n\r\n"


def whole_call() -> bytes:
    return plain(
        b'{"id":"chatcmpl-mock","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":null,'
        + READ_CALL
        + b'},"finish_reason":"tool_calls"}],'
        + USAGE
        + b"}"
    )


class Connection(asyncio.Protocol):
    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = 0
            if (at := head.find(b"\r\ncontent-length:")) >= 0:
                length = int(head[at + 17 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /stats "):
            self._transport.write(plain(msgspec.json.encode(self._stats)))
            return
        if not head.startswith(b"post ") or not body:
            self._transport.write(plain(b'{"error":{"message":"not served"}}', b"404 Not Found"))
            return
        self._stats.requests += 1
        self._stats.body_bytes += len(body)
        question = decode(body)
        _, count, gap = question.model.rsplit("-", 2)
        usage = question.stream_options is not None and question.stream_options.include_usage
        # Looking into the body costs the other models nothing.
        reads = question.model.startswith("mock-read-")
        if reads and not was_read(body):
            self._transport.write(plain(b'{"error":{"message":"the file was not read"}}', b"400 Bad Request"))
        elif reads and read_first(body):
            self._transport.write(stream_of_call(usage=usage) if question.stream else whole_call())
        elif not question.stream:
            self._transport.write(whole_answer(int(count)))
        elif gap == "0":
            self._transport.write(whole_stream(int(count), usage=usage))
        else:
            self._transport.write(STREAM_HEAD + in_chunk(ROLE))
            self._pace(pieces(int(count)), 0, int(gap) / 1e6, self._loop.time(), usage)

    def _pace(self, texts: list[str], index: int, gap: float, began: float, usage: bool) -> None:
        """Against the clock of the beginning, so that a late delta does not make all others late."""
        self._transport.write(in_chunk(delta(texts[index])))
        index += 1
        if index < len(texts):
            self._timer = self._loop.call_at(began + index * gap, self._pace, texts, index, gap, began, usage)
        else:
            self._timer = None
            self._transport.write(in_chunk(tail(usage=usage)) + b"0\r\n\r\n")


async def main() -> None:
    loop, stats = asyncio.get_running_loop(), Stats()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Connection(stats), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(main())
