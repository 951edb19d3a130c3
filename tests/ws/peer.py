"""A bare client of the control protocol: frames as they are, every wait with a deadline.

What it is sent in version 4 is held against the published schema; a frame that does not fit fails the test.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import msgspec
from aiohttp import WSMsgType, web

from openclaw_gateway.doors.ws.connection import Timing, serve
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.testing.gateway import RunningGateway
from tests.npm_packages import NotInstalled
from tests.ws import published

DEADLINE_S = 10.0
CLIENT = {"id": "test", "version": "1", "platform": "linux", "mode": "test"}


def connect_params(token: str | None, **more: Any) -> dict[str, Any]:
    auth = {} if token is None else {"auth": {"token": token}}
    return {"minProtocol": 3, "maxProtocol": 4, "client": CLIENT, **auth, **more}


def request(request_id: str, method: str, params: object = None) -> dict[str, Any]:
    return {"type": "req", "id": request_id, "method": method, "params": params}


class Peer:
    """`events` are all events so far."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.reason = ""
        # What a test that has stopped the reading calls to go on.
        self.resume: Callable[[], None] = lambda: None
        self._calls = 0
        # Of requests that are not answered yet, the methods; and the version that was agreed upon.
        self._asked: dict[str, str] = {}
        self._protocol = 0
        self._answers: list[dict[str, Any]] = []

    async def send(self, frame: object) -> None:
        text = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
        if isinstance(frame, dict) and frame.get("type") == "req":
            self._asked[str(frame.get("id"))] = str(frame.get("method"))
        await self.socket.send_str(text)

    async def frame(self) -> dict[str, Any]:
        """The next frame. Raises EOFError when the connection is closed, TimeoutError."""
        message = await self.socket.receive(timeout=DEADLINE_S)
        if message.type is not WSMsgType.TEXT:
            self.reason = message.extra or ""
            raise EOFError(f"closed with {self.socket.close_code}")
        frame: dict[str, Any] = msgspec.json.decode(message.data)
        self._check(frame)
        if frame["type"] == "event":
            self.events.append(frame)
        return frame

    def _check(self, frame: dict[str, Any]) -> None:
        method = self._asked.get(str(frame.get("id"))) if frame.get("ok") else None
        if method == "connect":
            self._protocol = frame["payload"]["protocol"]
        if self._protocol != 4:
            return
        try:
            faults = published.faults_of_frame(frame)
            if method is not None:
                faults += published.faults_of_result(method, frame["payload"])
        except NotInstalled:
            return  # test_published says so
        assert not faults, faults

    async def answer(self, request_id: str) -> dict[str, Any]:
        """The next answer with this id; events and other answers meanwhile are kept."""
        for kept in self._answers:
            if kept["id"] == request_id:
                self._answers.remove(kept)
                return kept
        async with asyncio.timeout(DEADLINE_S):
            while True:
                frame = await self.frame()
                if frame["type"] != "res":
                    continue
                if frame["id"] == request_id:
                    return frame
                self._answers.append(frame)

    async def event(self, name: str, **payload: Any) -> dict[str, Any]:
        """The next event of this name whose payload has these values."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                frame = await self.frame()
                if frame.get("event") == name and payload.items() <= frame["payload"].items():
                    return frame

    async def call(self, method: str, params: object = None) -> dict[str, Any]:
        self._calls += 1
        request_id = f"call-{self._calls}"
        await self.send(request(request_id, method, params))
        return await self.answer(request_id)

    async def result(self, method: str, params: object = None) -> dict[str, Any]:
        answer = await self.call(method, params)
        assert answer["ok"], answer
        payload: dict[str, Any] = answer["payload"]
        return payload

    async def error(self, method: str, params: object = None) -> dict[str, Any]:
        answer = await self.call(method, params)
        assert not answer["ok"], answer
        error: dict[str, Any] = answer["error"]
        return error

    async def close_code(self) -> int | None:
        """Read on until the gateway closes; with which code."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    await self.frame()
                except EOFError:
                    return self.socket.close_code

    def told(self, run_id: str, name: str = "agent") -> list[dict[str, Any]]:
        """The payloads of a run's events so far."""
        return [
            event["payload"]
            for event in self.events
            if event["event"] == name and event["payload"]["runId"] == run_id
        ]


@contextlib.asynccontextmanager
async def dial(url: str, **options: Any) -> AsyncIterator[Peer]:
    """A socket on which nothing has been said."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0, **options) as ws:
        yield Peer(ws)


@contextlib.asynccontextmanager
async def connected(gateway: RunningGateway, url: str | None = None, **params: Any) -> AsyncIterator[Peer]:
    """A client that was let in."""
    async with dial(url or gateway.ws_url) as peer:
        await peer.event("connect.challenge")
        await peer.result("connect", connect_params(gateway.token, **params))
        peer.events.clear()
        yield peer


class Door:
    """The WebSocket door alone, with its own timing; `served` counts connections that have ended."""

    def __init__(self) -> None:
        self.url = ""
        self.closing = Bell()
        self.served = asyncio.Semaphore(0)

    async def wait_served(self) -> None:
        """Until one more connection has ended."""
        async with asyncio.timeout(DEADLINE_S):
            await self.served.acquire()


@contextlib.asynccontextmanager
async def door(gateway: Gateway, timing: Timing) -> AsyncIterator[Door]:
    """The kernel's buffers are small here, so that a reader's pace is felt at once."""
    opened = Door()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)

    async def handle(http: web.BaseRequest) -> web.StreamResponse:
        try:
            return await serve(http, gateway, opened.closing, timing)
        finally:
            opened.served.release()

    runner = web.ServerRunner(web.Server(handle, handler_cancellation=True), shutdown_timeout=0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    opened.url = f"ws://127.0.0.1:{listening.getsockname()[1]}/"
    try:
        yield opened
    finally:
        await runner.cleanup()


def ws_tasks() -> set[str]:
    """Names of the door's tasks that are alive."""
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("ws.")}
