"""What the programs share: they do with their client what they are told on stdin, one line a task, and say
on stdout what they saw.

A task is a JSON object: `do` (the function to call) and what a `Call` has. The answer is a line that begins
with "saw " and goes on with a JSON object: what the function returned, {"absent": true} if the program has
none of that name, and where it raised {"error": {status, message, kind}}, with the pieces that came before.
Knows no client and nothing of the gateway.
"""

import asyncio
import inspect
import json
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

WEATHER_ABOUT = "The weather in a city."
SCHEMA_NAME = "weather"
_DEEPEST_CAUSE = 8


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"rain in {city}"


@dataclass(frozen=True)
class Call:
    """`retries` None leaves the client's own number; `image` is a data URL of a PNG."""

    base_url: str
    api_key: str
    model: str = "openclaw"
    text: str = "hi"
    messages: list[dict[str, str]] = field(default_factory=list)
    user: str | None = None
    retries: int | None = 0
    image: str = ""
    texts: list[str] = field(default_factory=list)

    @property
    def conversation(self) -> list[dict[str, Any]]:
        return list(self.messages or [{"role": "user", "content": self.text}])

    @property
    def client_options(self) -> dict[str, Any]:
        """As the `openai` package and what is made on it call them."""
        options = {"base_url": self.base_url, "api_key": self.api_key}
        return options if self.retries is None else {**options, "max_retries": self.retries}

    @property
    def named_user(self) -> dict[str, str]:
        return {} if self.user is None else {"user": self.user}


def serve(known: Mapping[str, Any]) -> None:
    """Until stdin ends. `stream` yields the pieces of text; the others return what they saw. Where there is
    no `cancel`, it is `stream` left after the first piece."""
    warnings.simplefilter("ignore")
    asyncio.run(_serve(known))


async def _serve(known: Mapping[str, Any]) -> None:
    # The loop turns while nothing is asked: what a client ends in the background has to end.
    while line := await asyncio.to_thread(sys.stdin.readline):
        task = json.loads(line)
        seen = await _done(task.pop("do"), Call(**task), known)
        print("saw " + json.dumps(seen), flush=True)  # noqa: T201


async def _done(name: str, call: Call, known: Mapping[str, Any]) -> dict[str, Any]:
    own = known.get(name)
    does = known.get("stream") if name == "cancel" and own is None else own
    if does is None:
        return {"absent": True}
    seen: dict[str, Any] = {}
    try:
        if name == "stream" or (name == "cancel" and own is None):
            pieces: list[str] = []
            seen["pieces"] = pieces
            await _read(does(call), pieces, most=1 if name == "cancel" else None)
        elif inspect.iscoroutinefunction(does):
            seen = await does(call)
        else:
            seen = await asyncio.to_thread(does, call)
    except Exception as error:  # noqa: BLE001 - whatever a client raises is what is asked for
        seen["error"] = told(error)
    return seen


async def _read(stream: AsyncIterator[str] | Iterator[str], pieces: list[str], most: int | None) -> None:
    """All that is said, or the first piece and then no more."""
    if isinstance(stream, Iterator):
        await asyncio.to_thread(_read_beside, stream, pieces, most)
        return
    async for piece in stream:
        pieces.append(piece)
        if len(pieces) == most:
            await stream.aclose()  # type: ignore[attr-defined]
            return


async def in_a_task(
    reads: Callable[[Callable[[str], Awaitable[None]]], Awaitable[Any]],
) -> AsyncIterator[str]:
    """The pieces that `reads` hands to the function it is given; who leaves them cancels the task."""
    pieces: asyncio.Queue[str | None] = asyncio.Queue()

    async def read() -> None:
        try:
            await reads(pieces.put)
        finally:
            pieces.put_nowait(None)

    reading = asyncio.create_task(read())
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
        await reading
    finally:
        reading.cancel()
        await asyncio.wait({reading})


def _read_beside(stream: Iterator[str], pieces: list[str], most: int | None) -> None:
    for piece in stream:
        pieces.append(piece)
        if len(pieces) == most:
            stream.close()  # type: ignore[attr-defined]


def told(error: BaseException) -> dict[str, Any]:
    """Its status, wherever in the chain a client keeps it, and all that the chain says."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(chain) < _DEEPEST_CAUSE:
        chain.append(at)
        at = at.__cause__ or at.__context__
    statuses = (getattr(each, "status_code", None) for each in chain)
    return {
        "kind": type(error).__name__,
        "status": next((status for status in statuses if isinstance(status, int)), None),
        "message": str(error),
    }
