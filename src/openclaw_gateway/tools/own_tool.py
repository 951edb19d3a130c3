"""A tool made of one function: what most of the files in builtin/ return. Knows none of them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from openclaw_gateway.tools.base import ToolContext, ToolResult, spec_of
from openclaw_gateway.wire.run import ToolSpec

Work = Callable[[Mapping[str, Any], ToolContext], Awaitable[ToolResult]]


class OwnTool(Struct, frozen=True):
    spec: ToolSpec
    summary: str
    read_only: bool
    work: Work

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        return await self.work(arguments, context)


def own_tool(
    name: str,
    work: Work,
    *,
    summary: str,
    description: str,
    properties: Mapping[str, Any],
    required: tuple[str, ...] = (),
    read_only: bool = False,
) -> OwnTool:
    """`properties` is the JSON schema of each parameter."""
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return OwnTool(spec_of(name, description, schema), summary, read_only, work)
