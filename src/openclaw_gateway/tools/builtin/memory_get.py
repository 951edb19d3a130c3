"""`memory_get`: lines of one of the agent's notes."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.arguments import text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.memory.notes import note_path, notebook, read_note
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration

REGISTRATION = Registration("memory", subagents=False)

_MAX_LINES = 1000
_MAX_CHARS = 20_000


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = note_path(text(arguments, "path"))
        first = whole_number(arguments, "from", "from_line", default=1, least=1, most=10**9)
        count = whole_number(arguments, "lines", default=200, least=1, most=_MAX_LINES, clamp=True)
        note = await services.jobs.on_thread(
            lambda: read_note(notebook(services, agent, context), path), context.conversation
        )
        return ToolResult(_page(path, note.splitlines(), first, count))

    return (
        own_tool(
            "memory_get",
            work,
            summary="Read one of your notes",
            description="Read lines of MEMORY.md or of a file memory/*.md.",
            properties={
                "path": {"type": "string", "description": "As memory_search names it"},
                "from": {"type": "integer", "description": "First line, from 1"},
                "lines": {"type": "integer", "description": "How many; 200 if not given"},
            },
            required=("path",),
            read_only=True,
        ),
    )


def _page(path: str, lines: list[str], first: int, count: int) -> str:
    if first > max(len(lines), 1):
        raise ToolError(f"{path} has {len(lines)} lines; line {first} is behind its end.")
    page = "\n".join(lines[first - 1 : first - 1 + count])
    cut = len(page) > _MAX_CHARS
    last = min(first - 1 + count, len(lines))
    if cut:
        page = page[:_MAX_CHARS]
        return f"{page}\n[Cut at {_MAX_CHARS:,} characters; ask for fewer lines.]"
    if last < len(lines):
        return f"{page}\n[Lines {first} to {last} of {len(lines)}; go on with from={last + 1}.]"
    return page or "[The note is empty.]"
