"""`status`: what the gateway is at, and what stands in its way.

OpenClaw publishes no schema of it. `sessions`, `heartbeat`, `channelSummary`, `queuedSystemEvents` and, where
it is asked for, `cliProjection` are what its program `openclaw status` reads (2026.9.6); beside them stands
what this gateway has to say. No path of the machine is told.
"""

from typing import Any

from msgspec import Struct

import openclaw_gateway
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.doors.ws.methods.health import RECENT, STORE, aged
from openclaw_gateway.errors import StoreError
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.elsewhere.membership import WITHOUT_BUS
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.shared import Replica
from openclaw_gateway.sessions.store import SessionRecord
from openclaw_gateway.tools.mcp.servers import ServerState

_MOST_LEFT_OUT = 50


class StatusParams(Struct, frozen=True, rename="camel"):
    """`include_cli_projection`: what OpenClaw's program shows of agents, too."""

    include_cli_projection: bool = False


def _row(run: Run) -> dict[str, Any]:
    """A live run; `parent` is the run whose tool started it."""
    request = run.request
    return {
        "runId": run.shown_id,
        "sessionKey": request.session_key,
        "agentId": request.agent_id,
        "door": request.origin.door,
        "depth": request.origin.depth,
        "parent": run.started_by,
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


async def _sessions(call: MethodCall) -> dict[str, Any]:
    """The caller's: how many, the newest, and the same of each agent."""
    gateway, principal = call.gateway, call.principal
    newest, count = await gateway.sessions(principal, limit=RECENT)
    by_agent = []
    for agent in gateway.roster:
        records, of_agent = await gateway.sessions(principal, agent=agent.id, limit=RECENT)
        recent = [_session_row(each) for each in records]
        by_agent.append({"agentId": agent.id, "path": STORE, "count": of_agent, "recent": recent})
    model = gateway.target_name(gateway.roster.default_id)
    return {
        "count": count,
        "paths": [STORE],
        "defaults": {"model": model or None, "contextTokens": None},
        "recent": [_session_row(each) for each in newest],
        "byAgent": by_agent,
    }


def _session_row(record: SessionRecord) -> dict[str, Any]:
    return {
        **aged(record),
        "agentId": record.agent,
        "sessionId": record.key,
        "kind": "direct",
        "totalTokens": record.total_tokens,
        "flags": [],
    }


async def _status(call: MethodCall, params: StatusParams) -> object:
    gateway = call.gateway
    readiness = await gateway.readiness()
    default_id = gateway.roster.default_id
    running = [_row(run) for run in gateway.running(call.principal)]
    told: dict[str, Any] = {
        "version": openclaw_gateway.__version__,
        "ready": readiness.ready,
        "failing": readiness.failing,
        "uptimeMs": readiness.uptime_ms,
        "authMode": gateway.auth_mode,
        "defaultAgentId": default_id,
        "defaultModel": gateway.target_name(default_id),
        "agents": len(gateway.roster.ids),
        "runs": {"active": gateway.live_runs(), "list": running},
        "sessions": await _sessions(call),
        "mcp": [_server_row(server) for server in gateway.generation.servers()],
        "grep": await gateway.grep_engine(),
        # Why the newest files are not in force, and what counts only after a restart.
        "config": {
            "generation": gateway.generation.number,
            "problems": gateway.standing.problems,
            "restartNeeded": gateway.standing.restart,
        },
        "heartbeat": {
            "defaultAgentId": default_id,
            "agents": [
                {"agentId": agent.id, "enabled": False, "every": "disabled", "everyMs": None}
                for agent in gateway.roster
            ],
        },
        "channelSummary": [],
        "queuedSystemEvents": [],
    }
    if gateway.peers is not None:
        # Ours: OpenClaw's gateway is one process.
        replicas, bus = await _replicas(gateway), gateway.bus_health()
        told["replicas"] = [_replica_row(each) for each in replicas]
        lacks = bus.kind == "local" and len(replicas) > 1
        told["bus"] = {
            "connected": bus.connected and not lacks,
            "reason": WITHOUT_BUS if lacks else bus.reason,
        }
        if bus.kind != "local":
            # They have the limit in common; as far as each has said when it beat last.
            most, share = gateway.most_runs()
            executing = sum(each.runs for each in replicas)
            told["runs"] |= {"executing": executing, "most": most, "share": share}
    if params.include_cli_projection:
        rows = [{"id": agent.id, "name": agent.name} for agent in gateway.roster]
        told["cliProjection"] = {"agents": {"defaultId": default_id, "rows": rows}}
    return told


async def _replicas(gateway: Gateway) -> tuple[Replica, ...]:
    """Nobody while the store is away: that is told as what is failing."""
    try:
        return await gateway.replicas()
    except StoreError:
        return ()


def _replica_row(replica: Replica) -> dict[str, Any]:
    return {
        "id": replica.id,
        "role": replica.role,
        "version": replica.version,
        "address": replica.address,
        "startedAtMs": replica.started_ms,
        "runs": replica.runs,
        "maxRuns": replica.most,
    }


METHODS = (Method("status", READ, StatusParams, _status),)
