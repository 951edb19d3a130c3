"""`find`: the files of the workspace whose path matches a glob."""

import asyncio
from collections.abc import Mapping
from typing import Any

from openclaw_gateway.tools.arguments import optional_text, text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolHouse, ToolResult
from openclaw_gateway.tools.clipped import fitting
from openclaw_gateway.tools.glob_pattern import matcher, with_braces
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.scope import scope_of
from openclaw_gateway.tools.tree import SKIPPED, Tree, shown_name
from openclaw_gateway.tools.workspace_path import Workspace, open_directory

MAX_RESULTS = 1000
MAX_CHARS = 40_000


def build(house: ToolHouse, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        pattern = text(arguments, "pattern", "glob")
        path = optional_text(arguments, "path", "dir", "directory") or "."
        limit = whole_number(arguments, "limit", default=MAX_RESULTS, least=1, most=MAX_RESULTS, clamp=True)
        workspace = scope_of(house, agent, context).workspace
        return ToolResult(await asyncio.to_thread(find_paths, workspace, pattern, path, limit))

    return (
        own_tool(
            "find",
            work,
            summary="Find files by name",
            description="Find files and directories by glob, such as *.py or src/**/*.{ts,tsx}. Does not "
            f"look into {', '.join(sorted(SKIPPED))} and does not follow links.",
            properties={
                "pattern": {"type": "string", "description": "Glob; without / it matches names anywhere"},
                "path": {"type": "string", "description": "Directory to start in, default the workspace"},
                "limit": {
                    "type": "integer",
                    "description": f"At most so many results, default {MAX_RESULTS}",
                },
            },
            required=("pattern",),
            read_only=True,
        ),
    )


def find_paths(workspace: Workspace, pattern: str, path: str, limit: int) -> str:
    """One path per line, relative to `path`."""
    tests = [matcher(one) for one in with_braces(pattern[:1000])]
    found: list[str] = []
    with workspace.place(path) as place, open_directory(place) as directory:
        tree = Tree(directory, base=place.path, closed=workspace.closed)
        for entry in tree.walk():
            if any(test(entry.path) for test in tests):
                found.append(shown_name(entry.path) + ("/" if entry.is_directory else ""))
                if len(found) > limit:
                    break
    shown = fitting(found[:limit], MAX_CHARS)
    if len(found) > len(shown):
        shown.append(f"[only the first {len(shown)}; make the pattern narrower]")
    elif tree.cut:
        shown.append(f"[not the whole tree: {tree.cut}; set path to a smaller directory]")
    return "\n".join(shown) or f"[nothing matches {pattern}]"
