"""What an MCP server answered, as one text for the model: pictures and sounds are named, not shown. Pure."""

import json
from collections.abc import Iterable
from typing import Any

import mcp_types as types

from openclaw_gateway.tools.base import ToolResult
from openclaw_gateway.tools.clipped import clipped

_MAX_CHARS = 100_000


def result_of(answer: types.CallToolResult) -> ToolResult:
    text = "\n".join(_parts(answer.content))
    if not text and answer.structured_content is not None:
        text = json.dumps(answer.structured_content, ensure_ascii=False)
    return ToolResult(clipped(text, _MAX_CHARS) or "[The tool said nothing.]", is_error=answer.is_error)


def _parts(content: Iterable[Any]) -> Iterable[str]:
    for part in content:
        match part:
            case types.TextContent():
                yield part.text
            case types.ImageContent() | types.AudioContent():
                yield f"[{part.type}: {part.mime_type}, about {len(part.data) * 3 // 4:,} bytes, not shown]"
            case types.ResourceLink():
                yield f"[resource: {part.name}, {part.uri}]"
            case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
                yield resource.text
            case types.EmbeddedResource(resource=resource):
                yield f"[resource: {resource.uri}, not text]"
            case _:
                yield "[something this gateway cannot show]"
