"""`edit`: replace an exact text in a file of the workspace, where it stands exactly once."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolHouse, ToolResult
from openclaw_gateway.tools.jobs.orders import Edit
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.scope import scope_of


def build(house: ToolHouse, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = text(arguments, "path", "file_path", "filePath")
        old = text(arguments, "oldText", "old_string", "old_text", "oldString", empty=True)
        new = text(arguments, "newText", "new_string", "new_text", "newString", empty=True)
        everywhere = yes_no(arguments, "replaceAll", "replace_all")
        job = Edit(scope_of(house, agent, context).workspace, path, old, new, everywhere)
        return ToolResult(await house.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "edit",
            work,
            summary="Replace an exact text in a file",
            description="Replace oldText by newText in a file. oldText must match exactly, white space "
            "included, and stand in the file exactly once unless replaceAll is true.",
            properties={
                "path": {"type": "string", "description": "Relative to the workspace"},
                "oldText": {"type": "string", "description": "The exact text to replace"},
                "newText": {"type": "string", "description": "What stands there afterwards"},
                "replaceAll": {"type": "boolean", "description": "Replace every occurrence"},
            },
            required=("path", "oldText", "newText"),
        ),
    )
