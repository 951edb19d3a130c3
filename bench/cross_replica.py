"""How much later a delta is heard at another replica than at the one that executes the run.

Both streams are read by this process, so that one clock times both: the difference of each event's arrival,
in milliseconds, over many runs at once, which begin spread over one gap between deltas, as strangers' would.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import perf_counter

import msgspec

from bench.gateway_process import TOKEN
from bench.load import percentile

_DEADLINE_S = 60.0


@dataclass(frozen=True)
class Later:
    """Milliseconds; `deltas` is how many were compared."""

    p50: float
    p99: float
    deltas: int
    wrong: tuple[str, ...]


async def later(
    here: int, there: int, model: str, *, deltas: int, gap_s: float, runs: int, rounds: int
) -> Later:
    """`here` and `there` are the ports of the two replicas."""
    found: list[float] = []
    wrong: list[str] = []

    async def one(number: int) -> None:
        await asyncio.sleep(gap_s * number / runs)
        for _ in range(rounds):
            try:
                async with asyncio.timeout(_DEADLINE_S):
                    found.extend(await _both(here, there, model, deltas))
            except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
                wrong.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*(one(number) for number in range(runs)))
    ordered = sorted(found)
    return Later(percentile(ordered, 0.5), percentile(ordered, 0.99), len(found), tuple(wrong[:3]))


async def _both(here: int, there: int, model: str, deltas: int) -> list[float]:
    body = {"model": f"openclaw/{model}", "stream": True, "messages": [{"role": "user", "content": "Count."}]}
    first = await _opened(here, "POST", "/v1/chat/completions", msgspec.json.encode(body))
    times: dict[str, float] = {}
    run_id = ""
    second: asyncio.Task[dict[str, float]] | None = None
    try:
        async for number, line, at in _events(first):
            times[number] = at
            if not run_id:
                run_id = str(msgspec.json.decode(line.removeprefix(b"data: "))["id"])
                second = asyncio.create_task(_followed(there, run_id))
    finally:
        first[1].close()
        if second is not None and len(times) < deltas:
            second.cancel()
    if second is None or len(times) < deltas:
        raise ValueError(f"{len(times)} events, not those of {deltas} deltas")
    elsewhere = await second
    if elsewhere.keys() != times.keys():
        raise ValueError(f"{len(elsewhere)} events there, {len(times)} here")
    # Those that the other reader was told of at once, when it came, were not waited for.
    numbers = list(times)
    return [(elsewhere[number] - times[number]) * 1000 for number in numbers[len(numbers) // 4 :]]


async def _followed(port: int, run_id: str) -> dict[str, float]:
    end = await _opened(port, "GET", f"/v1/chat/completions/{run_id}/events", b"")
    try:
        return {number: at async for number, _, at in _events(end)}
    finally:
        end[1].close()


_End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _opened(port: int, method: str, path: str, body: bytes) -> _End:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        "x-openclaw-detach: true\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    status = await reader.readline()
    if b" 200 " not in status:
        rest = await reader.read(2000)
        writer.close()
        raise ValueError(f"{status!r} {rest!r}")
    return reader, writer


async def _events(end: _End) -> AsyncIterator[tuple[str, bytes, float]]:
    """(its number, its data, when it was there). The gateway writes whole events, so that none is cut by the
    lengths between the pieces of a body."""
    number = ""
    while line := await end[0].readline():
        if line.startswith(b"id: "):
            number = line[4:].strip().decode()
        elif line.startswith(b"data: {"):
            yield number, line, perf_counter()
        elif line.startswith(b"data: [DONE]"):
            return
