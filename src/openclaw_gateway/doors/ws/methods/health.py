"""`health` and `status`: how the gateway is doing.

Shapes are those of OpenClaw's published schema (`HelloOk.snapshot.health`), and what its and Clawdbot's own
programs read; beside them stands what this gateway has to say. No path of the
machine is told.
"""

import time
from typing import Any

import openclaw_gateway
from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.run import Run, now_ms
from openclaw_gateway.tools.mcp.servers import ServerState

_RECENT = 5
_MOST_LEFT_OUT = 50
_STORE = "sessions.sqlite"
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
    return {
        **({"ok": True} if readiness.ready else {}),
        "ts": now_ms(),
        "channels": {},
        "channelOrder": [],
        "channelLabels": {},
        "heartbeatSeconds": 0,
        "defaultAgentId": gateway.roster.default_id,
        "durationMs": _ms_since(began),
    }


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
    records, count = await call.gateway.sessions(call.principal, agent=agent, limit=_RECENT)
    now = now_ms()
    recent = [
        {"key": each.key, "updatedAt": each.updated_ms, "age": max(0, now - each.updated_ms)}
        for each in records
    ]
    return {"path": _STORE, "count": count, "recent": recent}


def _ms_since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _row(run: Run) -> dict[str, Any]:
    """A live run; `parent` is the run whose tool started it."""
    request = run.request
    return {
        "runId": run.shown_id,
        "sessionKey": request.session_key,
        "agentId": request.agent_id,
        "door": request.origin.door,
        "depth": request.origin.depth,
        "parent": run.parent.shown_id if run.parent else None,
        "startedAt": run.created_ms,
    }


def _server_row(server: ServerState) -> dict[str, Any]:
    return {
        "name": server.name,
        "connected": server.trouble is None,
        "trouble": server.trouble,
        "tools": server.tools,
        "leftOut": [{"tool": one.tool, "reason": one.reason} for one in server.left_out[:_MOST_LEFT_OUT]],
    }


async def _status(call: MethodCall, params: Nothing) -> object:
    gateway = call.gateway
    readiness = await gateway.readiness()
    _, sessions = await gateway.sessions(call.principal, limit=1)
    default_id = gateway.roster.default_id
    running = [_row(run) for run in gateway.running(call.principal)]
    return {
        "version": openclaw_gateway.__version__,
        "ready": readiness.ready,
        "failing": readiness.failing,
        "uptimeMs": readiness.uptime_ms,
        "authMode": gateway.auth_mode,
        "defaultAgentId": default_id,
        "defaultModel": gateway.target_name(default_id),
        "agents": len(gateway.roster.ids),
        "runs": {"active": gateway.live_runs(), "list": running},
        "sessions": {"count": sessions},
        "mcp": [_server_row(server) for server in gateway.generation.servers()],
        "grep": await gateway.grep_engine(),
        # Why the newest files are not in force, and what counts only after a restart.
        "config": {
            "generation": gateway.generation.number,
            "problems": gateway.standing.problems,
            "restartNeeded": gateway.standing.restart,
        },
    }


METHODS = (
    Method("health", READ, Nothing, _health),
    Method("status", READ, Nothing, _status),
)
