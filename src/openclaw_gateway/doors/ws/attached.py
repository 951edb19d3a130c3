"""What a message of the control protocol brings besides text: images and files within the frame, as base64.

They go the way of those in requests over HTTP, under the limits of chat completions. What cannot be taken is
refused with the place where it stands.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from openclaw_gateway.doors.openai.data_urls import base64_of, data_of
from openclaw_gateway.doors.openai.files import check_count as check_files
from openclaw_gateway.doors.openai.images import check_count, image_of
from openclaw_gateway.doors.ws.method import MethodCall
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.brought.sent import SentFile, terms_of
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.wire.image_types import image_type_of_base64
from openclaw_gateway.wire.messages import File, Image, UserMessage

# Beyond it the configuration would refuse it anyway, unless it is much wider than is usual.
_MOST_BYTES = 20 << 20
_Name = Annotated[str, Meta(max_length=512)]


class Source(Struct, frozen=True):
    """The same as Anthropic's API has it."""

    data: str | None = None
    media_type: _Name | None = None


class Attachment(Struct, frozen=True, rename="camel"):
    """`content` is base64, or a data URL. What else clients send of it (sizes, durations) is not used: what
    it is, is known by its content."""

    type: _Name | None = None
    mime_type: _Name | None = None
    file_name: _Name | None = None
    content: object = None
    source: Source | None = None


def attached(message: UserMessage, attachments: Sequence[Attachment]) -> UserMessage:
    """Raises InvalidRequest (invalid_image, invalid_file, too_many_images, too_many_files)."""
    images: list[Image] = []
    files: list[File] = []
    for number, attachment in enumerate(attachments):
        one = _one(attachment, f"attachments[{number}].content")
        if isinstance(one, Image):
            images.append(one)
            check_count(len(images))
        else:
            files.append(one)
            check_files(len(files), "attachments")
    return replace(message, images=tuple(images), files=tuple(files))


async def taken_in(call: MethodCall, route: Route, message: UserMessage) -> UserMessage:
    """The message with what it brings, for the agent's models. Raises InvalidRequest, Overloaded."""
    if not (message.images or message.files):
        return message
    gateway = call.gateway
    terms = terms_of(gateway.config.gateway.http.endpoints.chat_completions, gateway.limits)
    terms = replace(terms, field="attachments")
    (taken,) = await gateway.take_in(call.principal, route, (message,), terms, _hold)
    return taken if isinstance(taken, UserMessage) else message


def _hold(_: int) -> None:
    """Nothing is fetched: it is all in the frame, which has its bound."""


def _one(attachment: Attachment, where: str) -> Image | SentFile:
    content, kind = attachment.content, (attachment.mime_type or "").strip().lower()
    if content is None and attachment.source is not None:
        content, kind = attachment.source.data, kind or (attachment.source.media_type or "").strip().lower()
    if not isinstance(content, str) or not content.strip():
        raise _refused(where, "it must be base64 text: paths and URLs are not read")
    try:
        if content[:5].lower() == "data:":
            named, content = data_of(content[5:])
            kind = kind or named
        data = base64_of(content, "attachment", _MOST_BYTES)
    except ValueError as error:
        raise _refused(where, str(error)) from None
    found = image_type_of_base64(data)
    if found is not None or kind.startswith("image/") or attachment.type == "image":
        return image_of(f"data:{found or kind or 'image/png'};base64,{data}", where)
    return SentFile(kind, data, name=attachment.file_name or "", where=where)


def _refused(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="invalid_file", param=where)
