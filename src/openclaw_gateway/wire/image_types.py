"""Which kind of image some data is, whatever it is called. Pure.

A vendor refuses an image that is not what its type says, and with it every request that has it.
"""

import base64
import binascii

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def image_type(data: bytes) -> str | None:
    """The media type, from the first bytes; None when they are of none of the kinds that models see."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for mark, kind in _STARTS if data.startswith(mark)), None)


def image_type_of_base64(data: str) -> str | None:
    """The same of what is in base64."""
    try:
        return image_type(base64.b64decode(data[:16]))
    except (binascii.Error, ValueError):
        return None
