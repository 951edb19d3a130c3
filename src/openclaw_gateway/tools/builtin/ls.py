"""`ls`: what is in a directory of the workspace."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import optional_text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import List
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)

MAX_ENTRIES = 500


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = optional_text(arguments, "path", "dir", "directory") or "."
        limit = whole_number(arguments, "limit", default=MAX_ENTRIES, least=1, most=5000, clamp=True)
        job = List(scope_of(services, agent, context).workspace, path, limit)
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "ls",
            work,
            summary="List a directory",
            description="List a directory of the workspace: directories end with /, files have their size.",
            properties={
                "path": {"type": "string", "description": "Relative to the workspace; default the workspace"},
                "limit": {
                    "type": "integer",
                    "description": f"At most so many entries, default {MAX_ENTRIES}",
                },
            },
            read_only=True,
        ),
    )
