"""`grep`: the lines of the workspace's files that match a regular expression.

The matching is done by a child process (search_child.py), because a regular expression can take for ever and
only a process can be given up. It has a deadline, a small environment and nobody's keys.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from openclaw_gateway.children import marked
from openclaw_gateway.tools.arguments import optional_text, text, whole_number, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolError, ToolHouse, ToolResult
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.scope import scope_of
from openclaw_gateway.tools.search_child import End, Line, Orders
from openclaw_gateway.tools.tree import SKIPPED

MAX_MATCHES = 200
MAX_CHARS = 40_000
_CHILD = "openclaw_gateway.tools.search_child"
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT")
_DEADLINE_S = 25.0


def build(house: ToolHouse, agent: ToolAgent) -> tuple[Tool, ...]:
    environ = {name: house.environ[name] for name in _KEPT if name in house.environ}

    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        workspace = scope_of(house, agent, context).workspace
        orders = Orders(
            root=str(workspace.root),
            start=str(workspace.start),
            closed=tuple(map(str, workspace.closed)),
            path=optional_text(arguments, "path", "dir", "directory") or ".",
            pattern=text(arguments, "pattern", "regex", "query"),
            glob=optional_text(arguments, "glob", "include") or None,
            ignore_case=yes_no(arguments, "ignoreCase", "ignore_case"),
            literal=yes_no(arguments, "literal"),
            context=whole_number(arguments, "context", default=0, least=0, most=20, clamp=True),
            limit=whole_number(arguments, "limit", default=100, least=1, most=MAX_MATCHES, clamp=True),
        )
        return ToolResult(shown(*await search(orders, environ, _DEADLINE_S)))

    return (
        own_tool(
            "grep",
            work,
            summary="Search file contents",
            description="Search the text files of the workspace for a regular expression; gives "
            f"file:line:text. Does not look into {', '.join(sorted(SKIPPED))} and does not follow links.",
            properties={
                "pattern": {"type": "string", "description": "Python regular expression, matched per line"},
                "path": {"type": "string", "description": "File or directory, default the workspace"},
                "glob": {"type": "string", "description": "Only files that match, such as *.py"},
                "ignoreCase": {"type": "boolean"},
                "literal": {"type": "boolean", "description": "The pattern is plain text"},
                "context": {"type": "integer", "description": "Lines around each match"},
                "limit": {"type": "integer", "description": f"Matches, default 100, at most {MAX_MATCHES}"},
            },
            required=("pattern",),
            read_only=True,
        ),
    )


async def search(orders: Orders, environ: Mapping[str, str], deadline_s: float) -> tuple[list[Line], End]:
    """Raises ToolError for a wrong pattern, a path that is not there, and a search that takes too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env=marked(environ),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(deadline_s):
            out, _ = await process.communicate(msgspec.json.encode(orders))
    except TimeoutError:
        raise ToolError(
            f"The search took longer than {deadline_s:g} s. Use a simpler pattern, or set path or glob."
        ) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            # Reads what is left in the pipe too: only then is the transport closed.
            await asyncio.shield(process.communicate())
    *lines, last = out.splitlines() or [b""]
    try:
        end = msgspec.json.decode(last, type=End)
    except msgspec.DecodeError:
        raise ToolError("The search ended without a result; try a smaller directory.") from None
    if end.error:
        raise ToolError(end.error)
    return [msgspec.json.decode(line, type=Line) for line in lines], end


def shown(lines: list[Line], end: End) -> str:
    told: list[str] = []
    size = 0
    cut = end.cut
    for line in lines:
        sign = ":" if line.hit else "-"
        row = f"{line.file}{sign}{line.number}{sign}{line.text}" if line.file else "--"
        size += len(row) + 1
        if size > MAX_CHARS:
            cut = "the rest is too long to be shown"
            break
        told.append(row)
    if not end.hits:
        told = ["[no match]"]
    if cut:
        told.append(f"[{cut}; make the pattern narrower, or set path or glob]")
    return "\n".join(told)
