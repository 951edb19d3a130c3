"""Tells a client what goes on in one session, for as long as it listens: turn after turn, whoever began them.

A turn that goes on is told from its beginning. Between turns the stream is kept alive; it ends when the
gateway stops, and a client that leaves ends nothing. Each run's log is read since the run was heard of, so
that nothing of it is missed; a client so far behind that many runs wait for it is let go.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.agents.events import TurnVoice
from openclaw_gateway.doors.event_stream import EventStream
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.told_stream import KEEPALIVE, SLICE, end_of
from openclaw_gateway.errors import EventsGone, GatewayError, RunBegunAnew
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.readers import Reader
from openclaw_gateway.runs.run import Run
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.wire.events import RunEnded, begins_anew

MOST_WAITING = 128
CONNECTED = b": connected\n\n"

Json = dict[str, Any]


class SessionStream:
    """Enter it before anything is sent to the session. `shown` gives the session as it is now."""

    def __init__(
        self,
        request: Request,
        gateway: Gateway,
        principal: Principal,
        key: str,
        shown: Callable[[], Awaitable[Json]],
    ) -> None:
        self._request = request
        self._gateway = gateway
        self._principal = principal
        self._key = key
        self._shown = shown
        self._limits: Limits = gateway.limits
        self._stream = EventStream(request)
        self._heard: deque[tuple[Run, Reader]] = deque()
        self._known: set[str] = set()
        self._news = asyncio.Event()
        self._is_behind = False
        self._leave = ExitStack()

    def __enter__(self) -> Self:
        gateway, principal = self._gateway, self._principal
        self._request.enter_run()
        self._leave.callback(self._request.leave_run)
        self._leave.callback(gateway.listen(principal, Listener(self.hear), session=self._key))
        self._leave.callback(gateway.held.attend(principal, self._key, self._news))
        for run in gateway.running(principal, self._key):
            self.hear(run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave.close()
        for _, reader in self._heard:
            reader.close()

    def hear(self, run: Run) -> None:
        """It will be told, if it is not yet. A note or a summary is no turn that anybody asked for."""
        if run.id in self._known or run.request.errand is not None:
            return
        if len(self._heard) >= MOST_WAITING:
            self._is_behind = True
        else:
            self._known.add(run.id)
            self._heard.append((run, run.reader(0)))
        self._news.set()

    async def tell(self, made_by: Run | None = None) -> None:
        """Until the client leaves (ConnectionError), or there is no more. `made_by` is the run that made the
        session: then that it was made is told first."""
        first = CONNECTED
        if made_by is not None:
            session = {**await self._shown(), "status": "idle"}
            first += TurnVoice(self._key, made_by).of_session("created", session)
        await self._stream.send(first)
        last = b""
        told = made_by
        try:
            while await self._is_more():
                told, reader = self._heard.popleft()
                try:
                    await self._tell_turn(told, reader)
                finally:
                    reader.close()
                    self._known.discard(told.id)
        except GatewayError as error:
            last = b"" if told is None else TurnVoice(self._key, told).failure(error_info(error))
        await self._stream.finish(last)

    async def _is_more(self) -> bool:
        """Whether there is another turn to be told; waits for it."""
        while not self._heard:
            if self._is_behind or self._gateway.held.is_closing:
                return False
            self._news.clear()
            try:
                async with asyncio.timeout(self._limits.stream_keepalive_s):
                    await self._news.wait()
            except TimeoutError:
                await self._stream.send(KEEPALIVE)
            else:
                if not self._heard and await self._is_gone():
                    return False
        return True

    async def _is_gone(self) -> bool:
        return await self._gateway.held.find(self._principal, self._key) is None

    async def _tell_turn(self, run: Run, reader: Reader) -> None:
        if not await self._was_accepted(run):
            return
        voice = TurnVoice(self._key, run)
        # Its words may be forgotten once it has ended.
        asked = run.request.messages
        begun = voice.head() + voice.of_session(
            "in_progress", {**await self._shown(), "status": "in_progress"}
        )
        await self._stream.send(begun + voice.asked(asked))
        place = 0
        ended: RunEnded | None = None
        while ended is None:
            try:
                events = await reader.log.batch(self._limits.stream_keepalive_s)
                if not events:
                    await self._stream.send(KEEPALIVE)
                    events = await run.last_words(reader.log)
            except EventsGone:
                # What was said before is not to be had any more; how it ended is.
                await run.wait()
                events = run.last_word()
            if begins_anew(events, place):
                await self._stream.send(voice.failure(error_info(RunBegunAnew())))
                return
            for start in range(0, len(events), SLICE):
                part = events[start : start + SLICE]
                piece = voice.told(part)
                if piece:
                    await self._stream.send(piece)
                place += len(part)
                reader.advance(place)
                if start:
                    # One long answer is not all that goes on here.
                    await asyncio.sleep(0)
            ended = end_of(events)
        session = await self._shown()
        if session["status"] == "idle":
            await self._stream.send(voice.of_session("idle", session))

    async def _was_accepted(self, run: Run) -> bool:
        """Whether it was; that takes as long as the store does. One that repeats another is none."""
        while not run.accepted.done():
            await asyncio.wait([run.accepted], timeout=self._limits.stream_keepalive_s)
            if not run.accepted.done():
                await self._stream.send(KEEPALIVE)
        return not run.refused and not run.accepted.cancelled()
