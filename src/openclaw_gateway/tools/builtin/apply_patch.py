"""`apply_patch`: several files changed by one patch."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Patch
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        patch = text(arguments, "input", "patch")
        job = Patch(scope_of(services, agent, context).workspace, patch)
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "apply_patch",
            work,
            summary="Change several files by one patch",
            description="Apply a patch to files of the workspace, all of it or nothing. Form: "
            "`*** Begin Patch`, then for each file `*** Add File: p` with +lines, `*** Delete File: p`, or "
            "`*** Update File: p` (optionally `*** Move to: q`) with hunks of ` context`, `-old`, `+new` "
            "lines, each hunk after `@@` or `@@ line before it`; then `*** End Patch`. A unified diff is "
            "taken too.",
            properties={"input": {"type": "string", "description": "The whole patch"}},
            required=("input",),
        ),
    )
