"""The MCP servers of one configuration, and their tools under the names that agents see.

Starting does not wait for anybody: tools appear when their server has answered.
"""

import asyncio
import importlib.util
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from msgspec import Struct

from openclaw_gateway.config.schema import McpConfig, McpServer, McpToolFilter
from openclaw_gateway.tools.base import Tool, ToolContext, ToolResult, spec_of
from openclaw_gateway.tools.mcp.argument_names import Names, plain, put_back
from openclaw_gateway.tools.mcp.connection import LeftOut, Offered
from openclaw_gateway.tools.mcp.naming import mcp_name
from openclaw_gateway.tools.mcp.pool import McpPool
from openclaw_gateway.tools.mcp.reconnecting import ReconnectingClient
from openclaw_gateway.wire.run import ToolSpec

_MAX_DESCRIPTION = 2000


class ServerState(Struct, frozen=True):
    """`trouble` is why it is not connected; None when it is. `tools` is how many it offers, or offered;
    `names` are those of them that agents may have, as they see them."""

    name: str
    trouble: str | None
    tools: int
    left_out: tuple[LeftOut, ...]
    names: tuple[str, ...] = ()


class McpServers:
    """Those of one configuration. `tools()` is the same tuple until a server offers other tools."""

    def __init__(self, config: McpConfig, environ: Mapping[str, str], pool: McpPool) -> None:
        self._config = config
        self._environ = environ
        self._pool = pool
        self._clients: dict[str, ReconnectingClient] = {}
        self._tools: tuple[_McpTool, ...] = ()

    def notice(self) -> str | None:
        """What the operator should know before the start; None when all is well."""
        return missing_package(self._config)

    def start(self) -> None:
        """Returns at once. Of a server that runs already the tools are there."""
        if self.notice() is not None and self._pool.needs_package:
            return
        for name, server in _wanted(self._config).items():
            self._clients[name] = self._pool.take(name, server, self._environ, self._offered)
        self._offered()

    def tools(self) -> tuple[Tool, ...]:
        """What the servers offer now, or offered when they were last there."""
        return self._tools

    def states(self) -> tuple[ServerState, ...]:
        """How every server is."""
        return tuple(
            ServerState(
                name,
                client.trouble,
                len(client.offered),
                client.left_out,
                tuple(tool.spec.name for tool in self._tools if tool.client is client),
            )
            for name, client in self._clients.items()
        )

    async def close(self) -> None:
        """Ends those that no other configuration uses, side by side."""
        await asyncio.gather(
            *(self._pool.give_back(client, self._offered) for client in self._clients.values())
        )

    def _offered(self) -> None:
        tools: dict[str, _McpTool] = {}
        for client in self._clients.values():
            for offered in filter(partial(_wanted_tool, client.server.tool_filter), client.offered):
                name = mcp_name(client.name, offered.name, taken=tools.keys())
                schema, names = plain(offered.schema)
                tools[name] = _McpTool(_spec(name, client.name, offered, schema), client, offered, names)
        self._tools = tuple(tools.values())


def missing_package(config: McpConfig) -> str | None:
    """What to tell the operator when servers are configured and cannot be spoken to; None: all is well."""
    if not _wanted(config) or importlib.util.find_spec("mcp") is not None:
        return None
    return (
        "mcp.servers needs the MCP package, which is not installed: "
        '`make wheel` in a checkout, then pip install "$(ls dist/*.whl)[mcp]". '
        "The gateway runs without these tools."
    )


def _wanted_tool(filter_: McpToolFilter, offered: Offered) -> bool:
    if any(fnmatchcase(offered.name, _pattern(name)) for name in filter_.exclude):
        return False
    return not filter_.include or any(fnmatchcase(offered.name, _pattern(name)) for name in filter_.include)


def _pattern(name: str) -> str:
    """Only `*` stands for anything."""
    return name.replace("[", "[[]").replace("?", "[?]")


def _wanted(config: McpConfig) -> dict[str, McpServer]:
    return {name: server for name, server in config.servers.items() if server.enabled}


class _McpTool(Struct, frozen=True):
    spec: ToolSpec
    client: ReconnectingClient
    offered: Offered
    names: Names

    @property
    def summary(self) -> str:
        return " ".join(self.offered.description.split())[:100] or f"A tool of {self.client.name}"

    @property
    def read_only(self) -> bool:
        return self.offered.read_only or self.client.server.supports_parallel_tool_calls

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        return await self.client.call(self.offered.name, put_back(arguments, self.names, self.offered.schema))


def _spec(name: str, server: str, offered: Offered, schema: Mapping[str, Any]) -> ToolSpec:
    description = offered.description[:_MAX_DESCRIPTION] or f"{offered.name}, a tool of {server}"
    return spec_of(name, description, schema)
