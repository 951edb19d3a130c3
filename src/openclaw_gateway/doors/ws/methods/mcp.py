"""`mcp.status`: the MCP servers of the configuration, and how each of them is.

Our own; OpenClaw has no method for it. What a server was started with, and where, is not told.
"""

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.tools.mcp.standing import standings


async def _status(call: MethodCall, _: Nothing) -> object:
    generation = call.gateway.generation
    return {"servers": standings(generation.config.mcp, generation.servers())}


METHODS = (Method("mcp.status", READ, Nothing, _status),)
