"""Which kind of file some data is, whatever it is called. Pure."""

import base64
import binascii
from typing import Final

PDF: Final = "application/pdf"
_MP3 = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa")
_OTHERS = (
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0", "application/x-ole-storage"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x7fELF", "application/x-executable"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)


def is_pdf(data: bytes) -> bool:
    return data[:64].lstrip().startswith(b"%PDF-")


def sound_type(data: bytes) -> str | None:
    """Of the kinds that models hear."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    return "audio/mpeg" if data.startswith(_MP3) else None


def audio_type(data: str) -> str | None:
    """The same of what is in base64."""
    try:
        return sound_type(base64.b64decode(data[:16]))
    except (binascii.Error, ValueError):
        return None


def closed_type(data: bytes) -> str | None:
    """Of some kinds that nobody here can read."""
    return next((kind for mark, kind in _OTHERS if data.startswith(mark)), None)
