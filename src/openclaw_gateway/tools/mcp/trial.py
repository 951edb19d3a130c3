"""An MCP server tried: started, asked for its tools, ended. For whoever wants to know whether it works."""

import asyncio
from collections.abc import Mapping

from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.tools.mcp.connection import INHERITED, Connect, NotConnected, Offered
from openclaw_gateway.tools.mcp.pool import through_sdk


async def tried(
    name: str, server: McpServer, environ: Mapping[str, str], connect: Connect = through_sdk
) -> tuple[Offered, ...]:
    """The tools it lists. Raises NotConnected, whose message holds no secret, also when it takes longer than
    the server's time for a start."""
    inherited = {each: environ[each] for each in INHERITED if each in environ}
    try:
        async with asyncio.timeout(server.connect_s), connect(name, server, inherited) as connection:
            return await connection.list_tools()
    except TimeoutError:
        raise NotConnected(f"no list of tools within {server.connect_s:g} s") from None
