"""What a scripted model answers: replies made of steps, and short ways to write them.

Plain values: nothing here does anything. `model_server` plays them and says the same names again, so
that a test imports from one place.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from openclaw_gateway.wire.run import Usage

DEFAULT_USAGE = Usage(10, 5, 15)


@dataclass(frozen=True, slots=True)
class Text:
    """A text delta; a plain str in a script means the same."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A reasoning delta in `field`: vendors use `reasoning_content` or `reasoning`."""

    text: str
    field: str = "reasoning_content"


@dataclass(frozen=True, slots=True)
class Call:
    """The model calls a tool. `arguments` is JSON text and comes in pieces of `size` characters."""

    name: str
    arguments: str = "{}"
    id: str = "call_1"
    size: int = 8

    def pieces(self) -> list[str]:
        return [self.arguments[at : at + self.size] for at in range(0, len(self.arguments), self.size)]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One SSE event with any JSON payload, such as {"error": {...}} in the middle of a stream."""

    payload: Any


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they are."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """Send what is there now; at the start of a script: the status line and headers alone."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Send what is there, then wait until the test sets the event."""

    gate: asyncio.Event


@dataclass(frozen=True, slots=True)
class Pause:
    """Send what is there, then wait; for benches and demonstrations, tests use Hold."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Send what is there, then nothing ever. As first step: not even a status line."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Send what is there, then drop the connection without ending the response."""


Step = Text | Reasoning | Call | Chunk | Raw | Flush | Hold | Pause | Hang | Cut


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Status and headers leave with the first bytes, so a leading Hold or Hang is before them.

    After the steps of a 200 stream come the finish chunk (`finish`, None = none), the usage chunk if
    the request asked for it (`usage`, None = never) and `[DONE]` (`done`). `split` writes the body in
    pieces of that many bytes. `as_json` answers one JSON object although a stream was asked for.
    `refuses_stream_options` answers 400 as long as the request has `stream_options`. `embeds` ends it with
    the vectors that were asked for.
    """

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    finish: str | None = "stop"
    usage: Usage | None = DEFAULT_USAGE
    done: bool = True
    split: int | None = None
    as_json: bool = False
    refuses_stream_options: bool = False
    embeds: bool = False


def embeds(*steps: Step, usage: bool = True) -> Reply:
    """After these steps, the vectors of the inputs (`embedding_voices`), with their tokens if `usage`."""
    return Reply(steps=steps, finish=None, usage=DEFAULT_USAGE if usage else None, done=False, embeds=True)


def says(
    *steps: str | Step,
    finish: str | None = "stop",
    usage: Usage | None = DEFAULT_USAGE,
    done: bool = True,
    split: int | None = None,
    as_json: bool = False,
    refuses_stream_options: bool = False,
) -> Reply:
    """A stream of these deltas, ended as a good provider ends it."""
    return Reply(
        steps=tuple(Text(step) if isinstance(step, str) else step for step in steps),
        finish=finish,
        usage=usage,
        done=done,
        split=split,
        as_json=as_json,
        refuses_stream_options=refuses_stream_options,
    )


def calls(*steps: str | Step, usage: Usage | None = DEFAULT_USAGE, as_json: bool = False) -> Reply:
    """Says nothing more than these steps; `Call`s among them end it with the finish reason for calls."""
    return says(*steps, finish="tool_calls", usage=usage, as_json=as_json)


def fails(
    status: int,
    message: str = "scripted failure",
    *,
    code: str | None = None,
    retry_after: str | None = None,
    body: bytes | None = None,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An HTTP error, by default with the body OpenAI sends; `body` replaces it."""
    if body is None:
        body = msgspec.json.encode({"error": {"message": message, "type": "scripted", "code": code}})
    all_headers = dict(headers or {})
    if retry_after is not None:
        all_headers["Retry-After"] = retry_after
    return sends(body, status=status, content_type=content_type, headers=all_headers)


def sends(
    *parts: bytes | Step,
    status: int = 200,
    content_type: str = "text/event-stream",
    headers: Mapping[str, str] | None = None,
    split: int | None = None,
) -> Reply:
    """Exactly these bytes as the body."""
    return Reply(
        steps=tuple(Raw(part) if isinstance(part, bytes) else part for part in parts),
        status=status,
        headers=dict(headers or {}),
        content_type=content_type,
        finish=None,
        usage=None,
        done=False,
        split=split,
    )


def hangs() -> Reply:
    """Takes the request and never answers."""
    return Reply(steps=(Hang(),))
