"""`grep`: the lines of the workspace's files that match a regular expression."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.fs.tree import SKIPPED
from openclaw_gateway.tools.arguments import optional_text, text, whole_number, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Search
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)

MAX_MATCHES = 200


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        job = Search(
            scope_of(services, agent, context).workspace,
            path=optional_text(arguments, "path", "dir", "directory") or ".",
            pattern=text(arguments, "pattern", "regex", "query"),
            glob=optional_text(arguments, "glob", "include") or None,
            ignore_case=yes_no(arguments, "ignoreCase", "ignore_case"),
            literal=yes_no(arguments, "literal"),
            context=whole_number(arguments, "context", default=0, least=0, most=20, clamp=True),
            limit=whole_number(arguments, "limit", default=100, least=1, most=MAX_MATCHES, clamp=True),
        )
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "grep",
            work,
            summary="Search file contents",
            description="Search the text files of the workspace for a regular expression; gives "
            f"file:line:text. Does not look into {', '.join(sorted(SKIPPED))} and what .gitignore names, and "
            "does not follow links.",
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
