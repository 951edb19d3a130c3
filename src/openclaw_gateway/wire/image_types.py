"""Which kind of image some data is, whatever it is called. Pure.

A vendor refuses an image that is not what its type says, and with it every request that has it.
"""

import base64
import binascii

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def image_type(data: str) -> str | None:
    """The media type of base64 `data`, from its first bytes; None when they are of none of the kinds that
    models see."""
    try:
        start = base64.b64decode(data[:16])
    except (binascii.Error, ValueError):
        return None
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for mark, kind in _STARTS if start.startswith(mark)), None)
