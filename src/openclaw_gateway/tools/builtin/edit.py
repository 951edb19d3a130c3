"""`edit`: replace an exact text in a file of the workspace, where it stands exactly once."""

import asyncio
from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import text, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolError, ToolHouse, ToolResult
from openclaw_gateway.tools.files import encoded, read_whole, replace
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.scope import scope_of
from openclaw_gateway.tools.workspace_path import Workspace


def build(house: ToolHouse, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = text(arguments, "path", "file_path", "filePath")
        old = text(arguments, "oldText", "old_string", "old_text", "oldString", empty=True)
        new = text(arguments, "newText", "new_string", "new_text", "newString", empty=True)
        everywhere = yes_no(arguments, "replaceAll", "replace_all")
        workspace = scope_of(house, agent, context).workspace
        return ToolResult(
            await asyncio.to_thread(edit_file, workspace, path, old, new, everywhere=everywhere)
        )

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


def edit_file(workspace: Workspace, path: str, old: str, new: str, *, everywhere: bool) -> str:
    with workspace.place(path, write=True) as place:
        content = read_whole(place)
        changed, count = replaced(content.text, old, new, everywhere=everywhere, path=path)
        replace(place, encoded(changed, bom=content.bom), unchanged_since=content.status)
    line = content.text[: _position(content.text, old)].count("\n") + 1
    return f"Replaced {count} occurrences in {path}." if count > 1 else f"Edited {path} at line {line}."


def replaced(text_: str, old: str, new: str, *, everywhere: bool, path: str) -> tuple[str, int]:
    """The new text and how often it was replaced. Raises ToolError. Pure."""
    if not old:
        raise ToolError("`oldText` is empty. Use `write` to create a file.")
    if old == new:
        raise ToolError("`oldText` and `newText` are the same: nothing to do.")
    if old not in text_ and "\r\n" in text_ and "\r" not in old:
        old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
    count = text_.count(old)
    if count == 0:
        raise ToolError(f"{path}: does not contain oldText{_nearly(text_, old)}. Read the file again.")
    if count > 1 and not everywhere:
        raise ToolError(
            f"{path}: contains oldText {count} times. Add lines around it until it is unique, or set "
            "replaceAll."
        )
    return text_.replace(old, new), count


def _nearly(text_: str, old: str) -> str:
    """A hint where it would match if white space did not count."""
    wanted = [line.strip() for line in old.strip().splitlines()]
    lines = [line.strip() for line in text_.splitlines()]
    if not wanted or not wanted[0]:
        return ""
    for number in range(len(lines) - len(wanted) + 1):
        if lines[number : number + len(wanted)] == wanted:
            return f" exactly; line {number + 1} differs from it only in white space"
    return ""


def _position(text_: str, old: str) -> int:
    return max(text_.find(old), text_.find(old.replace("\n", "\r\n")), 0)
