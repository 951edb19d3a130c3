"""`manage`: delete, move and rename files of the workspace, and make folders."""

from collections.abc import Mapping
from typing import Any, Literal

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.arguments import one_of, optional_text, text, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Manage
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)

_ACTIONS: tuple[Literal["delete", "move", "mkdir"], ...] = ("delete", "move", "mkdir")
_ALSO: dict[str, Literal["delete", "move", "mkdir"]] = {
    "remove": "delete",
    "rm": "delete",
    "rename": "move",
    "mv": "move",
    "make_directory": "mkdir",
    "create_directory": "mkdir",
}


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        written = arguments.get("action")
        meant = {**arguments, "action": _ALSO.get(str(written), written)}
        action = one_of(meant, "action", _ACTIONS)
        if action is None:
            raise ToolError(f"`action` is missing: one of {', '.join(_ACTIONS)}.")
        path = text(arguments, "path", "from", "source", "file_path")
        target = optional_text(arguments, "to", "target", "destination", "new_path")
        if action == "move" and not target:
            raise ToolError("`to` is missing: where it is moved.")
        job = Manage(
            scope_of(services, agent, context).workspace,
            action,
            path,
            target,
            yes_no(arguments, "recursive"),
        )
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "manage",
            work,
            summary="Delete, move or rename files, make folders",
            description="Delete or move (rename) a file, link or folder of the workspace, or make a folder. "
            "Nothing is moved over what is there; a folder that is not empty is deleted only with recursive.",
            properties={
                "action": {"type": "string", "enum": list(_ACTIONS)},
                "path": {"type": "string", "description": "Relative to the workspace"},
                "to": {"type": "string", "description": "For move: the new path, or a folder that is there"},
                "recursive": {
                    "type": "boolean",
                    "description": "For delete: a folder with all that is in it",
                },
            },
            required=("action", "path"),
        ),
    )
