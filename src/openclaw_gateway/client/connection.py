"""A client of the gateway's control protocol over one WebSocket.

    async with GatewayClient("ws://127.0.0.1:18789", token="…") as client:
        status = await client.request("status")
        async with client.agent({"message": "hi"}) as call:
            async for event in call:
                ...
            answer = await call.result()

Knows the protocol, not who uses it. One task reads; everybody else waits for what it brings.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import msgspec
from aiohttp import WSMsgType
from msgspec import UNSET, Raw
from msgspec.structs import replace

import openclaw_gateway
from openclaw_gateway.client.address import Address
from openclaw_gateway.client.call import AgentCall, Payload, PendingCall, outcome
from openclaw_gateway.client.device import Challenge, DeviceKey
from openclaw_gateway.client.errors import (
    AnswerTimeout,
    ConnectionLost,
)
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.wire.decode import DecodeError, decode
from openclaw_gateway.wire.frames import (
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    AgentEvent,
    ClientInfo,
    ConnectAuth,
    ConnectParams,
    EventFrame,
    HelloOk,
    RequestFrame,
    ResponseFrame,
    ServerFrame,
)

_MAX_FRAME_BYTES = 256 << 20
_HEARTBEAT_S = 30.0
_CLOSE_WAIT_S = 2.0

_encode = msgspec.json.Encoder().encode
_frames = msgspec.json.Decoder[ServerFrame](ServerFrame)
_agent_events = msgspec.json.Decoder(AgentEvent)
_challenges = msgspec.json.Decoder(Challenge)
_hellos = msgspec.json.Decoder(HelloOk)

Hear = Callable[[EventFrame], None]
Socket = aiohttp.ClientWebSocketResponse[Literal[False]]


class GatewayClient:
    """Connected for as long as the block lasts; `hello` is what the gateway said of itself.

    Entering raises GatewayUnreachable, AuthRefused, ProtocolMismatch or ConnectionLost. Seconds. `hear` is
    told of each event as it comes; it must be quick and not raise. `device` signs the connect; `here` is said
    of a gateway that is this machine's own.
    """

    hello: HelloOk

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        password: str | None = None,
        client_id: str = "gateway-client",
        mode: str = "backend",
        scopes: tuple[str, ...] = (),
        connect_timeout_s: float = 10.0,
        hear: Hear | None = None,
        device: DeviceKey | None = None,
        here: bool = True,
    ) -> None:
        self._address = Address(url, here=here)
        self._device = device
        self._params = ConnectParams(
            MIN_PROTOCOL,
            MAX_PROTOCOL,
            ClientInfo(client_id, openclaw_gateway.__version__, "python", mode),
            role="operator",
            scopes=scopes or None,
            auth=ConnectAuth(token, password),
        )
        self._connect_timeout_s = connect_timeout_s
        self._hear = hear
        self._undo: contextlib.AsyncExitStack
        self._socket: Socket
        self._reader: asyncio.Task[None]
        self._calls: dict[str, PendingCall] = {}
        self._runs: dict[str, AgentCall] = {}
        self._lost: GatewayError | None = None

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as undo:
            session = await undo.enter_async_context(aiohttp.ClientSession())
            try:
                async with asyncio.timeout(self._connect_timeout_s):
                    self._socket = await self._open(session)
                    undo.push_async_callback(self._socket.close)
                    self.hello = await self._greet()
            except TimeoutError:
                raise self._address.unreachable("it did not answer in time") from None
            except DecodeError:
                raise self._address.garbled() from None
            self._reader = asyncio.create_task(self._read(), name="gateway-client.read")
            self._undo = undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._undo.aclose()

    async def ended(self) -> GatewayError:
        """Why the connection has ended; waits until it has."""
        await asyncio.wait((self._reader,))
        return self._lost or self._address.lost(None, "")

    async def request(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout_s: float | None = 30.0
    ) -> Payload:
        """Call a method. Raises RemoteError, ConnectionLost, AnswerTimeout."""
        call = PendingCall()
        async with self._waiting(call, method, params):
            try:
                async with asyncio.timeout(timeout_s):
                    return await call.answer()
            except TimeoutError:
                raise AnswerTimeout(f"The gateway did not answer {method} within {timeout_s:g} s.") from None

    @contextlib.asynccontextmanager
    async def agent(self, params: Mapping[str, Any]) -> AsyncIterator[AgentCall]:
        """Have an agent answer. `idempotencyKey`, the run's id, is made up unless it is given.

        Leaving the block early does not stop the run: `request("chat.abort", {"runId": …})` does.
        """
        run_id = str(params.get("idempotencyKey") or uuid.uuid4())
        call = self._runs[run_id] = AgentCall(run_id)
        try:
            async with self._waiting(call, "agent", {**params, "idempotencyKey": run_id}):
                yield call
        finally:
            del self._runs[run_id]

    @contextlib.asynccontextmanager
    async def _waiting(
        self, call: PendingCall, method: str, params: Mapping[str, Any] | None
    ) -> AsyncIterator[None]:
        """Send a request; answers with its id go to `call` until the block is left."""
        request_id = str(uuid.uuid4())
        self._calls[request_id] = call
        try:
            if self._lost is not None:
                raise self._lost
            await self._send(request_id, method, params or {})
            yield
        finally:
            self._calls.pop(request_id, None)

    async def _open(self, session: aiohttp.ClientSession) -> Socket:
        url = self._address.url
        if url is None:
            raise self._address.unusable()
        try:
            return await session.ws_connect(
                url,
                max_msg_size=_MAX_FRAME_BYTES,
                heartbeat=_HEARTBEAT_S,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_WAIT_S),
                compress=0,
                decode_text=False,
            )
        except aiohttp.WSServerHandshakeError as error:
            raise self._address.unreachable(f"it answered HTTP {error.status}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._address.unopened(error) from None

    async def _greet(self) -> HelloOk:
        """The handshake. The answer to `connect` is the first one there is."""
        request_id = str(uuid.uuid4())
        params = self._params if self._device is None else self._signed(self._device, await self._challenge())
        await self._send(request_id, "connect", params)
        while True:
            frame = await self._receive()
            if isinstance(frame, ResponseFrame):
                said = outcome(frame)
                if isinstance(said, GatewayError):
                    raise said
                return decode(_hellos, Raw(b"{}") if frame.payload is UNSET else frame.payload)

    async def _challenge(self) -> Challenge:
        """It is the first that a gateway says."""
        while True:
            frame = await self._receive()
            if isinstance(frame, EventFrame) and frame.event == "connect.challenge":
                return decode(_challenges, Raw(b"{}") if frame.payload is UNSET else frame.payload)

    def _signed(self, device: DeviceKey, challenge: Challenge) -> ConnectParams:
        params = self._params
        token = (params.auth.token if params.auth is not None else None) or ""
        proof = device.proof(challenge, params.client, params.role or "", params.scopes or (), token)
        return replace(params, device=proof)

    async def _send(self, request_id: str, method: str, params: object) -> None:
        frame = RequestFrame(request_id, method, Raw(_encode(params)))
        try:
            await self._socket.send_frame(_encode(frame), WSMsgType.TEXT)
        except ConnectionError:
            raise self._address.lost(self._socket.close_code, "") from None

    async def _receive(self) -> ServerFrame:
        """The next frame. Raises ConnectionLost, DecodeError."""
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                frame: ServerFrame = decode(_frames, message.data)
                return frame
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                reason = message.extra if isinstance(message.extra, str) else ""
                raise self._address.lost(self._socket.close_code, reason)

    async def _read(self) -> None:
        lost: GatewayError = ConnectionLost("The client was closed.")
        try:
            while True:
                self._take(await self._receive())
        except GatewayError as error:
            lost = error
        except DecodeError:
            lost = self._address.garbled()
        finally:
            self._lost = lost
            for call in self._calls.values():
                call.fail(lost)

    def _take(self, frame: ServerFrame) -> None:
        if isinstance(frame, ResponseFrame):
            call = self._calls.get(frame.id)
            if call is not None and call.take(frame):
                del self._calls[frame.id]
            return
        if self._hear is not None:
            self._hear(frame)
        if frame.event == "agent" and frame.payload is not UNSET:
            event = decode(_agent_events, frame.payload)
            run = self._runs.get(event.run_id)
            if run is not None:
                run.hear(event)
