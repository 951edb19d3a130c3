"""`health` and `status`: how the gateway is doing."""

import time
from typing import Any

import openclaw_gateway
from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.doors.ws.methods.sessions import session_row
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.run import Run, now_ms
from openclaw_gateway.tools.mcp.servers import ServerState

_RECENT = 5
_MOST_LEFT_OUT = 50


async def health_report(gateway: Gateway) -> dict[str, Any]:
    """Also part of the greeting, and as quick with many sessions as with none. Raises StoreError."""
    began = time.monotonic()
    readiness = await gateway.readiness()
    default_id = gateway.roster.default_id
    return {
        "ok": readiness.ready,
        "failing": readiness.failing,
        "ts": now_ms(),
        "channels": {},
        "channelOrder": [],
        "channelLabels": {},
        "defaultAgentId": default_id,
        "agents": [
            {"agentId": agent.id, "name": agent.name, "isDefault": agent.id == default_id}
            for agent in gateway.roster
        ],
        "durationMs": _ms_since(began),
    }


async def _health(call: MethodCall, _: Nothing) -> object:
    """With the newest sessions, which the greeting leaves out: it lists nothing."""
    began = time.monotonic()
    report = await health_report(call.gateway)
    records, count = await call.gateway.sessions(call.principal, limit=_RECENT)
    sessions = {"count": count, "recent": [session_row(record) for record in records]}
    return {**report, "sessions": sessions, "durationMs": _ms_since(began)}


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
