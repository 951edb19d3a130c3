"""The MCP servers that run, each once, however many configurations use it.

One whose settings stayed the same goes on when the configuration changes; it ends when its last user has
given it back.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.tools.mcp.connection import INHERITED, Connect, Connection
from openclaw_gateway.tools.mcp.reconnecting import PAUSES_S, ReconnectingClient
from openclaw_gateway.work.threads import Threads

_SDK = "openclaw_gateway.tools.mcp.sdk"


class McpPool:
    def __init__(self, *, connect: Connect | None = None, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        self._connect = connect or through_sdk
        self._pauses_s = pauses_s
        self._users: dict[ReconnectingClient, int] = {}

    @property
    def needs_package(self) -> bool:
        """Whether servers are spoken to through the SDK."""
        return self._connect is through_sdk

    def take(
        self, name: str, server: McpServer, environ: Mapping[str, str], heard: Callable[[], None]
    ) -> ReconnectingClient:
        """The server of that name and these settings, started if need be; returns at once. `heard` is called
        whenever it offers other tools than before, until the client is given back."""
        inherited = {each: environ[each] for each in INHERITED if each in environ}
        for client in self._users:
            if (client.name, client.server, client.inherited) == (name, server, inherited):
                break
        else:
            client = ReconnectingClient(
                name, server, inherited, connect=self._connect, pauses_s=self._pauses_s
            )
            self._users[client] = 0
            client.start()
        self._users[client] += 1
        client.heard_by.add(heard)
        return client

    async def give_back(self, client: ReconnectingClient, heard: Callable[[], None]) -> None:
        """Ends the server, if nobody else uses it."""
        client.heard_by.discard(heard)
        if client not in self._users:
            return
        self._users[client] -= 1
        if not self._users[client]:
            del self._users[client]
            await client.close()

    async def close(self) -> None:
        """Ends all servers, side by side."""
        clients = list(self._users)
        self._users.clear()
        await asyncio.gather(*(client.close() for client in clients))


@asynccontextmanager
async def through_sdk(name: str, server: McpServer, environ: Mapping[str, str]) -> AsyncIterator[Connection]:
    # On a thread, because importing it takes longer than the gateway takes to be ready.
    sdk = await Threads("mcp", most=1).run(_SDK, partial(importlib.import_module, _SDK))
    async with sdk.connect(name, server, environ) as connection:
        yield connection
