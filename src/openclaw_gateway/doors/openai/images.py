"""Image parts of a user message: base64 data URLs, checked; nothing is fetched.

Pure. Whether the agent's model can see is decided where the model is known.
"""

import base64
import binascii
import re

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.messages import Image

MAX_IMAGES = 8
MAX_IMAGE_BYTES = 10 * 1024 * 1024
_DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,(?P<data>[A-Za-z0-9+/=_-]*)", re.ASCII)
_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def image_of(url: str, where: str) -> Image:
    """Raises InvalidRequest naming the part."""
    if not url.startswith("data:"):
        raise _refused(where, "image URLs are not fetched: send the image as a data URL (base64)")
    found = _DATA_URL.fullmatch(url)
    if found is None:
        raise _refused(where, "the data URL must be data:<type>;base64,<data>")
    media_type = found["type"].lower()
    if media_type not in _TYPES:
        raise _refused(where, f"the image type must be one of {', '.join(_TYPES)}")
    data = found["data"]
    if len(data) * 3 // 4 > MAX_IMAGE_BYTES:
        raise _refused(where, f"the image is larger than {MAX_IMAGE_BYTES} bytes")
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise _refused(where, "the data is not valid base64") from None
    if not decoded:
        raise _refused(where, "the image is empty")
    return Image(media_type, data)


def check_count(images: int) -> None:
    """Raises InvalidRequest beyond MAX_IMAGES in one message."""
    if images > MAX_IMAGES:
        raise InvalidRequest(
            f"A message may hold at most {MAX_IMAGES} images.", code="too_many_images", param="messages"
        )


def _refused(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="invalid_image", param=where)
