"""`write`: put a text into a file of the workspace, whole; directories on the way are made."""

import asyncio
from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolHouse, ToolResult
from openclaw_gateway.tools.files import encoded, replace
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.scope import scope_of
from openclaw_gateway.tools.workspace_path import Workspace


def build(house: ToolHouse, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = text(arguments, "path", "file_path", "filePath")
        content = text(arguments, "content", "text", empty=True)
        workspace = scope_of(house, agent, context).workspace
        return ToolResult(await asyncio.to_thread(write_file, workspace, path, content))

    return (
        own_tool(
            "write",
            work,
            summary="Create or overwrite a file",
            description="Write a file of the workspace, replacing what it held; missing "
            "directories are made.",
            properties={
                "path": {"type": "string", "description": "Relative to the workspace"},
                "content": {"type": "string", "description": "The whole new content"},
            },
            required=("path", "content"),
        ),
    )


def write_file(workspace: Workspace, path: str, content: str) -> str:
    data = encoded(content)
    with workspace.place(path, write=True, make=True) as place:
        replace(place, data)
        done = "Wrote" if place.status is not None else "Created"
    return f"{done} {path} ({len(data):,} bytes)."
