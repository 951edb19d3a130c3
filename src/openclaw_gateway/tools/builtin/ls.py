"""`ls`: what is in a directory of the workspace."""

import asyncio
import os
import stat
from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import optional_text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolError, ToolHouse, ToolResult
from openclaw_gateway.tools.clipped import fitting
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.scope import scope_of
from openclaw_gateway.tools.tree import shown_name
from openclaw_gateway.tools.workspace_path import Workspace, open_directory

MAX_ENTRIES = 500
MAX_CHARS = 40_000


def build(house: ToolHouse, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = optional_text(arguments, "path", "dir", "directory") or "."
        limit = whole_number(arguments, "limit", default=MAX_ENTRIES, least=1, most=5000, clamp=True)
        workspace = scope_of(house, agent, context).workspace
        return ToolResult(await asyncio.to_thread(list_directory, workspace, path, limit))

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


def list_directory(workspace: Workspace, path: str, limit: int) -> str:
    with workspace.place(path) as place:
        if place.status is None:
            raise ToolError(f"{path}: there is no such directory.")
        if not stat.S_ISDIR(place.status.st_mode):
            raise ToolError(f"{path}: is a file of {place.status.st_size:,} bytes, not a directory.")
        with open_directory(place) as directory:
            names = sorted(os.listdir(directory), key=str.casefold)  # noqa: PTH208  of an open directory
            lines = fitting([_line(directory, name) for name in names[:limit]], MAX_CHARS)
    if not names:
        return "[the directory is empty]"
    if len(names) > len(lines):
        more = "set limit, or use find" if len(lines) == limit else "more is too long to be shown; use find"
        lines.append(f"[{len(lines)} of {len(names)} entries; {more}]")
    return "\n".join(lines)


def _line(directory: int, name: str) -> str:
    shown = shown_name(name)
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return f"{shown}  (cannot be looked at)"
    if stat.S_ISDIR(status.st_mode):
        return f"{shown}/"
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(name, dir_fd=directory)
        return f"{shown} -> {shown_name(target)}"
    return f"{shown}  {status.st_size:,}" if stat.S_ISREG(status.st_mode) else f"{shown}  (not a file)"
