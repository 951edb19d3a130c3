"""A web server on loopback for web_fetch, names that lead to it, and a rule that opens its port alone."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from openclaw_gateway.tools.base import ToolAgent, ToolContext
from openclaw_gateway.tools.web.addresses import Address
from openclaw_gateway.tools.web.fetching import Fetcher
from tests.tools.rooms import OPERATOR

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTEXT = ToolContext("run", "call", "main", OPERATOR, None, lambda text: None)


def agent_with(**fetch: Any) -> ToolAgent:
    return ToolAgent("main", Path("/nonexistent"), {"web": {"fetch": fetch}})


class Pages:
    """Every path is answered by `handler`; `asked` are the requests that came."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.asked: list[web.Request] = []
        self.lookups: list[str] = []
        self.port = 0

    async def __aenter__(self) -> "Pages":
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            assert isinstance(request, web.Request)
            self.asked.append(request)
            return await self._handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._runner.cleanup()

    def url(self, path: str = "/", host: str = "pages.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def fetcher(self) -> Fetcher:
        return Fetcher(lookup=self._lookup, rule=self._rule)

    async def _lookup(self, host: str, port: int) -> list[str]:
        self.lookups.append(host)
        return ["127.0.0.1"]

    def _rule(self, address: Address, port: int) -> bool:
        return str(address) == "127.0.0.1" and port == self.port
