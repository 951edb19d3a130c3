"""`read`: a text file of the workspace, by lines, a PDF by pages, or an image."""

import io
from collections.abc import Mapping
from typing import Any

from openclaw_gateway.fs.cached_file import read_cached
from openclaw_gateway.tools.arguments import text, whole_number
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.files.jobs.orders import Read
from openclaw_gateway.tools.files.jobs.read import (
    MAX_CHARS,
    MAX_LINES,
    MAX_PDF_PAGES,
    Page,
    is_pdf,
    plain_text,
)
from openclaw_gateway.tools.files.pictures import SUFFIXES, picture
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import scope_of

REGISTRATION = Registration("fs", sandbox=True)

# Up to here the reading costs less than a thread, and holds the loop for about a millisecond at most.
_MAX_INLINE_BYTES = 16 * 1024


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        path = text(arguments, "path", "file_path", "filePath")
        offset = whole_number(arguments, "offset", default=1, least=0, most=10**9)
        limit = whole_number(arguments, "limit", default=MAX_LINES, least=1, most=MAX_LINES, clamp=True)
        workspace = scope_of(services, agent, context).workspace
        offset = max(offset, 1)
        if path.lower().endswith(SUFFIXES):
            image = await services.jobs.on_thread(lambda: picture(workspace, path), context.conversation)
            if image is not None:
                return ToolResult(f"[{path}: {image.media_type}]", images=(image,))
        data = read_cached(workspace, path, _MAX_INLINE_BYTES)
        if data is not None and not is_pdf(data):
            short = plain_text(data, limit) if offset == 1 else None
            return ToolResult(Page(offset, limit).read(io.BytesIO(data), path) if short is None else short)
        job = Read(workspace, path, offset, limit)
        return ToolResult(await services.jobs.perform(job, context.conversation))

    return (
        own_tool(
            "read",
            work,
            summary="Read a file",
            description="Look at an image of the workspace (PNG, JPEG, GIF, WebP), or read a text file or "
            f"the text of a PDF: at most {MAX_LINES} lines, {MAX_PDF_PAGES} pages of a PDF or {MAX_CHARS} "
            "characters at once. "
            "Go on with offset.",
            properties={
                "path": {"type": "string", "description": "Relative to the workspace"},
                "offset": {"type": "integer", "description": "First line (of a PDF: page), from 1"},
                "limit": {"type": "integer", "description": "How many lines, or pages of a PDF"},
            },
            required=("path",),
            read_only=True,
        ),
    )
