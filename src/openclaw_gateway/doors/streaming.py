"""A run as a stream of server-sent events.

The status line waits for the first word of the model, a failure, or one second, so that a provider that
fails at once gives a real status; once an attempt has failed, it waits for what comes of the others. What
one read of the log brings is written in one piece. A silent stream is kept alive by comments.
"""

import asyncio
import time
from collections.abc import Sequence

from aiohttp import web

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.answers import EventStream, info_response
from openclaw_gateway.doors.openai.chunks import KEEPALIVE, ChatChunks, failure
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.bus import Subscription
from openclaw_gateway.wire.events import (
    Compacted,
    Event,
    ModelCalled,
    ModelFailed,
    RunEnded,
    RunStarted,
    ToolEnded,
    ToolStarted,
    ToolUpdated,
    UsageReported,
)

HOLD_S = 1.0
# Retries and fallback models have ten seconds in all; a client waits that long for its first byte.
HOLD_AFTER_FAILURE_S = 12.0
# What goes on inside: no client of this door is told, so none of it commits us to a status.
_UNSEEN = (
    RunStarted,
    ModelCalled,
    ModelFailed,
    ToolStarted,
    ToolUpdated,
    ToolEnded,
    Compacted,
    UsageReported,
)


async def stream_run(
    request: Request,
    run: Run,
    chunks: ChatChunks,
    limits: Limits,
    *,
    include_usage: bool,
    started: float,
) -> web.StreamResponse:
    """Write the run to the client."""
    log = run.events()
    try:
        events: Sequence[Event] = await _first_words(log)
        request.answer_headers["openai-processing-ms"] = str(int((time.monotonic() - started) * 1000))
        ended = _end(events)
        if ended is not None and ended.result.error is not None and not _has_said(events):
            return info_response(ended.result.error)
        stream = EventStream()
        await stream.prepare(request)
        piece = chunks.role() + chunks.deltas(events)
        due = 0.0
        while ended is None:
            if piece:
                await stream.write(piece)
                due = time.monotonic() + limits.stream_keepalive_s
            events = await log.batch(due - time.monotonic())
            # Events that the client is not told of are silence to whatever is between.
            piece = chunks.deltas(events) or (KEEPALIVE if time.monotonic() >= due else b"")
            ended = _end(events)
        result = ended.result
        last = (
            failure(result.error)
            if result.error is not None
            else chunks.end(result.finish_reason, result.usage if include_usage else None)
        )
        await stream.write_eof(piece + last)
        return stream
    finally:
        log.close()


async def _first_words(log: Subscription) -> list[Event]:
    """Events up to the first that the client can be told of, or what there is after the hold time."""
    events: list[Event] = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    until = began + HOLD_S
    while (left := until - loop.time()) > 0 and (batch := await log.batch(left)):
        events += batch
        if not all(isinstance(event, _UNSEEN) for event in batch):
            break
        if any(isinstance(event, ModelFailed) for event in batch):
            until = began + HOLD_AFTER_FAILURE_S
    return events


def _end(events: Sequence[Event]) -> RunEnded | None:
    last = events[-1] if events else None
    return last if isinstance(last, RunEnded) else None


def _has_said(events: Sequence[Event]) -> bool:
    return any(not isinstance(event, (*_UNSEEN, RunEnded)) for event in events)
