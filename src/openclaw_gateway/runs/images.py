"""Images that lie beside their conversation, put back into it just before a model is asked.

Must not know where they lie. One that is lost costs itself: the model reads that there was one.
"""

from collections.abc import Sequence
from typing import Protocol

import structlog
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.wire.messages import Image, Message, WithImages

log = structlog.get_logger()

_LOST = "[An image was here. It is lost.]"


class KeepsImages(Protocol):
    """What a store does for it."""

    async def whole(self, image: Image) -> Image: ...


async def with_images(store: KeepsImages, messages: Sequence[Message]) -> Sequence[Message]:
    """The messages with all their images; the very same when none lies elsewhere. Raises StoreError."""
    if not any(map(_lacks_images, messages)):
        return messages
    return [await _whole(store, each) if _lacks_images(each) else each for each in messages]


def _lacks_images(message: Message) -> bool:
    return isinstance(message, WithImages) and any(image.digest for image in message.images)


async def _whole(store: KeepsImages, message: Message) -> Message:
    if not isinstance(message, WithImages):
        return message
    found: list[Image] = []
    content = message.content
    for image in message.images:
        try:
            found.append(await store.whole(image))
        except StoreError as error:
            if error.code != "store_corrupt":
                raise
            log.warning("store.image_lost", digest=image.digest, code=error.code)
            content = f"{content}\n{_LOST}".lstrip()
    return replace(message, content=content, images=tuple(found))
