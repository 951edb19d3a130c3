"""Images and files that lie beside their conversation, put back into it just before a model is asked.

Must not know where they lie. One that is lost costs itself: the model reads that there was one,
or what was read of it.
"""

from collections.abc import Sequence
from typing import Protocol

import structlog
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.wire.messages import AssistantMessage, M, Message, UserMessage, WithImages, media_of

log = structlog.get_logger()

_LOST = "[An image was here. It is lost.]"


class KeepsImages(Protocol):
    """What a store does for it."""

    async def whole(self, one: M) -> M: ...


async def with_images(store: KeepsImages, messages: Sequence[Message]) -> Sequence[Message]:
    """The messages with all that is theirs; the very same when none lies elsewhere. Raises StoreError."""
    if not any(map(_lacks_some, messages)):
        return messages
    return [await _whole(store, each) if _lacks_some(each) else each for each in messages]


def _lacks_some(message: Message) -> bool:
    if type(message) is AssistantMessage or not (media := media_of(message)):
        return False
    return any(one.digest for one in media)


async def _whole(store: KeepsImages, message: Message) -> Message:
    if not isinstance(message, WithImages):
        return message
    images = tuple([await _had(store, image) for image in message.images])
    found = tuple(image for image in images if image.data)
    content = "\n".join(filter(None, [message.content, *[_LOST] * (len(images) - len(found))]))
    message = replace(message, content=content, images=found)
    if not isinstance(message, UserMessage) or not message.files:
        return message
    return replace(message, files=tuple([await _had(store, file) for file in message.files]))


async def _had(store: KeepsImages, one: M) -> M:
    """Without its data where that is lost."""
    try:
        return await store.whole(one)
    except StoreError as error:
        if error.code != "store_corrupt":
            raise
        log.warning("store.image_lost", digest=one.digest, code=error.code)
        return replace(one, digest="", size=0)
