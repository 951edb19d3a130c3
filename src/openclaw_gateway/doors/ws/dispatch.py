"""The calls of one client: found in the table, checked, carried out at the same time, answered.

Knows the table of methods and the words of the protocol, not what methods do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import structlog
from msgspec import Struct

from openclaw_gateway.doors.ws.feed import Feed
from openclaw_gateway.doors.ws.large_frames import LargeFrames
from openclaw_gateway.doors.ws.method import ANSWERED, MethodCall, RunFailed
from openclaw_gateway.doors.ws.methods import TABLE
from openclaw_gateway.doors.ws.protocol import encoded, failure, read_request, success, unknown_method
from openclaw_gateway.doors.ws.refusals import info_shape, shape
from openclaw_gateway.doors.ws.socket import Socket
from openclaw_gateway.doors.ws.tasks import Tasks
from openclaw_gateway.errors import GatewayError, Overloaded
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.logs.asked import ASKED, Asked
from openclaw_gateway.runs.run import Run
from openclaw_gateway.wire.frames import ErrorShape, ResponseFrame
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

MAX_CALLS = 256
# Of a client's name for its call, in the log.
_MOST_ID = 80


class _Asked(Struct, frozen=True):
    """A request that the client may make: all that is kept of its frame."""

    id: str
    method: str
    carry_out: Callable[[MethodCall], Awaitable[object]]


class Dispatcher:
    def __init__(
        self,
        gateway: Gateway,
        principal: Principal,
        socket: Socket,
        feed: Feed,
        large: LargeFrames,
        *,
        client: str,
    ) -> None:
        self._gateway = gateway
        self._limits = gateway.limits
        self._principal = principal
        self._client = client
        self._large = large
        self._socket = socket
        self._feed = feed
        self._tasks = Tasks()

    async def take(self, data: bytes) -> None:
        """Answer a frame, or begin to. Raises ConnectionError when the client is gone."""
        asked = await self._large.read(data, self._read)
        if isinstance(asked, bytes):
            await self._socket.send(asked)
            return
        try:
            give_back = self._admitted(len(data))
        except Overloaded as error:
            await self._socket.send(encoded(failure(asked.id, shape(error))))
            return
        self._tasks.run(self._answer(asked), f"ws.{asked.method}", ended=give_back)

    def _admitted(self, size: int) -> Callable[[], None]:
        """What gives back the room of one more call. Raises Overloaded."""
        if len(self._tasks) >= MAX_CALLS:
            raise Overloaded(f"{MAX_CALLS} calls of this connection are open already.", retry_after=1)
        return self._large.take(size, self._limits)

    def _read(self, data: bytes) -> _Asked | bytes:
        """What a frame asks, or the answer to one that asks nothing that can be done. Pure."""
        frame = read_request(data, self._limits.max_json_depth)
        if isinstance(frame, ResponseFrame):
            return encoded(frame)
        method = TABLE.get(frame.method)
        if method is None:
            return unknown_method(frame)
        try:
            self._principal.require(method.scope)
            return _Asked(frame.id, method.name, method.bind(frame))
        except GatewayError as refused:
            return encoded(failure(frame.id, shape(refused)))

    async def wait(self, seconds: float) -> None:
        """Until every call has been answered, at most that long."""
        await self._tasks.wait(seconds)

    async def close(self) -> None:
        await self._tasks.close()

    async def _answer(self, asked: _Asked) -> None:
        ASKED.set(Asked(asked.id[:_MOST_ID], ASKED.get().peer))
        last = await self._result(asked)
        if last is not None:
            await self._socket.send(last)

    async def _result(self, asked: _Asked) -> bytes | None:
        error: ErrorShape
        try:
            call = _Call(
                asked.id, self._gateway, self._principal, self._socket, self._feed, client=self._client
            )
            answer = await asked.carry_out(call)
            return None if answer is ANSWERED else success(asked.id, answer)
        except GatewayError as refused:
            error = shape(refused)
        except RunFailed as failed:
            error = info_shape(failed.error, run_id=failed.run_id)
        except ConnectionError:
            raise
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            log.exception("ws.method_crashed", method=asked.method)
            error = shape(GatewayError("The gateway failed on this request. Its log has the cause."))
        return encoded(failure(asked.id, error))


class _Call:
    """A method's view of the client that called it."""

    def __init__(
        self,
        request_id: str,
        gateway: Gateway,
        principal: Principal,
        socket: Socket,
        feed: Feed,
        *,
        client: str,
    ) -> None:
        self.gateway = gateway
        self.principal = principal
        self.client = client
        self._id = request_id
        self._socket = socket
        self._feed = feed

    async def reply(self, payload: object) -> None:
        await self._socket.send(success(self._id, payload))

    def events_after(self, key: str) -> AbstractContextManager[None]:
        return self._feed.events_after(key)

    def follow(self, run: Run) -> None:
        self._feed.follow(run)

    def follows(self, run: Run) -> bool:
        return self._feed.follows(run)

    def resume(self, run: Run, behind: int) -> None:
        self._feed.resume(run, behind)

    def subscribe(self, session: str | None = None) -> None:
        self._feed.subscribe(session)

    def unsubscribe(self, session: str | None = None) -> None:
        self._feed.unsubscribe(session)

    def watch(self) -> None:
        self._feed.watch()

    async def delivered(self, run: Run) -> None:
        await self._feed.delivered(run)
