"""`system-presence`: the gateway itself, and the caller's connections, as OpenClaw's schema shapes them."""

from typing import Any

import openclaw_gateway
from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.presence import Present
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.runs.run import now_ms


async def _presence(call: MethodCall, _: Nothing) -> object:
    gateway = call.gateway
    here = {
        "version": openclaw_gateway.__version__,
        "mode": "gateway",
        "reason": "self",
        "text": "Gateway",
        "ts": now_ms(),
        "onlineSince": max(0, now_ms() - gateway.uptime_ms()),
    }
    return [here, *map(_row, gateway.presence.of(call.principal))]


def _row(one: Present) -> dict[str, Any]:
    said = {"version": one.version, "platform": one.platform, "mode": one.mode}
    return {
        **{name: text for name, text in said.items() if text},
        "reason": "connect",
        "text": one.client,
        "roles": ["operator"],
        "scopes": list(one.scopes),
        "ts": one.since_ms,
        "onlineSince": one.since_ms,
    }


METHODS = (Method("system-presence", READ, Nothing, _presence),)
