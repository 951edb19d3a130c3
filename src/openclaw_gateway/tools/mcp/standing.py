"""How every MCP server of a configuration stands, as clients and the terminal are told. Pure.

Nothing of a server's settings is in it but its name, and whether it is a command or a URL: the rest may hold
secrets, or paths of the machine.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from openclaw_gateway.config.schema import McpConfig, McpServer
from openclaw_gateway.tools.mcp.servers import ServerState

_MOST_LEFT_OUT = 50


class LeftOutTool(Struct, frozen=True):
    tool: str
    reason: str


class ServerStanding(Struct, frozen=True, rename="camel"):
    """`last_error` is why it is not connected. `tools` are named as agents see them, those that it offered
    last; None where no gateway was asked."""

    name: str
    transport: Literal["stdio", "http"]
    enabled: bool
    connected: bool | None
    last_error: str | None
    tools: tuple[str, ...] | None
    left_out: tuple[LeftOutTool, ...] = ()


def standings(config: McpConfig, states: Iterable[ServerState]) -> tuple[ServerStanding, ...]:
    """In the order in which they are written."""
    by_name = {state.name: state for state in states}
    return tuple(_of(name, server, by_name.get(name)) for name, server in config.servers.items())


def unasked(config: McpConfig) -> tuple[ServerStanding, ...]:
    """What the configuration alone says."""
    return tuple(
        ServerStanding(name, _transport(server), server.enabled, None, None, None)
        for name, server in config.servers.items()
    )


def _of(name: str, server: McpServer, state: ServerState | None) -> ServerStanding:
    transport = _transport(server)
    if state is None:
        why = None if not server.enabled else "not started: the MCP package is not installed"
        return ServerStanding(name, transport, server.enabled, connected=False, last_error=why, tools=())
    left_out = tuple(LeftOutTool(one.tool, one.reason) for one in state.left_out[:_MOST_LEFT_OUT])
    return ServerStanding(
        name, transport, server.enabled, state.trouble is None, state.trouble, state.names, left_out
    )


def _transport(server: McpServer) -> Literal["stdio", "http"]:
    return "http" if server.command is None else "stdio"
