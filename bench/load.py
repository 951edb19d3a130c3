"""The load: so many keep-alive clients, each asking again as soon as it has its answer, every answer checked.

Reads one job as JSON on standard input and writes one result as JSON; a process of its own, so that neither
its work nor its garbage is the gateway's.
"""

from __future__ import annotations

import asyncio
import sys
from array import array
from itertools import pairwise
from time import perf_counter
from typing import Any, Literal

import msgspec
import uvloop

from bench.http_client import Client, WrongAnswerError

Endpoint = Literal["/v1/chat/completions", "/v1/responses"]


class Job(msgspec.Struct):
    """`messages` go with every request; with `user`, request i is that of the user "<user>-<i>".
    With `kept` the gateway is asked to keep each answer, on disk before it is told, otherwise not to."""

    port: int
    token: str
    model: str
    stream: bool
    requests: int
    clients: int
    messages: list[dict[str, str]]
    expected: list[str]
    user: str = ""
    stagger_s: float = 0.0
    endpoint: Endpoint = "/v1/chat/completions"
    kept: bool = False


class Result(msgspec.Struct):
    """`errors` holds the first few in words; milliseconds everywhere but in `seconds`. `took` is from a
    request to its answer's end."""

    seconds: float
    wrong: int
    errors: list[str]
    first_delta_p50: float
    gap_p50: float
    gap_p99: float
    gap_max: float
    took_p50: float
    took_p99: float


class Text(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    message: Text | None = None
    delta: Text | None = None


class Answer(msgspec.Struct):
    choices: list[Choice] = []
    error: dict[str, Any] | None = None


class Part(msgspec.Struct):
    text: str = ""


class Item(msgspec.Struct):
    type: str
    content: list[Part] = []


class Response(msgspec.Struct):
    status: str
    output: list[Item]

    def text(self) -> str:
        return "".join(part.text for item in self.output if item.type == "message" for part in item.content)


class ResponseEvent(msgspec.Struct):
    type: str
    sequence_number: int
    delta: str = ""
    response: msgspec.Raw = msgspec.Raw()


decode = msgspec.json.Decoder(Answer).decode
decode_response = msgspec.json.Decoder(Response).decode
decode_event = msgspec.json.Decoder(ResponseEvent).decode


def check(body: bytes, job: Job) -> None:
    match job.endpoint:
        case "/v1/responses":
            check_response(body, job)
        case "/v1/chat/completions":
            check_completion(body, job)


def check_response(body: bytes, job: Job) -> None:
    if job.stream:
        datas = [
            part.partition(b"\ndata: ")[2] for part in body.split(b"\n\n") if part.startswith(b"event: ")
        ]
        events = [decode_event(data) for data in datas]
        if [event.sequence_number for event in events] != list(range(len(events))):
            raise WrongAnswerError("an event is missing, or two stand in the wrong order")
        texts = [event.delta for event in events if event.type == "response.output_text.delta"]
        if texts != job.expected:
            raise WrongAnswerError(
                f"{len(texts)} deltas, not the {len(job.expected)} expected: {body[:200]!r}"
            )
        if not events or events[-1].type != "response.completed":
            raise WrongAnswerError(f"the stream does not end with response.completed: {body[-200:]!r}")
        body = bytes(events[-1].response)
    response = decode_response(body)
    if response.status != "completed" or response.text() != "".join(job.expected):
        raise WrongAnswerError(f"not the expected text: {body[:200]!r}")


def check_completion(body: bytes, job: Job) -> None:
    if not job.stream:
        answer = decode(body)
        told = answer.choices[0].message if answer.choices else None
        if told is None or told.content != "".join(job.expected):
            raise WrongAnswerError(f"not the expected text: {body[:200]!r}")
        return
    events = [part for part in body.split(b"\n\n") if part and not part.startswith(b":")]
    if not events or events[-1] != b"data: [DONE]":
        raise WrongAnswerError(f"the stream does not end with [DONE]: {body[-200:]!r}")
    texts = []
    for part in events[:-1]:
        chunk = decode(part.removeprefix(b"data: "))
        if chunk.error is not None:
            raise WrongAnswerError(f"an error in the stream: {chunk.error}")
        texts += [c.delta.content for c in chunk.choices if c.delta is not None and c.delta.content]
    if texts != job.expected:
        raise WrongAnswerError(f"{len(texts)} deltas, not the {len(job.expected)} expected: {body[:200]!r}")


def write_request(job: Job, index: int) -> bytes:
    responses = job.endpoint == "/v1/responses"
    said = "input" if responses else "messages"
    question: dict[str, Any] = {"model": job.model, "stream": job.stream, said: job.messages}
    # What is the default goes without a word.
    if job.kept != responses:
        question["store"] = job.kept
    if job.user:
        question["user"] = f"{job.user}-{index}"
    body = msgspec.json.encode(question)
    head = (
        f"POST {job.endpoint} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\n"
        f"Authorization: Bearer {job.token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Load:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._next = iter(range(job.requests))
        self._errors: list[str] = []
        self._wrong = 0
        self._first = array("d")
        self._gaps = array("d")
        self._took = array("d")

    async def run(self) -> Result:
        began = perf_counter()
        await asyncio.gather(*(self._client(number) for number in range(self._job.clients)))
        seconds = perf_counter() - began
        gaps, took = sorted(self._gaps), sorted(self._took)
        return Result(
            seconds=seconds,
            wrong=self._wrong,
            errors=self._errors,
            first_delta_p50=percentile(sorted(self._first), 0.5),
            gap_p50=percentile(gaps, 0.5),
            gap_p99=percentile(gaps, 0.99),
            gap_max=percentile(gaps, 1.0),
            took_p50=percentile(took, 0.5),
            took_p99=percentile(took, 0.99),
        )

    async def _client(self, number: int) -> None:
        await asyncio.sleep(number * self._job.stagger_s)
        client: Client | None = None
        # All draw from one number of requests, so that none waits for a slower one at the end.
        for index in self._next:
            try:
                if client is None or not client.connected:
                    client = await self._connect()
                sent = perf_counter()
                body = await client.ask(write_request(self._job, index))
                check(body, self._job)
                self._note(sent, client.arrivals)
            except (WrongAnswerError, OSError, TimeoutError, ValueError, msgspec.MsgspecError) as error:
                self._wrong += 1
                if len(self._errors) < 3:
                    self._errors.append(f"{type(error).__name__}: {error}")
                if client is not None:
                    client.close()
                    client = None
        if client is not None:
            client.close()

    async def _connect(self) -> Client:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, "127.0.0.1", self._job.port)
        return client

    def _note(self, sent: float, arrivals: array[float]) -> None:
        self._took.append((perf_counter() - sent) * 1000)
        if arrivals:
            self._first.append((arrivals[0] - sent) * 1000)
        self._gaps.extend((b - a) * 1000 for a, b in pairwise(arrivals))


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


if __name__ == "__main__":
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(Load(job).run())))
