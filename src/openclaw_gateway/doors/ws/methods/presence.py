"""`system-presence`: the gateway itself, and the caller's connections, as OpenClaw's schema shapes them.

Who has asked hears of it (`presence`) when that changes, and of the gateway's health.
"""

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.doors.ws.stateview import present
from openclaw_gateway.gateway.principal import READ


async def _presence(call: MethodCall, _: Nothing) -> object:
    call.watch()
    return present(call.gateway, call.principal)


METHODS = (Method("system-presence", READ, Nothing, _presence),)
