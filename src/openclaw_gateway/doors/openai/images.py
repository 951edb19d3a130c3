"""Image parts of a user message: base64 data URLs, checked, and URLs that somebody else may fetch.

Pure. Whether the agent's model can see is decided where the model is known.
"""

from openclaw_gateway.doors.openai.data_urls import base64_of, data_of
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.brought.sent import SentImage
from openclaw_gateway.wire.image_types import image_type_of_base64
from openclaw_gateway.wire.messages import Image

MAX_IMAGES = 8
MAX_IMAGE_BYTES = 10 * 1024 * 1024
_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
# What people and older systems call them.
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}


def image_of(url: str, where: str) -> Image:
    """The image in a data URL, in whatever of its spellings (RFC 2397 and what clients make of it): with
    parameters, in any case, percent-encoded, with line breaks, in the alphabet for URLs, without padding.
    One at an http(s) URL is a SentImage, still to be fetched.

    Raises InvalidRequest naming the part.
    """
    scheme, colon, rest = url.partition(":")
    scheme = scheme.strip().lower() if colon else ""
    if scheme in {"http", "https"}:
        return SentImage("", url=url.strip(), where=where)
    if scheme != "data":
        raise _refused(where, "send the image as a data URL (base64), or name an http(s) URL")
    try:
        media_type, data = data_of(rest)
        data = base64_of(data, "image", MAX_IMAGE_BYTES)
    except ValueError as error:
        raise _refused(where, str(error)) from None
    media_type = _OTHER_NAMES.get(media_type, media_type)
    if media_type not in _TYPES:
        raise _refused(where, f"the image type must be one of {', '.join(_TYPES)}")
    kind = image_type_of_base64(data)
    if kind is None:
        raise _refused(where, "the data is no PNG, JPEG, GIF or WebP image")
    # What it is counts, not what it is called.
    return Image(kind, data)


def check_count(images: int) -> None:
    """Raises InvalidRequest beyond MAX_IMAGES in one message."""
    if images > MAX_IMAGES:
        raise InvalidRequest(
            f"A message may hold at most {MAX_IMAGES} images.", code="too_many_images", param="messages"
        )


def _refused(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="invalid_image", param=where)
