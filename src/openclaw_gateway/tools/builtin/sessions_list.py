"""`sessions_list`: the conversations this agent may look at, newest first."""

import time
from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.session_reach import sight
from openclaw_gateway.tools.session_text import line, shown, unused

REGISTRATION = Registration("sessions", profiles=("messaging",), sandbox=True, subagents=False)

_MOST = 200


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        limit = whole_number(arguments, "limit", default=50, least=1, most=_MOST, clamp=True)
        minutes = whole_number(arguments, "activeMinutes", default=0, least=0, most=10**7, clamp=True)
        since_ms = (time.time() - 60 * minutes) * 1000 if minutes else 0
        found = await services.sessions.list_sessions(context, sight(agent, context))
        reached = [line(one) for one in found if one.updated_ms >= since_ms]
        told: dict[str, Any] = {"sessions": reached[:limit], "more": max(0, len(reached) - limit)}
        return ToolResult(shown(told | unused(arguments, "kinds", "messageLimit")))

    return (
        own_tool(
            "sessions_list",
            work,
            summary="List conversations",
            description="List the conversations you may look at, newest first.",
            properties={
                "limit": {"type": "integer", "description": f"At most {_MOST}; 50 if not given"},
                "activeMinutes": {"type": "integer", "description": "Only those used so recently"},
            },
            read_only=True,
        ),
    )
