"""What a file that somebody has sent is, by its content, and the text of one that is text. Pure."""

import mimetypes
from fnmatch import fnmatch
from pathlib import PurePosixPath

from openclaw_gateway.config.schema import FilesConfig
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.brought.sent import SentFile
from openclaw_gateway.tools.files.decoded import decoded, is_utf_16
from openclaw_gateway.wire.file_types import PDF, closed_type, is_pdf, sound_type
from openclaw_gateway.wire.image_types import image_type
from openclaw_gateway.wire.messages import File

_LOOKED_AT = 8192
_LAYOUT = set(b"\t\n\f\r\x1b")
# Of its own table and these, not of the machine's, which are others on each.
_TYPES = mimetypes.MimeTypes()
_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES.add_type("text/markdown", ".md")
_TYPES.add_type(f"{_OFFICE}.wordprocessingml.document", ".docx")
_TYPES.add_type(f"{_OFFICE}.spreadsheetml.sheet", ".xlsx")
_TYPES.add_type(f"{_OFFICE}.presentationml.presentation", ".pptx")
_SAYS_NOTHING = {"", "application/octet-stream", "binary/octet-stream"}


def kind_of(sent: SentFile, body: bytes, called: str, rules: FilesConfig) -> str:
    """The media type, of what can be taken. `called` is what its server said, if it was fetched.

    Raises InvalidRequest that names the type of what cannot.
    """
    kind = _known(body)
    if kind is None and _is_text(body):
        kind = _text_type(sent, called)
    if kind is None:
        named = _named(sent, called)
        # It is none, whatever it is called.
        if named is None or named.startswith("text/") or named == PDF:
            named = closed_type(body) or "binary data"
        raise _closed(sent, named, "")
    if rules.allowed_mimes and not any(fnmatch(kind, allowed) for allowed in rules.allowed_mimes):
        raise _closed(sent, kind, f" The operator allows {', '.join(rules.allowed_mimes)}.")
    return kind


def text_file(sent: SentFile, kind: str, body: bytes, most_chars: int) -> File:
    """Its beginning, where it is longer than `most_chars`."""
    text = decoded(body)[0].replace("\0", "\ufffd").encode(errors="replace").decode()
    if len(text) > most_chars:
        text = f"{text[:most_chars]}\n[Only the first {most_chars:,} of {len(text):,} characters.]"
    return File(kind, name=sent.name, text=text if text.strip() else "[The file is blank.]")


def is_text(kind: str) -> bool:
    return kind != PDF and not kind.startswith(("audio/", "image/"))


def _known(body: bytes) -> str | None:
    if is_pdf(body):
        return PDF
    return image_type(body) or sound_type(body)


def _is_text(body: bytes) -> bool:
    head = body[:_LOOKED_AT]
    if closed_type(head) is not None:
        return False
    if is_utf_16(head):
        return True
    # Text of an older encoding has no control characters either, but for those of its layout.
    return not any(byte < 32 and byte not in _LAYOUT for byte in head)


def _text_type(sent: SentFile, called: str) -> str:
    named = _named(sent, called)
    return "text/plain" if named is None or named.startswith(("image/", "audio/", "video/")) else named


def _named(sent: SentFile, called: str) -> str | None:
    for kind in (sent.media_type, called):
        if kind not in _SAYS_NOTHING:
            return kind[:100]
    return _TYPES.guess_type(PurePosixPath(sent.name).name)[0]


def _closed(sent: SentFile, kind: str, more: str) -> InvalidRequest:
    return InvalidRequest(
        f"`{sent.where}`: files of type {kind} are not taken; send text, or save it as a PDF.{more}",
        code="unsupported_file",
        param=sent.where,
    )
