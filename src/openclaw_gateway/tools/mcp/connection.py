"""What a connection to an MCP server is to the rest of this package. Knows no SDK."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct

from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.tools.base import ToolResult

# What a server that is a command gets of the gateway's environment, beside what it is configured with.
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TZ", "TMPDIR")


class NotConnected(Exception):
    """The server cannot be reached, or is gone. The message is for the operator's log."""


class Offered(Struct, frozen=True):
    """A tool as its server describes it; `schema` is of type object."""

    name: str
    description: str
    schema: Mapping[str, Any]
    read_only: bool


class LeftOut(Struct, frozen=True):
    """A tool that its server lists and that is not offered."""

    tool: str
    reason: str


class Connection(Protocol):
    """`ended` is set when the server went away, `changed` when it offers other tools than before. `left_out`
    is what of the newest list is not offered."""

    @property
    def left_out(self) -> tuple[LeftOut, ...]: ...

    @property
    def ended(self) -> asyncio.Event: ...

    @property
    def changed(self) -> asyncio.Event: ...

    async def list_tools(self) -> tuple[Offered, ...]:
        """Raises NotConnected."""

    async def call(self, name: str, arguments: Mapping[str, Any], timeout_s: float) -> ToolResult:
        """Raises NotConnected when the server is gone, TimeoutError, ToolError when it refuses the call."""


# Entered and left by the same task; leaving it ends the server's process. Raises NotConnected.
Connect = Callable[[str, McpServer, Mapping[str, str]], AbstractAsyncContextManager[Connection]]
