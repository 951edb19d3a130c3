"""`memory_search`: passages of the agent's notes that have to do with a question."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Recall
from openclaw_gateway.tools.memory.notes import notebook
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration

REGISTRATION = Registration("memory", subagents=False)

_MAX_QUERY_CHARS = 1000


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        query = text(arguments, "query")[:_MAX_QUERY_CHARS]
        most = whole_number(arguments, "maxResults", "max_results", default=6, least=1, most=30, clamp=True)
        job = Recall(notebook(services, agent, context), query, most)
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "memory_search",
            work,
            summary="Search your notes",
            description="Search MEMORY.md and memory/*.md by words. Gives passages with path and lines; "
            "memory_get reads on.",
            properties={
                "query": {"type": "string", "description": "The words it would be written with"},
                "maxResults": {"type": "integer", "description": "At most 30; 6 if not given"},
            },
            required=("query",),
            read_only=True,
        ),
    )
