"""What an MCP server answered, as the model reads it: text, and images beside it; sounds are named. Pure."""

import json
from collections.abc import Container, Iterable
from itertools import islice
from typing import Any

import mcp_types as types

from openclaw_gateway.tools.base import ToolResult
from openclaw_gateway.tools.clipped import clipped
from openclaw_gateway.wire.image_types import image_type_of_base64
from openclaw_gateway.wire.messages import Image

_MAX_CHARS = 100_000
_MAX_IMAGES = 8
# As base64: what every vendor takes for one image.
_MAX_IMAGE_CHARS = 5 << 20


def result_of(answer: types.CallToolResult) -> ToolResult:
    shown = {
        id(part): image
        for part in answer.content
        if isinstance(part, types.ImageContent) and (image := _image(part)) is not None
    }
    images = dict(islice(shown.items(), _MAX_IMAGES))
    text = "\n".join(_parts(answer.content, images))
    if answer.structured_content is not None and not _says(text, answer.structured_content):
        text = f"{text}\n{json.dumps(answer.structured_content, ensure_ascii=False)}".lstrip()
    return ToolResult(
        clipped(text, _MAX_CHARS) or ("" if images else "[The tool said nothing.]"),
        is_error=answer.is_error,
        images=tuple(images.values()),
    )


def _image(part: types.ImageContent) -> Image | None:
    """As vendors take it: without line breaks, and called what it is."""
    if len(part.data) > 2 * _MAX_IMAGE_CHARS:
        return None
    data = "".join(part.data.split())
    kind = image_type_of_base64(data)
    return Image(kind, data) if kind and len(data) <= _MAX_IMAGE_CHARS else None


def _says(text: str, structured: Any) -> bool:
    """Most say the same in both; the SDK's servers put what is no object under `result`."""
    if text and isinstance(structured, dict) and structured.keys() == {"result"}:
        return True
    try:
        return bool(json.loads(text) == structured)
    except (ValueError, RecursionError):
        return False


def _parts(content: Iterable[Any], shown: Container[int]) -> Iterable[str]:
    """`shown` are the ids of the parts that go beside the text."""
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
