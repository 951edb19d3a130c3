"""Streams that are cut at one replica and go on at another, against the same stream uncut."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import msgspec
from msgspec import Struct

from openclaw_gateway.testing.model_server import ModelServer, Pause, Reasoning, says
from tests.cluster.replicas import Replica, headers

CHAT = "/v1/chat/completions"
MODEL = "mock-resumed"
_AT_ONCE = 8
_READERS = 10
_PACE_S = 0.002
_DEADLINE_S = 60.0


class Resumed(Struct, frozen=True):
    """`cuts` streams were cut and went on at another replica; `wrong` are those that were not the same bytes
    as the uncut stream, in words."""

    cuts: int
    wrong: tuple[str, ...]


def script(models: ModelServer) -> None:
    pieces: list[str | Reasoning | Pause] = []
    for number in range(30):
        pieces += (Pause(_PACE_S), f"word{number} ")
        if number % 10 == 5:
            pieces += (Reasoning("hm é\u2028"), "two\n\nlines 🙂 ")
    models.script(MODEL, says(*pieces))


async def resumed(replicas: Sequence[Replica], cuts: int, chance: random.Random) -> Resumed:
    """Each run is followed at work by so many readers who are cut, and read whole when it has ended."""
    wrong: list[str] = []
    room = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def one(readers: int) -> None:
            async with room:
                wrong.extend(await _one(http, replicas, readers, chance))

        left = [min(_READERS, cuts - done) for done in range(0, cuts, _READERS)]
        async with asyncio.TaskGroup() as every:
            for readers in left:
                every.create_task(one(readers))
    return Resumed(cuts, tuple(wrong))


async def _one(
    http: aiohttp.ClientSession, replicas: Sequence[Replica], readers: int, chance: random.Random
) -> list[str]:
    first = chance.choice(replicas)
    body = {"messages": [{"role": "user", "content": "hi"}], "stream": True}
    detached = headers({"x-openclaw-detach": "true"})
    async with await _taken(
        lambda: http.post(f"{first.url}{CHAT}", data=msgspec.json.encode(body), headers=detached)
    ) as response:
        head = await _frame(response)
        run_id = str(msgspec.json.decode(head.partition(b"data: ")[2])["id"])
        cut = [asyncio.create_task(_cut(http, replicas, run_id, chance)) for _ in range(readers)]
        whole = head + await response.content.read()
    found = await asyncio.gather(*cut)
    frames = frames_of(whole)
    numbers = [number_of(frame) for frame in frames]
    wrong = [] if numbers == list(range(1, len(frames) + 1)) else [f"{run_id}: the uncut stream is {numbers}"]
    if not frames or not frames[-1].endswith(b"data: [DONE]\n\n"):
        wrong.append(f"{run_id}: the uncut stream ends with {whole[-100:]!r}")
    return [*wrong, *(f"{run_id}: {how}" for how, got in found if got != frames)]


async def _cut(
    http: aiohttp.ClientSession, replicas: Sequence[Replica], run_id: str, chance: random.Random
) -> tuple[str, list[bytes]]:
    """(what was done, the frames that were read): from the first frame, cut somewhere, on from there."""
    before, after = chance.sample(list(replicas), 2)
    most = chance.randrange(0, 9_000)
    got = b""
    address = f"{CHAT}/{run_id}/events"
    response = await _asked(http, f"{before.url}{address}", {})
    while len(got) < most and (piece := await response.content.readany()):
        got += piece
    response.close()
    had = frames_of(got[:most])
    last = number_of(had[-1]) if had else 0
    resumed = {"Last-Event-ID": str(last)} if last else {}
    response = await _asked(http, f"{after.url}{address}", resumed)
    rest = await response.content.read()
    how = f"{last} at {before.name}, then {response.status} at {after.name}"
    return how, [*had, *frames_of(rest)]


async def _asked(http: aiohttp.ClientSession, url: str, resumed: dict[str, str]) -> aiohttp.ClientResponse:
    return await _taken(lambda: http.get(url, headers=headers(resumed)))


async def _taken(ask: Callable[[], Awaitable[aiohttp.ClientResponse]]) -> aiohttp.ClientResponse:
    """The answer, close it; one that is to be asked for again in a moment, on a machine that is busy, is."""
    async with asyncio.timeout(_DEADLINE_S):
        while True:
            response = await ask()
            if response.status != 503 or "Retry-After" not in response.headers:
                return response
            response.close()
            await asyncio.sleep(float(response.headers["Retry-After"]))


async def _frame(response: aiohttp.ClientResponse) -> bytes:
    frame = b""
    while not frame.endswith(b"\n\n") or frame.startswith(b":"):
        line = await response.content.readline()
        if not line:
            raise ValueError(f"status {response.status}: {frame!r}")
        frame = line if frame.startswith(b":") and frame.endswith(b"\n\n") else frame + line
    return frame


def frames_of(text: bytes) -> list[bytes]:
    """Whole frames, with their end, but for comments."""
    return [frame + b"\n\n" for frame in text.split(b"\n\n")[:-1] if not frame.startswith(b":")]


def number_of(frame: bytes) -> int:
    return int(frame[4 : frame.index(b"\n")]) if frame.startswith(b"id: ") else -1
