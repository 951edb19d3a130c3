"""`agents.list`, `agents.tools`: whom one can talk to, and what they can do."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.agent_tools import tools_of
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.models.target import ModelTarget


async def _list(call: MethodCall, _: Nothing) -> object:
    gateway = call.gateway
    plans = gateway.generation.plans
    return {
        "defaultId": gateway.roster.default_id,
        "mainKey": "main",
        "scope": "per-sender",
        "agents": [
            {
                "id": agent.id,
                "name": agent.name,
                "identity": {"name": agent.name},
                "model": _models(plans[agent.id].targets),
            }
            for agent in gateway.roster
        ],
    }


def _models(targets: Sequence[ModelTarget]) -> dict[str, Any]:
    """References; nothing of an agent whose models cannot be asked."""
    if not targets:
        return {}
    return {"primary": targets[0].ref, "fallbacks": [target.ref for target in targets[1:]]}


class _Named(Struct, frozen=True, rename="camel"):
    agent_id: str


async def _tools(call: MethodCall, params: _Named) -> object:
    """In its main session; what a model cannot be told of is named."""
    tools = tools_of(call.principal, call.gateway.generation, params.agent_id)
    left_out = [{"tool": tool, "model": model, "reason": why} for tool, model, why in tools.left_out]
    return {"agentId": params.agent_id, "tools": [spec.name for spec in tools.specs], "leftOut": left_out}


class _Whose(Struct, frozen=True, rename="camel"):
    agent_id: str | None = None
    session_key: str | None = None


async def _identity(call: MethodCall, params: _Whose) -> object:
    route = call.gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    agent = call.gateway.roster.get(route.agent_id)
    name = route.agent_id if agent is None else agent.name
    return {"agentId": route.agent_id, "name": name, "avatar": name[:1].upper()}


METHODS = (
    Method("agent.identity.get", READ, _Whose, _identity),
    Method("agents.list", READ, Nothing, _list),
    Method("agents.tools", READ, _Named, _tools),
)
