"""`tools.catalog`: which tools there are. `tools.effective`: which an agent has in a session, after policy.

Shapes as published. What a server of the `mcp` section brings stands in a group of its own; in the catalogue
only what this agent has of it, because servers are asked for agents.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.agent_tools import AgentTools, tools_of
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.tools.builtin import registrations
from openclaw_gateway.tools.policy.groups import MCP_PREFIX
from openclaw_gateway.tools.policy.profiles import PROFILES, profiles_with

_AgentId = Annotated[str, Meta(min_length=1, max_length=256)]
_GROUPS = {
    "fs": "Files",
    "runtime": "Commands",
    "sessions": "Sessions",
    "memory": "Memory",
    "plan": "Plan",
    "web": "Web",
    "agents": "Agents",
}


class CatalogParams(Struct, frozen=True, rename="camel"):
    agent_id: _AgentId | None = None
    include_plugins: bool = True


class EffectiveParams(Struct, frozen=True, rename="camel"):
    session_key: Annotated[str, Meta(min_length=1, max_length=512)]
    agent_id: _AgentId | None = None


async def _catalog(call: MethodCall, params: CatalogParams) -> object:
    """What the agent has not is there too, with an empty description."""
    agent_id = call.gateway.route(Ask(agent=params.agent_id)).agent_id
    has = tools_of(call.principal, call.gateway.generation, agent_id)
    registered = registrations()
    groups = [
        {
            "id": group,
            "label": label,
            "source": "core",
            "tools": [
                _offered(name, has.summaries.get(name, ""), "core")
                for name, registration in registered.items()
                if registration.group == group
            ],
        }
        for group, label in _GROUPS.items()
    ]
    brought = [spec for spec in has.specs if spec.name not in registered]
    if brought and params.include_plugins:
        tools = [_offered(spec.name, _line(spec.description), "plugin") for spec in brought]
        groups.append({"id": "mcp", "label": "MCP servers", "source": "plugin", "tools": tools})
    profiles = [{"id": profile, "label": profile.capitalize()} for profile in PROFILES]
    return {"agentId": agent_id, "profiles": profiles, "groups": groups}


async def _effective(call: MethodCall, params: EffectiveParams) -> object:
    """What a model cannot be told of is a notice."""
    route = call.gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    has = tools_of(call.principal, call.gateway.generation, route.agent_id, route.session_key)
    groups = [_group(has, "core", "Built in"), _group(has, "mcp", "MCP servers")]
    shown: dict[str, Any] = {
        "agentId": route.agent_id,
        "profile": has.profile or "full",
        "groups": [group for group in groups if group["tools"]],
    }
    notices = [
        {"id": f"{tool}@{model}", "severity": "warning", "message": f"{model} is not told of {tool}: {why}"}
        for tool, model, why in has.left_out
    ]
    return shown | {"notices": notices} if notices else shown


def _group(has: AgentTools, source: str, label: str) -> dict[str, Any]:
    tools = [
        {
            "id": spec.name,
            "label": spec.name,
            "description": has.summaries.get(spec.name) or _line(spec.description),
            "rawDescription": spec.description,
            "source": source,
        }
        for spec in has.specs
        if spec.name.startswith(MCP_PREFIX) == (source == "mcp")
    ]
    return {"id": source, "label": label, "source": source, "tools": tools}


def _offered(name: str, description: str, source: str) -> dict[str, Any]:
    return {
        "id": name,
        "label": name,
        "description": description,
        "source": source,
        "defaultProfiles": profiles_with(name),
    }


def _line(text: str) -> str:
    return text.strip().partition("\n")[0]


METHODS = (
    Method("tools.catalog", READ, CatalogParams, _catalog),
    Method("tools.effective", READ, EffectiveParams, _effective),
)
