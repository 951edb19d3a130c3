"""Tells a client the events of one run as they come, to their end, at the pace at which it takes them.

As long as the client keeps up, what is new is written where the run says it: to wake a task for each delta
cost as much as the delta. What that way does not fit (the end, much at once, a client that is behind, a
failure) is left to `tell`, which waits. A silent stream is kept alive by `silence`, a comment or what the
dialect has for it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from operator import attrgetter

from openclaw_gateway.doors.event_stream import PIECE, EventStream
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.voice import Voice
from openclaw_gateway.errors import RunBegunAnew
from openclaw_gateway.runs.readers import Reader
from openclaw_gateway.wire.events import Event, RunEnded, ToolEnded, ToolStarted, begins_anew

KEEPALIVE = b": keepalive\n\n"
# How many events are worded in one go, so that others have their turn between.
SLICE = 256
_TOOLS = (ToolStarted, ToolEnded)
_is_public = attrgetter("public")


def keepalive() -> bytes:
    return KEEPALIVE


def _never() -> bool:
    return False


class ToldStream:
    """`after` is the index in the run's log of the first event it is given to tell. With `tools` the voice is
    told of the agent's own, too. `is_over`: the run has ended here, whether or not its log says so. The
    client of one that has `begun` has heard words of it before; `unsure` is asked before the first event is
    told, and raises what keeps it from that."""

    def __init__(
        self,
        request: Request,
        voice: Voice,
        reader: Reader,
        *,
        after: int,
        keepalive_s: float,
        silence: Callable[[], bytes] = keepalive,
        tools: bool = False,
        is_over: Callable[[], bool] = _never,
        begun: bool = False,
        unsure: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.stream = EventStream(request)
        self._request = request
        self._voice = voice
        self._reader = reader
        self._place = after
        self._keepalive_s = keepalive_s
        self._silence = silence
        self._tools = tools
        self._is_over = is_over
        self._unsure = unsure
        self._silent_until = 0.0
        # Whether the client has heard a word of the answer.
        self._has_told = begun or after > 0
        # Worded, and too much to be written at once.
        self._unsent = b""

    async def tell(self, events: Sequence[Event]) -> None:
        """`events` and what follows them. Raises what the voice raises, EventsGone, RunBegunAnew, what
        `unsure` raises, and ConnectionError when the client has left."""
        self._unsent = self._voice.head()
        log = self._reader.log
        while True:
            if events and self._unsure is not None:
                unsure, self._unsure = self._unsure, None
                await unsure()
            if await self._told(events):
                return
            now = time.monotonic()
            if now >= self._silent_until:
                if not events and self._is_over():
                    # What was said in the moment in which the time was up comes before that.
                    if not (events := await log.batch(0)):
                        # Its log has another holder, and the bus has lost what that one told.
                        raise RunBegunAnew()
                    if begins_anew(events, self._place):
                        self._begin_anew()
                    continue
                # Events that the client is not told of are silence to whatever is between.
                await self.stream.send(self._silence())
                self._silent_until = now + self._keepalive_s
            log.offer(self._take)
            events = await log.batch(self._silent_until - now)
            log.offer(None)
            if begins_anew(events, self._place):
                self._begin_anew()
            # Of what was taken meanwhile, the newest may still have to be written, or to leave.
            if self._unsent:
                await self._send(b"")
            await self._request.taken()
            self._reader.advance(self._place)

    async def _told(self, events: Sequence[Event]) -> bool:
        """Whether the end was among them."""
        ended = end_of(events)
        for part in _parts(events):
            piece = self._worded(part)
            if ended is not None and part[-1] is ended:
                # The last words leave together with the end.
                error = ended.result.error
                last = self._voice.end(ended.result) if error is None else self._voice.failure(error)
                unsent, self._unsent = self._unsent, b""
                await self.stream.finish(unsent + piece + last)
                return True
            if piece or self._unsent:
                self._has_told = self._has_told or bool(piece)
                await self._send(piece)
            self._place += len(part)
            self._reader.advance(self._place)
            if len(events) > SLICE:
                # One long answer is not all that goes on here.
                await asyncio.sleep(0)
        return False

    async def _send(self, piece: bytes) -> None:
        unsent, self._unsent = self._unsent, b""
        await self.stream.send(unsent + piece)
        self._silent_until = time.monotonic() + self._keepalive_s

    def _take(self, events: Sequence[Event]) -> bool:
        """See `Subscription.offer`."""
        if len(events) > SLICE or type(events[-1]) is RunEnded:
            return False
        if self._unsure is not None or self._unsent or self._request.protocol.writing_paused:
            return False
        piece = self._worded(events)
        if piece:
            self._has_told = True
        if 0 < len(piece) <= PIECE:
            self.stream.put(piece)
        # Not before: what could not be written has not been told.
        self._place += len(events)
        if len(piece) > PIECE:
            self._unsent = piece
            self._reader.log.rouse()
        elif piece:
            self._silent_until = time.monotonic() + self._keepalive_s
            if self._request.protocol.writing_paused:
                self._reader.log.rouse()
                return True
        if not self._unsent:
            self._reader.advance(self._place)
        return True

    def _begin_anew(self) -> None:
        """The log begins again: another process executes the run now. Raises RunBegunAnew where the client
        has heard of the first beginning, which cannot be taken back."""
        if self._has_told:
            raise RunBegunAnew()
        self._place = 0

    def _worded(self, events: Sequence[Event]) -> bytes:
        if self._tools:
            return self._voice.deltas(
                [event for event in events if event.public or isinstance(event, _TOOLS)]
            )
        return self._voice.deltas(tuple(filter(_is_public, events)))


def end_of(events: Sequence[Event]) -> RunEnded | None:
    last = events[-1] if events else None
    return last if isinstance(last, RunEnded) else None


def _parts(events: Sequence[Event]) -> Iterable[Sequence[Event]]:
    """At least one part, which may be empty."""
    if len(events) <= SLICE:
        return (events,)
    return (events[start : start + SLICE] for start in range(0, len(events), SLICE))
