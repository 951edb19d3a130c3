"""Who is connected and how the gateway is, as the control protocol words it: answers, events, greeting.

Shapes are OpenClaw's. At most the newest of many connections are told.
"""

from typing import Any

import openclaw_gateway
from openclaw_gateway.gateway.presence import Present
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.wire.frames import StateVersion

MOST_PRESENT = 50


def state_version(gateway: Gateway, principal: Principal) -> StateVersion:
    return StateVersion(gateway.presence.version(principal), gateway.health_news.version)


def present(gateway: Gateway, principal: Principal) -> list[dict[str, Any]]:
    """The gateway itself and the caller's connections, oldest first. Raises Forbidden."""
    now = now_ms()
    here = {
        "version": openclaw_gateway.__version__,
        "mode": "gateway",
        "reason": "self",
        "text": "Gateway",
        "ts": now,
        "onlineSince": max(0, now - gateway.uptime_ms()),
    }
    return [here, *map(_row, gateway.presence.of(principal)[-MOST_PRESENT:])]


def health(gateway: Gateway, *, ready: bool, duration_ms: int = 0) -> dict[str, Any]:
    """Closed as it is published for the greeting, where `ok` can only be true."""
    return {
        **({"ok": True} if ready else {}),
        "ts": now_ms(),
        "channels": {},
        "channelOrder": [],
        "channelLabels": {},
        "heartbeatSeconds": 0,
        "defaultAgentId": gateway.roster.default_id,
        "durationMs": duration_ms,
    }


def health_event(gateway: Gateway) -> dict[str, Any]:
    """What was noticed last."""
    failing = gateway.health_news.failing
    return {**health(gateway, ready=not failing), "ok": not failing, "failing": failing}


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
