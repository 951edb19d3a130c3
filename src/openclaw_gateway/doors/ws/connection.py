"""One client of the control protocol, from the upgrade to the close.

A thin shell: the rules are in protocol.py, who is let in in admission.py, the bytes in socket.py, the
calls in dispatch.py, the events in feed.py. Everything started here has ended when `serve` returns; runs
are not, they go on.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable

from aiohttp import web
from msgspec import Struct

from openclaw_gateway.doors.body_room import BodyRoom
from openclaw_gateway.doors.large_bodies import LargeBodies
from openclaw_gateway.doors.ws.admission import Knock, LetIn, judge
from openclaw_gateway.doors.ws.dispatch import Dispatcher
from openclaw_gateway.doors.ws.feed import Feed
from openclaw_gateway.doors.ws.hello import hello
from openclaw_gateway.doors.ws.knocking import Knocking
from openclaw_gateway.doors.ws.large_frames import LargeFrames
from openclaw_gateway.doors.ws.methods import TABLE
from openclaw_gateway.doors.ws.methods.health import greeting_health
from openclaw_gateway.doors.ws.protocol import (
    Close,
    Refusal,
    challenge,
    encoded,
    failure,
    success,
)
from openclaw_gateway.doors.ws.refusals import shape
from openclaw_gateway.doors.ws.socket import Socket
from openclaw_gateway.doors.ws.tasks import Tasks
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.run import now_ms

_LAST_WORDS_S = 1.0


class Timing(Struct, frozen=True):
    """Seconds. `handshake_s` is for everything before the greeting."""

    handshake_s: float = 15.0
    tick_s: float = 30.0


USUAL = Timing()


async def serve(
    request: web.BaseRequest,
    gateway: Gateway,
    closing: Bell,
    timing: Timing = USUAL,
    caller: Caller | None = None,
    *,
    large: LargeFrames | None = None,
    knocking: Knocking | None = None,
    refused: Callable[[GatewayError], None] = lambda _: None,
) -> web.StreamResponse:
    """Serve an upgrade request until its connection ends. Raises InvalidRequest when it is none.

    `caller` is who asks; None = the socket's other end, and nothing of the head counts. `closing` is set when
    the gateway begins to drain: the client is told, hears the end of the runs it hears of, and is closed with
    1012. `large` reads and counts the large frames, `knocking` has the clients that say nothing yet; None =
    those of this connection alone. `refused` is told why somebody was not let in.
    """
    caller = caller or Caller(request.remote or "", request.remote or "")
    large = large or LargeFrames(LargeBodies(), BodyRoom())
    knocking = knocking or Knocking()
    socket = Socket(request, gateway.limits, caller.address)
    await socket.open()
    try:
        connection = _Connection(socket, gateway, closing, timing, large=large, refused=refused)
        await connection.run(caller, knocking)
    except ConnectionError:
        pass
    finally:
        await socket.close(Close.NORMAL)
    return socket.response


class _Connection:
    def __init__(
        self,
        socket: Socket,
        gateway: Gateway,
        closing: Bell,
        timing: Timing,
        *,
        large: LargeFrames,
        refused: Callable[[GatewayError], None],
    ) -> None:
        self._socket = socket
        self._gateway = gateway
        self._closing = closing
        self._timing = timing
        self._refused = refused
        self._large = large

    async def run(self, caller: Caller, knocking: Knocking) -> None:
        """Raises ConnectionError when the client goes away in the middle of something."""
        try:
            async with asyncio.timeout(self._timing.handshake_s) as scope:
                nonce = str(uuid.uuid4())
                await self._socket.send(challenge(nonce, now_ms()))
                with knocking.within(scope):
                    first = await self._socket.receive()
                if first is None:
                    return
                knock = Knock(first, nonce, caller, self._closing, self._refused)
                judged = await judge(knock, self._gateway)
        except TimeoutError:
            await self._socket.close(Close.REFUSED, "handshake timeout")
            return
        if isinstance(judged, Refusal):
            await self._socket.send(encoded(judged.frame))
            await self._socket.close(judged.code, judged.reason)
        else:
            await self._serve(judged)

    async def _serve(self, client: LetIn) -> None:
        gateway, socket, principal = self._gateway, self._socket, client.principal
        feed = Feed(socket, gateway, principal, protocol=client.protocol)
        calls = Dispatcher(gateway, principal, socket, feed, self._large, client=client.present.client)
        tasks = Tasks()
        leave = gateway.presence.enter(client.present)
        removed, leave_devices = gateway.devices.enter(client.device_id)
        try:
            try:
                await self._greet(client)
            except GatewayError as error:
                await socket.send(encoded(failure(client.id, shape(error))))
                await socket.close(Close.RESTART, error.message)
                return
            socket.connected()
            feed.open()
            feed.tick(self._timing.tick_s)
            await self._listen(feed, calls, tasks, client.revoked, removed)
        finally:
            leave()
            leave_devices()
            # The client's leaving may cancel this very wait: what comes after it is ended all the same.
            async with contextlib.AsyncExitStack() as ending:
                for owned in (feed, calls, tasks):
                    ending.push_async_callback(owned.close)

    async def _greet(self, client: LetIn) -> None:
        """Raises ConnectionError, and what keeps the gateway from saying how it is."""
        greeting = hello(
            self._gateway,
            client.principal,
            protocol=client.protocol,
            connection_id=str(uuid.uuid4()),
            methods=tuple(TABLE),
            health=await greeting_health(self._gateway),
            tick_s=self._timing.tick_s,
        )
        await self._socket.send(success(client.id, greeting))

    async def _listen(
        self, feed: Feed, calls: Dispatcher, tasks: Tasks, revoked: Bell, removed: Bell
    ) -> None:
        """Until the connection is closed, by either side."""
        stay = _Stay()
        self._socket.overrun = lambda: stay.end(Close.REFUSED, "slow consumer")
        # Who was let in by a secret that is no longer taken, may not stay. His runs go on.
        changed = "the secret has changed: connect with the new one"
        deaf: list[Callable[[], None]] = []
        try:
            async with stay.scope():
                deaf.append(revoked.heard(lambda: stay.end(Close.REFUSED, changed)))
                deaf.append(removed.heard(lambda: stay.end(Close.REFUSED, "this device was removed")))
                deaf.append(
                    self._closing.heard(lambda: tasks.run(self._leave(feed, calls, stay), "ws.leave"))
                )
                while (data := await self._socket.receive()) is not None:
                    await calls.take(data)
                    # Until the next one comes it would be held by nobody else.
                    del data
        except TimeoutError:
            # The reader itself must close: another task would not wait for the other side's close.
            await self._socket.close(stay.code, stay.reason)
        finally:
            for leave in deaf:
                leave()
            stay.over()

    async def _leave(self, feed: Feed, calls: Dispatcher, stay: "_Stay") -> None:
        """The gateway drains: say so, let the runs end, say what came of them, end the stay."""
        await feed.emit("shutdown", {"reason": "the gateway is shutting down"})
        await feed.wait(self._gateway.limits.drain_s + _LAST_WORDS_S)
        await calls.wait(_LAST_WORDS_S)
        stay.end(Close.RESTART, "service restart")


class _Stay:
    """How long a connection is served: until somebody here ends it, and with which words."""

    def __init__(self) -> None:
        self._scope: asyncio.Timeout | None = None
        self.code = Close.NORMAL
        self.reason = ""

    def scope(self) -> asyncio.Timeout:
        """Ends when `end` is called; made once."""
        self._scope = asyncio.timeout(None)
        return self._scope

    def end(self, code: Close, reason: str) -> None:
        """The first reason stands."""
        if self.code is Close.NORMAL:
            self.code, self.reason = code, reason
            if self._scope is not None:
                self._scope.reschedule(asyncio.get_running_loop().time())

    def over(self) -> None:
        """Let go of the scope, which knows the task: of one that is cancelled the error knows all its frames,
        and circles of such a size are looked for seldom."""
        self._scope = None
