"""A file that goes with a message: an image or a text, as OpenClaw's `chat.send` takes attachments.

{"type", "mimeType", "fileName", "content"}, the content in base64 (@openclaw/gateway-protocol,
ChatSendParams; docs/gateway/protocol).
"""

import base64
import mimetypes
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.wire.file_types import PDF, closed_type, is_pdf
from openclaw_gateway.wire.image_types import image_type

# The gateway's own bound is of a whole message; this one keeps from reading a disk.
MAX_BYTES = 15_000_000


def attachment(path: Path) -> dict[str, str]:
    """Raises CommandFailed: it cannot be read, or is neither an image, a PDF nor text."""
    path = path.expanduser()
    try:
        if path.exists() and not path.is_file():
            raise CommandFailed(f"{path} is no file.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandFailed(f"Cannot read {path}: {(error.strerror or '').lower()}.") from None
    if len(data) > MAX_BYTES:
        raise CommandFailed(f"{path} is larger than {MAX_BYTES // 1_000_000} MB. Attach a smaller one.")
    if not data:
        raise CommandFailed(f"{path} is empty.")
    kind, media_type = _kind(path, data)
    content = base64.b64encode(data).decode()
    return {"type": kind, "mimeType": media_type, "fileName": path.name, "content": content}


def _kind(path: Path, data: bytes) -> tuple[str, str]:
    image = image_type(data)
    if image is not None:
        return "image", image
    if is_pdf(data):
        return "file", PDF
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if closed_type(data) is not None or "\0" in text:
        raise CommandFailed(f"{path} is neither an image (PNG, JPEG, GIF, WebP), a PDF nor text in UTF-8.")
    guessed = mimetypes.guess_type(path.name)[0] or ""
    return "file", guessed if guessed.startswith("text/") or guessed == "application/json" else "text/plain"
