"""`write`: put a text into a file of the workspace, whole; directories on the way are made."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Write
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = text(arguments, "path", "file_path", "filePath")
        content = text(arguments, "content", "text", empty=True)
        job = Write(scope_of(services, agent, context).workspace, path, content)
        return ToolResult(await services.jobs.perform(job, context.conversation))

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
