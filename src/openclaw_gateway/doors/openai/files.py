"""File and audio parts of a user message: what they hold, checked as far as can be seen without reading it.

Pure. What a file is, and whether the agent's model takes it, is found out where it is taken in.
"""

from typing import Final

from msgspec import Struct

from openclaw_gateway.doors.openai.data_urls import base64_of, data_of
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.brought.sent import SentFile
from openclaw_gateway.wire.file_types import audio_type
from openclaw_gateway.wire.messages import File

MAX_FILES: Final = 8
# A body of a request bounds it anyway.
_MOST_BYTES = 1 << 40
FORMATS = {"wav": "audio/wav", "mp3": "audio/mpeg"}


class NamedFile(Struct, frozen=True):
    """What a `file` part holds, and an `input_file` part itself."""

    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class Sound(Struct, frozen=True):
    data: str = ""
    format: str = ""


def file_of(file: NamedFile | None, where: str) -> SentFile:
    """Raises InvalidRequest naming the part."""
    file = file or NamedFile()
    name = (file.filename or "").strip()[:200]
    if file.file_data:
        scheme, colon, rest = file.file_data.partition(":")
        kind, data = "", file.file_data
        try:
            if colon and scheme.strip().lower() == "data":
                kind, data = data_of(rest)
            data = base64_of(data, "file", _MOST_BYTES)
        except ValueError as error:
            raise _refused(where, f"{error}: `file_data` is a data URL, or base64") from None
        return SentFile(kind, data, name=name, where=where)
    if file.file_url:
        if file.file_url.strip().lower().startswith(("http://", "https://")):
            return SentFile("", name=name, url=file.file_url.strip(), where=where)
        raise _refused(where, "`file_url` must be an http(s) URL")
    if file.file_id:
        raise _refused(where, "files are not kept here: send `file_data` (a data URL) instead of `file_id`")
    raise _refused(where, "a file part needs `file_data` (a data URL), and should have `filename`")


def audio_of(sound: Sound | None, where: str) -> File:
    """Raises InvalidRequest naming the part."""
    sound = sound or Sound()
    kind = FORMATS.get(sound.format.strip().lower())
    if kind is None:
        raise _no_audio(where, f"`format` must be one of {', '.join(FORMATS)}")
    data = sound.data
    try:
        if data[:5].lower() == "data:":
            _, data = data_of(data[5:])
        data = base64_of(data, "recording", _MOST_BYTES)
    except ValueError as error:
        raise _no_audio(where, str(error)) from None
    # What it is counts, not what it is called; what nobody knows the vendor may judge.
    return File(audio_type(data) or kind, data)


def check_count(files: int, where: str) -> None:
    """Raises InvalidRequest beyond MAX_FILES in one message."""
    if files > MAX_FILES:
        raise InvalidRequest(
            f"`{where}`: a message may hold at most {MAX_FILES} files.", code="too_many_files", param=where
        )


def _refused(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="invalid_file", param=where)


def _no_audio(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="invalid_audio", param=where)
