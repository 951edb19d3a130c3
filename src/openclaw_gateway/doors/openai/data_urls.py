"""Data URLs (RFC 2397), and base64 in whatever of its spellings clients send: percent-encoded, with line
breaks, in the alphabet for URLs, without padding. Pure.
"""

import string

from openclaw_gateway.sizes import size_text

_QUOTED = ((b"%2B", b"+"), (b"%2F", b"/"), (b"%3D", b"="), (b"%0A", b""), (b"%0D", b""), (b"%20", b""))
_ALPHABET = f"{string.ascii_letters}{string.digits}+/".encode()
_STANDARD = bytes.maketrans(b"-_", b"+/")


def data_of(rest: str) -> tuple[str, str]:
    """(the media type in lower case, the data) of a data URL without its "data:". Raises ValueError."""
    head, comma, data = rest.partition(",")
    media_type, *parameters = (part.strip().lower() for part in head.split(";"))
    if not comma or "base64" not in parameters:
        raise ValueError("the data URL must be data:<type>;base64,<data>")
    return media_type, data


def base64_of(data: str, what: str, most: int) -> str:
    """The same bytes in the standard alphabet, padded and without breaks. Raises ValueError that names `what`
    it is."""
    raw = data.encode("utf-8", "surrogatepass")
    strange = raw.translate(None, _ALPHABET)
    plain = len(raw) % 4 == 0 and len(strange) <= 2 and raw.endswith(b"=" * len(strange))
    if raw and plain and _size(raw) <= most:
        # As nearly all come: nothing to be made of it.
        return data
    if b"%" in raw:
        for quoted, meant in _QUOTED:
            raw = raw.replace(quoted, meant).replace(quoted.lower(), meant)
    raw = raw.translate(_STANDARD, b" \t\r\n\f").rstrip(b"=")
    if _size(raw) > most:
        raise ValueError(f"the {what} is larger than {size_text(most)}")
    # What decodes it takes five times as long as what looks for strange characters.
    if len(raw) % 4 == 1 or raw.translate(None, _ALPHABET):
        raise ValueError("the data is not valid base64")
    if not raw:
        raise ValueError(f"the {what} is empty")
    return (raw + b"=" * (-len(raw) % 4)).decode("ascii")


def _size(raw: bytes) -> int:
    return len(raw) * 3 // 4
