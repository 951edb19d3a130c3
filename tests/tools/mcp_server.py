"""A small MCP server written with the official SDK: over stdio, or over HTTP at a port it prints."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("small")


@server.tool()
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool()
def environment() -> str:
    """The names of the environment's variables, and some values."""
    return " ".join(sorted(os.environ)) + f" GIVEN={os.environ.get('GIVEN')} cwd={Path.cwd()}"


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ValueError("this tool never works")


@server.tool()
async def sleep(seconds: float, begun: str = "") -> str:
    """Wait; the file `begun` is there once it does."""
    if begun:
        Path(begun).touch()  # noqa: ASYNC240  its own process
    await asyncio.sleep(seconds)
    return "slept"


@server.tool()
def die() -> str:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@server.tool(name="odd name/ü")
def odd() -> list[str]:
    """Has a name nobody can use."""
    return ["one", "two"]


@server.tool()
def pid() -> str:
    """Of this process."""
    return str(os.getpid())


@server.tool()
async def grow(ctx: Context) -> str:
    """Offer one more tool from now on."""

    @server.tool()
    def grown() -> str:
        return "grown"

    await ctx.notify_tools_changed()
    return "done"


if __name__ == "__main__":
    if sys.argv[1:2] == ["slow"]:
        import time

        time.sleep(60)
    sys.stderr.write("some words on stderr, token=secret-value-123\n")
    if sys.argv[1:2] == ["broken"]:
        sys.exit(3)
    if sys.argv[1:2] == ["http"]:
        server.run("streamable-http", port=int(sys.argv[2]))
    elif sys.argv[1:2] == ["sse"]:
        server.run("sse", port=int(sys.argv[2]))
    else:
        server.run("stdio")
