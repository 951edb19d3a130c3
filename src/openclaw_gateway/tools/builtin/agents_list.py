"""`agents_list`: who else works here."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.session_text import shown

REGISTRATION = Registration("agents", subagents=False)

_MOST = 200


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        everybody = services.agents.list_agents()
        told = [{"id": one, "name": name, "you": one == agent.id} for one, name in everybody[:_MOST]]
        return ToolResult(shown({"agents": told, "more": max(0, len(everybody) - _MOST)}))

    return (
        own_tool(
            "agents_list",
            work,
            summary="List the agents",
            description="List the agents of this gateway by id and name.",
            properties={},
            read_only=True,
        ),
    )
