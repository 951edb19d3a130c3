"""Large images and files on their way to a provider: left out while a dialect writes its request, put in as
it is sent.

A conversation may hold fifty megabytes of them. To make one JSON text of that would hold up everybody
else; but base64 is the same inside JSON as outside. So a dialect writes a mark in the place of each, and
what leaves is the text around the marks with the images between, piece by piece. Pure.
"""

import re
import secrets
from collections.abc import AsyncIterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.wire.messages import AssistantMessage, M, Message, UserMessage, WithImages, media_of

_LARGE = 64 << 10
_PIECE = 128 << 10

# The data of each image that is left out, by its mark.
LeftOut = Mapping[str, str]


class Pieces(Struct, frozen=True):
    """A request body in parts; texts are ASCII."""

    parts: tuple[bytes | str, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            for start in range(0, len(part), _PIECE):
                piece = part[start : start + _PIECE]
                yield piece.encode("ascii") if isinstance(piece, str) else piece


def leave_out(request: ModelRequest) -> tuple[ModelRequest, LeftOut]:
    """The request with marks for what is large in it; the very same when nothing is."""
    if not any(map(_has_large, request.messages)):
        return request, {}
    left_out: dict[str, str] = {}
    messages = [_without(each, left_out) for each in request.messages]
    return replace(request, messages=messages), left_out


def put_in(body: bytes, left_out: LeftOut) -> bytes | Pieces:
    """The body that a dialect has written, with the images in the places of their marks."""
    if not left_out:
        return body
    marks = re.compile(b"(" + b"|".join(mark.encode() for mark in left_out) + b")")
    around = marks.split(body)
    # Every second one is a mark.
    return Pieces(tuple(left_out[part.decode()] if at % 2 else part for at, part in enumerate(around)))


def _has_large(message: Message) -> bool:
    if type(message) is AssistantMessage or not (media := media_of(message)):
        return False
    return any(len(one.data) > _LARGE for one in media)


def _without(message: Message, left_out: dict[str, str]) -> Message:
    if not isinstance(message, WithImages):
        return message
    message = replace(message, images=tuple(_marked(image, left_out) for image in message.images))
    if not isinstance(message, UserMessage) or not message.files:
        return message
    return replace(message, files=tuple(_marked(file, left_out) for file in message.files))


def _marked(one: M, left_out: dict[str, str]) -> M:
    if len(one.data) <= _LARGE:
        return one
    # Nobody can know it, and write it into a message.
    mark = f"image-{secrets.token_hex(16)}"
    left_out[mark] = one.data
    return replace(one, data=mark)
