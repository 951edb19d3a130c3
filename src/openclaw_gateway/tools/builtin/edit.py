"""`edit`: replace exact texts in a file of the workspace, each where it stands exactly once."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.arguments import text, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Edit, Replacing
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)

MOST_EDITS = 50


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = text(arguments, "path", "file_path", "filePath")
        job = Edit(scope_of(services, agent, context).workspace, path, _edits(arguments))
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "edit",
            work,
            summary="Replace exact texts in a file",
            description="Replace oldText by newText in a file. oldText must match exactly, white space "
            "included, and stand in the file exactly once unless replaceAll is true. Several replacements of "
            "one file at once, all or none: give edits instead. Line ends stay as they are in the file.",
            properties={
                "path": {"type": "string", "description": "Relative to the workspace"},
                "oldText": {"type": "string", "description": "The exact text to replace"},
                "newText": {"type": "string", "description": "What stands there afterwards"},
                "replaceAll": {"type": "boolean", "description": "Replace every occurrence"},
                "edits": {
                    "type": "array",
                    "description": f"At most {MOST_EDITS}, one after another",
                    "items": {
                        "type": "object",
                        "properties": {
                            "oldText": {"type": "string"},
                            "newText": {"type": "string"},
                            "replaceAll": {"type": "boolean"},
                        },
                        "required": ["oldText", "newText"],
                    },
                },
            },
            required=("path",),
        ),
    )


def _edits(arguments: Mapping[str, Any]) -> tuple[Replacing, ...]:
    """Raises ToolError."""
    several = arguments.get("edits") or []
    if not isinstance(several, list) or not all(isinstance(one, Mapping) for one in several):
        raise ToolError("`edits` must be a list of objects with oldText and newText.")
    if len(several) > MOST_EDITS:
        raise ToolError(f"`edits` holds {len(several)}, at most {MOST_EDITS} are taken; divide them.")
    return tuple(map(_one, several)) if several else (_one(arguments),)


def _one(arguments: Mapping[str, Any]) -> Replacing:
    return Replacing(
        text(arguments, "oldText", "old_string", "old_text", "oldString", empty=True),
        text(arguments, "newText", "new_string", "new_text", "newString", empty=True),
        yes_no(arguments, "replaceAll", "replace_all"),
    )
