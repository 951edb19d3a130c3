"""The floor: a bare aiohttp relay. No agent, no session, no validation, no limit: bytes in, bytes out.

What a gateway on the same library and the same loop costs above this is what its features cost.
Called with the address of the model server; prints its port on the first line.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import aiohttp
import uvloop
from aiohttp import web


def make_application(upstream: str, client: aiohttp.ClientSession) -> web.Application:
    async def relay(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with client.post(upstream, data=body, headers={"Content-Type": "application/json"}) as answer:
            if answer.content_type != "text/event-stream":
                return web.Response(
                    body=await answer.read(), status=answer.status, content_type=answer.content_type
                )
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            async for part in answer.content.iter_any():
                await response.write(part)
            await response.write_eof()
            return response

    application = web.Application(client_max_size=20 * 1024 * 1024)
    application.router.add_post("/v1/chat/completions", relay)
    return application


async def main(upstream: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as client:
        application = make_application(upstream, client)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await stop.wait()
        await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
