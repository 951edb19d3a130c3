"""An image file of the workspace, for models that see: by its first bytes, and not too large. It blocks."""

import base64

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.fs.regular_file import open_regular
from openclaw_gateway.sizes import size_text
from openclaw_gateway.wire.image_types import image_type
from openclaw_gateway.wire.messages import Image

# Five megabytes of base64 are what the strictest vendor takes.
MOST_BYTES = 3_750_000
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


def picture(workspace: Workspace, path: str) -> Image | None:
    """None for what is no image after all. Raises ToolError."""
    with workspace.place(path) as place, open_regular(place) as file:
        data = file.read(MOST_BYTES + 1)
    media_type = image_type(data)
    if media_type is None:
        return None
    if len(data) > MOST_BYTES:
        raise ToolError(f"{path}: is an image of more than {size_text(MOST_BYTES)}, too large to be shown.")
    return Image(media_type, base64.b64encode(data).decode("ascii"))
