"""A gateway that greets as one does, and then answers as the test says."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from openclaw_gateway.wire.frames import HelloOk, ServerInfo

Answer = Callable[[str, dict[str, Any]], Awaitable[object]]


@contextlib.asynccontextmanager
async def impostor(answer: Answer) -> AsyncIterator[str]:
    """Its address. `answer` is given each method with its params."""

    async def talk(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                asked = msgspec.json.decode(message.data)
                hello = asked["method"] == "connect"
                payload = (
                    HelloOk(4, ServerInfo("0", "1"))
                    if hello
                    else await answer(asked["method"], asked["params"])
                )
                told = {"type": "res", "id": asked["id"], "ok": True, "payload": payload}
                await socket.send_str(msgspec.json.encode(told).decode())
        return socket

    runner = web.ServerRunner(web.Server(talk), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
