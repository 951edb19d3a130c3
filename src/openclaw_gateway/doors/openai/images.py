"""Image parts of a user message: base64 data URLs, checked, and URLs that somebody else may fetch.

Pure. Whether the agent's model can see is decided where the model is known.
"""

import string

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.attachments import SentImage
from openclaw_gateway.sizes import size_text
from openclaw_gateway.wire.image_types import image_type_of_base64
from openclaw_gateway.wire.messages import Image

MAX_IMAGES = 8
MAX_IMAGE_BYTES = 10 * 1024 * 1024
_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
# What people and older systems call them.
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_QUOTED = ((b"%2B", b"+"), (b"%2F", b"/"), (b"%3D", b"="), (b"%0A", b""), (b"%0D", b""), (b"%20", b""))
_ALPHABET = f"{string.ascii_letters}{string.digits}+/".encode()
_STANDARD = bytes.maketrans(b"-_", b"+/")


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
    head, comma, data = rest.partition(",")
    media_type, *parameters = (part.strip().lower() for part in head.split(";"))
    if not comma or "base64" not in parameters:
        raise _refused(where, "the data URL must be data:<type>;base64,<data>")
    media_type = _OTHER_NAMES.get(media_type, media_type)
    if media_type not in _TYPES:
        raise _refused(where, f"the image type must be one of {', '.join(_TYPES)}")
    data = _base64(data, where)
    # What it is counts, not what it is called; what nobody knows the vendor may judge.
    return Image(image_type_of_base64(data) or media_type, data)


def _base64(data: str, where: str) -> str:
    """The same bytes in the standard alphabet, padded and without breaks."""
    raw = data.encode("utf-8", "surrogatepass")
    strange = raw.translate(None, _ALPHABET)
    if raw and len(raw) % 4 == 0 and len(strange) <= 2 and raw.endswith(b"=" * len(strange)) and _fits(raw):
        # As nearly all come: nothing to be made of it.
        return data
    if b"%" in raw:
        for quoted, plain in _QUOTED:
            raw = raw.replace(quoted, plain).replace(quoted.lower(), plain)
    raw = raw.translate(_STANDARD, b" \t\r\n\f").rstrip(b"=")
    if not _fits(raw):
        raise _refused(where, f"the image is larger than {size_text(MAX_IMAGE_BYTES)}")
    # What decodes it takes five times as long as what looks for strange characters.
    if len(raw) % 4 == 1 or raw.translate(None, _ALPHABET):
        raise _refused(where, "the data is not valid base64")
    if not raw:
        raise _refused(where, "the image is empty")
    return (raw + b"=" * (-len(raw) % 4)).decode("ascii")


def _fits(raw: bytes) -> bool:
    return len(raw) * 3 // 4 <= MAX_IMAGE_BYTES


def check_count(images: int) -> None:
    """Raises InvalidRequest beyond MAX_IMAGES in one message."""
    if images > MAX_IMAGES:
        raise InvalidRequest(
            f"A message may hold at most {MAX_IMAGES} images.", code="too_many_images", param="messages"
        )


def _refused(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="invalid_image", param=where)
