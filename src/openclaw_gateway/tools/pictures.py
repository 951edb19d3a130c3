"""An image file of the workspace, for models that see: by its first bytes, and not too large. It blocks."""

import base64

from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.files import open_regular
from openclaw_gateway.tools.workspace_path import Workspace
from openclaw_gateway.wire.messages import Image

# Five megabytes of base64 are what the strictest vendor takes.
MOST_BYTES = 3_750_000
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


def picture(workspace: Workspace, path: str) -> Image | None:
    """None for what is no image after all. Raises ToolError."""
    with workspace.place(path) as place, open_regular(place) as file:
        data = file.read(MOST_BYTES + 1)
    media_type = _media_type(data)
    if media_type is None:
        return None
    if len(data) > MOST_BYTES:
        raise ToolError(f"{path}: is an image of more than {MOST_BYTES:,} bytes, too large to be shown.")
    return Image(media_type, base64.b64encode(data).decode("ascii"))


def _media_type(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
