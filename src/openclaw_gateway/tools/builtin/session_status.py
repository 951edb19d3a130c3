"""`session_status`: what is known about this conversation, or another: model, tokens, time."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import optional_text
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.session_reach import sight
from openclaw_gateway.tools.session_text import shown, unused

REGISTRATION = Registration("sessions", profiles=("minimal", "messaging"), sandbox=True, subagents=False)


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        key = optional_text(arguments, "sessionKey", "session_key") or None
        status = await services.sessions.status(context, sight(agent, context), key)
        return ToolResult(shown({**status, **unused(arguments, "model")}))

    return (
        own_tool(
            "session_status",
            work,
            summary="Show the state of this conversation",
            description="Show model, usage and time of this conversation, or of another one.",
            properties={"sessionKey": {"type": "string", "description": "This conversation, if not given"}},
            read_only=True,
        ),
    )
