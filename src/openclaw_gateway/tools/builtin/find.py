"""`find`: the files of the workspace whose path matches a glob."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.fs.tree import SKIPPED
from openclaw_gateway.tools.arguments import optional_text, text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Find
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)

MAX_RESULTS = 1000


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        pattern = text(arguments, "pattern", "glob")
        path = optional_text(arguments, "path", "dir", "directory") or "."
        limit = whole_number(arguments, "limit", default=MAX_RESULTS, least=1, most=MAX_RESULTS, clamp=True)
        job = Find(scope_of(services, agent, context).workspace, path, pattern, limit)
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "find",
            work,
            summary="Find files by name",
            description="Find files and directories by glob, such as *.py or src/**/*.{ts,tsx}. Does not "
            f"look into {', '.join(sorted(SKIPPED))} and does not follow links.",
            properties={
                "pattern": {"type": "string", "description": "Glob; without / it matches names anywhere"},
                "path": {"type": "string", "description": "Directory to start in, default the workspace"},
                "limit": {
                    "type": "integer",
                    "description": f"At most so many results, default {MAX_RESULTS}",
                },
            },
            required=("pattern",),
            read_only=True,
        ),
    )
