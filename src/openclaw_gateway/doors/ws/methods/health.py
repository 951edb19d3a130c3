"""`health`: how the gateway is doing. (`status` says more.)

Shapes are those of OpenClaw's published schema (`HelloOk.snapshot.health`), and what its and Clawdbot's own
programs read; beside them stands what this gateway has to say. No path of the machine is told.
"""

import time
from typing import Any

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.doors.ws.stateview import health
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.store import SessionRecord

RECENT = 5
STORE = "sessions.sqlite"
# There are no heartbeats here.
_HEARTBEAT = {
    "enabled": False,
    "every": "0m",
    "everyMs": None,
    "prompt": "",
    "target": "none",
    "ackMaxChars": 0,
}


async def greeting_health(gateway: Gateway) -> dict[str, Any]:
    """What the greeting says of it: closed as it is published, where `ok` can only be true, and as quick with
    many sessions as with none, which therefore are not counted. Raises StoreError."""
    began = time.monotonic()
    readiness = await gateway.readiness()
    return health(gateway, ready=readiness.ready, duration_ms=_ms_since(began))


async def _health(call: MethodCall, _: Nothing) -> object:
    """The same with the agents and the newest sessions of each, and what is `failing`."""
    began = time.monotonic()
    gateway = call.gateway
    readiness = await gateway.readiness()
    default_id = gateway.roster.default_id
    agents = [
        {
            "agentId": agent.id,
            "name": agent.name,
            "isDefault": agent.id == default_id,
            "heartbeat": _HEARTBEAT,
            "sessions": await _newest(call, agent.id),
        }
        for agent in gateway.roster
    ]
    return {
        **await greeting_health(gateway),
        "ok": readiness.ready,
        "failing": readiness.failing,
        "agents": agents,
        "sessions": await _newest(call, None),
        "durationMs": _ms_since(began),
    }


async def _newest(call: MethodCall, agent: str | None) -> dict[str, Any]:
    """Of the caller's sessions with an agent, or with all: how many, and the newest."""
    records, count = await call.gateway.sessions(call.principal, agent=agent, limit=RECENT)
    return {"path": STORE, "count": count, "recent": [aged(each) for each in records]}


def aged(record: SessionRecord) -> dict[str, Any]:
    """A session, and how many milliseconds ago it was last used."""
    age = max(0, now_ms() - record.updated_ms)
    return {"key": record.key, "updatedAt": record.updated_ms, "age": age}


def _ms_since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


METHODS = (Method("health", READ, Nothing, _health),)
