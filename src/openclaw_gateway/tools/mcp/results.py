"""What an MCP server answered, as the model reads it: text, and images beside it; sounds are named. Pure."""

import json
from collections.abc import Iterable
from typing import Any

import mcp_types as types

from openclaw_gateway.tools.base import ToolResult
from openclaw_gateway.tools.clipped import clipped
from openclaw_gateway.wire.messages import Image

_MAX_CHARS = 100_000
_MAX_IMAGES = 8
# As base64: what every vendor takes for one image.
_MAX_IMAGE_CHARS = 5 << 20
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def result_of(answer: types.CallToolResult) -> ToolResult:
    images = [part for part in answer.content if isinstance(part, types.ImageContent) and _is_shown(part)]
    images = images[:_MAX_IMAGES]
    text = "\n".join(_parts(answer.content, images))
    if answer.structured_content is not None and not _says(text, answer.structured_content):
        text = f"{text}\n{json.dumps(answer.structured_content, ensure_ascii=False)}".lstrip()
    return ToolResult(
        clipped(text, _MAX_CHARS) or ("" if images else "[The tool said nothing.]"),
        is_error=answer.is_error,
        images=tuple(Image(part.mime_type, part.data) for part in images),
    )


def _is_shown(part: types.ImageContent) -> bool:
    return part.mime_type in _SHOWN and len(part.data) <= _MAX_IMAGE_CHARS


def _says(text: str, structured: Any) -> bool:
    """Most say the same in both; the SDK's servers put what is no object under `result`."""
    if text and isinstance(structured, dict) and structured.keys() == {"result"}:
        return True
    try:
        return bool(json.loads(text) == structured)
    except (ValueError, RecursionError):
        return False


def _parts(content: Iterable[Any], images: Iterable[Any]) -> Iterable[str]:
    shown = set(map(id, images))
    for part in content:
        match part:
            case types.TextContent():
                yield part.text
            case types.ImageContent() if id(part) in shown:
                pass
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
