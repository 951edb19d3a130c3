"""`memory_search`: passages of the agent's notes that have to do with a question."""

import asyncio
from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolHouse, ToolResult
from openclaw_gateway.tools.memory.notes import all_notes, notebook
from openclaw_gateway.tools.memory.ranking import passages, ranked
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.workspace_path import Workspace

_MAX_QUERY_CHARS = 1000
_MAX_PASSAGE_CHARS = 2000


def build(house: ToolHouse, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        query = text(arguments, "query")[:_MAX_QUERY_CHARS]
        most = whole_number(arguments, "maxResults", "max_results", default=6, least=1, most=30, clamp=True)
        notes = notebook(house, agent, context)
        return ToolResult(await asyncio.to_thread(search_notes, notes, query, most))

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


def search_notes(workspace: Workspace, query: str, most: int) -> str:
    notes = all_notes(workspace)
    if not notes:
        return "There are no notes yet: neither MEMORY.md nor memory/*.md exists."
    found = ranked(query, [one for path, note in notes for one in passages(path, note)], most)
    if not found:
        return f"Nothing about this in {len(notes)} note(s). Try other words."
    return "\n\n".join(
        f"{one.path}:{one.first}-{one.last} (score {score:.2f})\n{one.text[:_MAX_PASSAGE_CHARS]}"
        for score, one in found
    )
