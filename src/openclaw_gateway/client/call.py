"""Answers and events on their way to whoever waits for them. Pure but for the futures.

A run's events are kept until they are read; text that nobody has read yet is joined into one event. Of a run
whose reader is further behind than MOST_EVENTS or MOST_CHARS the rest is passed over: its answer has all that
was said.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from openclaw_gateway.client.errors import RemoteError, remote_error
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.wire.decode import decode
from openclaw_gateway.wire.frames import AgentEvent, ErrorShape, ResponseFrame

_JOINED = ("assistant", "thinking")
MOST_EVENTS = 10_000
MOST_CHARS = 64 << 20
Payload = dict[str, Any]
_payloads = msgspec.json.Decoder[Payload | list[Any]](Payload | list[Any])


class PendingCall:
    """A request that waits for its answer."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()

    async def answer(self) -> Payload:
        """The last answer. Raises RemoteError, ConnectionLost."""
        return await asyncio.shield(self._answer)

    def take(self, frame: ResponseFrame) -> bool:
        """An answer has come; whether it was the last one."""
        settle(self._answer, outcome(frame))
        return True

    def fail(self, error: GatewayError) -> None:
        """There will be no answer."""
        settle(self._answer, error)


class AgentCall(PendingCall):
    """A run that was asked for: iterate over its events, then take its `result`.

    `run_id` is known from the start; `accepted` and the events come from the gateway.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self._accepted: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._events: deque[AgentEvent] = deque()
        # What the last of them goes on with.
        self._more: list[AgentEvent] = []
        self._chars = 0
        self._is_full = False
        self._news = asyncio.Event()

    async def accepted(self) -> Payload:
        """What the gateway says as soon as the run is accepted. Raises RemoteError, ConnectionLost."""
        return await asyncio.shield(self._accepted)

    async def result(self) -> Payload:
        """The answer: {"payloads": [{"text", …}], "meta": {…}}. Raises RemoteError, ConnectionLost."""
        result = (await self.answer()).get("result")
        return result if isinstance(result, dict) else {}

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AgentEvent:
        """The next event; ends when the answer is there, whatever it is."""
        while not self._events:
            if self._answer.done():
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if len(self._events) == 1:
            self._join()
        event = self._events.popleft()
        self._chars -= len(str(event.data.get("delta", "")))
        return event

    def take(self, frame: ResponseFrame) -> bool:
        said = outcome(frame)
        if isinstance(said, Mapping) and said.get("status") == "accepted":
            settle(self._accepted, said)
            return False
        if not self._accepted.done():
            settle(self._accepted, said if isinstance(said, GatewayError) else {})
        settle(self._answer, said)
        self._news.set()
        return True

    def fail(self, error: GatewayError) -> None:
        settle(self._accepted, error)
        super().fail(error)
        self._news.set()

    def hear(self, event: AgentEvent) -> None:
        self._chars += len(str(event.data.get("delta", "")))
        # From the first that is passed over all are: a text with a hole is worse than one that ends.
        self._is_full |= len(self._events) >= MOST_EVENTS or self._chars > MOST_CHARS
        if self._is_full:
            return
        last = self._events[-1] if self._events else None
        if last is not None and event.stream in _JOINED and last.stream == event.stream:
            self._more.append(event)
        else:
            self._join()
            self._events.append(event)
        self._news.set()

    def _join(self) -> None:
        """Once for each event, not for each piece of its text."""
        if self._more:
            newest = self._more[-1]
            deltas = (str(each.data.get("delta", "")) for each in (self._events[-1], *self._more))
            data = {**newest.data, "delta": "".join(deltas)}
            self._events[-1] = msgspec.structs.replace(newest, data=data)
            self._more.clear()


def outcome(frame: ResponseFrame) -> Payload | RemoteError:
    """What an answer says; a list as {"items": […]}. Raises DecodeError."""
    if frame.ok:
        raw = frame.payload
        said = {} if raw is msgspec.UNSET else decode(_payloads, raw)
        return {"items": said} if isinstance(said, list) else said
    error = frame.error
    return remote_error(ErrorShape("UNAVAILABLE", "no reason given") if error is msgspec.UNSET else error)


def settle(future: "asyncio.Future[Payload]", outcome: Payload | GatewayError) -> None:
    """Only the first outcome counts, and it need not interest anybody."""
    if future.done():
        return
    if isinstance(outcome, GatewayError):
        future.set_exception(outcome)
        future.exception()
    else:
        future.set_result(outcome)
