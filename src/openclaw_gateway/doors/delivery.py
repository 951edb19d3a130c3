"""An answer in flight: from a run that has been accepted to the last byte for its client.

The status waits for the first event that a client may be told of, a failure, or one second, so that a
provider that fails at once gives a real status; once an attempt has failed, it waits for what comes of the
others. What goes wrong after the head is told in the stream. A run that nobody will hear of any more is
aborted. Knows no dialect: a Voice words what is said.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

import structlog

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.answers import HttpAnswer, info_answer, json_answer
from openclaw_gateway.doors.event_stream import EventStream
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.told_stream import KEEPALIVE, ToldStream, end_of
from openclaw_gateway.doors.voice import Voice
from openclaw_gateway.errors import EventsGone, GatewayError, RunBegunAnew
from openclaw_gateway.runs.readers import Reader
from openclaw_gateway.runs.run import CLIENT_LEFT, UNDELIVERED, Run
from openclaw_gateway.sessions.bus import Subscription
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.wire.events import Event, ModelFailed, RunEnded, begins_anew
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

HOLD_S = 1.0
# Retries and fallback models have ten seconds in all; a client waits that long for its first byte.
HOLD_AFTER_FAILURE_S = 12.0
# Within this time a client that leaves may have been left by what is between: it has not seen the head.
HEAD_LOST_S = 1.0


class Delivery:
    """Delivers one run; enter it as soon as there is one:

        with Delivery(request, run, limits, started=...) as delivery:
            return await delivery.answer(voice, stream=...)

    Whatever leaves the block, a run that has not ended then is aborted, unless another client waits for it
    too, or it is `detached` and goes on without a client. One whose client may send its request again by
    itself is aborted only when it has not come back. `started` is when the request came, by the
    monotonic clock; `after` is the index in the run's log from which on a stream is told: what came before
    it, the client has. `silence` is what it is told instead of nothing; while the run waits for its session,
    how many are before it. With `tools` the voice of a stream is told of the agent's own tools. One that
    has `begun` before, for who comes back to it, stays a stream whatever came of it; `unsure` is as in
    ToldStream.

    The run is told what has been shown. An event counts as shown once the operating system has taken the
    last byte of its frame for the client's socket. What waited in our own buffer when the connection was
    lost was not shown; what the network lost after that cannot be known here.
    """

    def __init__(
        self,
        request: Request,
        run: Run,
        limits: Limits,
        *,
        started: float,
        after: int = 0,
        detached: bool = False,
        silence: bytes = KEEPALIVE,
        tools: bool = False,
        begun: bool = False,
        unsure: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._request = request
        self._run = run
        self._keepalive_s = limits.stream_keepalive_s
        self._started = started
        self._after = after
        self._detached = detached
        self._answered_at: float | None = None
        self._silence = silence
        self._tools = tools
        self._begun = begun
        self._unsure = unsure
        self._reader: Reader | None = None

    def __enter__(self) -> Self:
        self._request.enter_run()
        self._run.join()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._request.leave_run()
        if self._reader is not None:
            self._reader.close()
        reason = CLIENT_LEFT if self._request.is_abandoned else UNDELIVERED
        self._run.leave(None if self._detached else reason, returns=self._may_ask_again())

    def answer(self, voice: Voice, *, stream: bool) -> Awaitable[HttpAnswer | None]:
        """The answer, or None when it was streamed. Raises what the voice raises before the head has left,
        EventsGone, and ConnectionError when the client has left."""
        return self._stream(voice) if stream else self._whole(voice)

    async def _whole(self, voice: Voice) -> HttpAnswer:
        result = await self._run.wait()
        self._tell_time()
        if result.error is not None:
            return info_answer(result.error, voice.refusal(result.error))
        return json_answer(voice.whole(result))

    async def _stream(self, voice: Voice) -> HttpAnswer | None:
        self._reader = reader = self._run.reader(self._after, holds=not self._detached)
        events = await first_words(reader.log)
        self._tell_time()
        ended = end_of(events)
        failed = ended.result.error if ended is not None else None
        if failed is not None and not self._begun and not any(event.public for event in events):
            return info_answer(failed, voice.refusal(failed))
        told = ToldStream(
            self._request,
            voice,
            reader,
            after=self._after,
            keepalive_s=self._keepalive_s,
            silence=self._said_in_silence,
            tools=self._tools,
            is_over=lambda: self._run.result is not None,
            begun=self._begun,
            unsure=self._unsure,
        )
        stream = told.stream
        try:
            await told.tell(events)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
                raise
            if not stream.has_begun or (isinstance(error, ConnectionError) and self._request.is_abandoned):
                raise
            await self._fail(stream, voice, error)
        return None

    async def _fail(self, stream: EventStream, voice: Voice, error: BaseException) -> None:
        """End a stream that cannot go on, as its dialect ends it; where that is impossible, cut it."""
        if not isinstance(error, EventsGone | RunBegunAnew):
            log.error("delivery.failed", request=self._run.asked.request, run=self._run.id, exc_info=error)
        if not isinstance(error, GatewayError):
            error = GatewayError("The gateway failed while it sent this answer. Its log has the cause.")
        if not self._request.is_answered:
            # Of the head nothing could be sent, not even what says that it failed.
            self._request.cut()
            return
        try:
            await stream.finish(voice.failure(error_info(error)))
        except Exception:
            log.warning("delivery.cut", request=self._run.asked.request, run=self._run.id, exc_info=True)
            self._request.cut()

    def _said_in_silence(self) -> bytes:
        queued = self._run.queued
        if not queued:
            return self._silence
        place = b": queued %d\n\n" % queued
        return place if self._silence is KEEPALIVE else place + self._silence

    def _may_ask_again(self) -> bool:
        """Clients ask again by themselves when no head has come to them. Of one that has just left, nobody
        here knows whether it came through."""
        return self._answered_at is None or time.monotonic() - self._answered_at < HEAD_LOST_S

    def _tell_time(self) -> None:
        self._answered_at = now = time.monotonic()
        took_ms = int((now - self._started) * 1000)
        self._request.answer_headers["openai-processing-ms"] = str(took_ms)


async def first_words(log: Subscription) -> list[Event]:
    """Events up to the first that the client can be told of, or what there is after the hold time."""
    events: list[Event] = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    until = began + HOLD_S

    def noted(batch: Sequence[Event]) -> bool:
        # For what changes nothing here nobody is woken.
        if _are_told(batch, (RunEnded, ModelFailed)):
            return False
        events.extend(batch)
        return True

    log.offer(noted)
    try:
        while (left := until - loop.time()) > 0 and (batch := await log.batch(left)):
            if begins_anew(batch, len(events)):
                events.clear()
            events += batch
            if _are_told(batch, (RunEnded,)):
                break
            if any(isinstance(event, ModelFailed) for event in batch):
                until = began + HOLD_AFTER_FAILURE_S
    finally:
        log.offer(None)
    return events


def _are_told(events: Sequence[Event], kinds: tuple[type[Event], ...]) -> bool:
    """Whether a client may be told of any of them, or any is of one of these kinds."""
    # A loop: a generator costs as much as three events.
    for event in events:  # noqa: SIM110
        if event.public or isinstance(event, kinds):
            return True
    return False
