"""`sessions_history`: what was said in a conversation."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text, whole_number, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.session_reach import sight
from openclaw_gateway.tools.session_text import newest, shown

REGISTRATION = Registration("sessions", profiles=("messaging",), sandbox=True, subagents=False)

_MOST = 200


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        key = text(arguments, "sessionKey", "session_key")
        limit = whole_number(arguments, "limit", default=50, least=1, most=_MOST, clamp=True)
        include_tools = yes_no(arguments, "includeTools", "include_tools")
        sees = sight(agent, context)
        said = await services.sessions.history(context, sees, key, limit, include_tools=include_tools)
        messages, left_out = newest(said)
        return ToolResult(shown({"sessionKey": key, "messages": messages, "leftOut": left_out}))

    return (
        own_tool(
            "sessions_history",
            work,
            summary="Read a conversation",
            description="Read the last messages of a conversation.",
            properties={
                "sessionKey": {"type": "string", "description": "As sessions_list names it"},
                "limit": {"type": "integer", "description": f"At most {_MOST}; 50 if not given"},
                "includeTools": {"type": "boolean", "description": "Also the results of tools"},
            },
            required=("sessionKey",),
            read_only=True,
        ),
    )
