"""What of a message lies beside it in a store: images and files that are large, by their SHA-256.

Pure. Where a store puts them, it knows itself.
"""

import hashlib

from msgspec.structs import replace

from openclaw_gateway.wire.messages import M, Message, UserMessage, WithImages, media_of

LARGE = 64 << 10
UNTOUCHED_S = 600.0
"""What was put there less long ago is not swept up: its entry may be on its way."""


def is_large(message: Message) -> bool:
    """Whether something of the message lies better beside it."""
    media = media_of(message)
    return bool(media) and any(len(one.data) > LARGE for one in media)


def referenced(message: Message) -> tuple[Message, dict[str, bytes]]:
    """The message with references for what is large in it, and what they stand for, by digest."""
    contents: dict[str, bytes] = {}
    if not isinstance(message, WithImages) or not is_large(message):
        return message, contents
    message = replace(message, images=tuple([_reference(image, contents) for image in message.images]))
    if isinstance(message, UserMessage) and message.files:
        message = replace(message, files=tuple([_reference(file, contents) for file in message.files]))
    return message, contents


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _reference(one: M, contents: dict[str, bytes]) -> M:
    if len(one.data) <= LARGE:
        return one
    content = one.data.encode("ascii")
    digest = digest_of(content)
    contents[digest] = content
    return replace(one, data="", digest=digest, size=len(content))
