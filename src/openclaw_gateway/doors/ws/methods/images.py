"""`chat.image`: an image of a message in a session's history, where it is only named. Our own method.

The answer has the words of OpenClaw's `chat.message.get`: what is not to be had is no error.
"""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.held.said_at import TooLarge
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.sessions.keys import main_key

# Of base64; as much as a history has at most, and far below the largest frame.
_MOST_BYTES = 8 << 20


class ImageParams(Struct, frozen=True, rename="camel"):
    """`message_id` is `__openclaw.id` of a message in `chat.history`, `index` the image's number among that
    message's images, from 0."""

    session_key: Annotated[str, Meta(min_length=1, max_length=512)]
    message_id: Annotated[str, Meta(min_length=1, max_length=512)]
    index: Annotated[int, Meta(ge=0, le=10_000)] = 0
    agent_id: Annotated[str, Meta(max_length=256)] | None = None


async def _image(call: MethodCall, params: ImageParams) -> object:
    route = call.gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    key = route.session_key or main_key(route.agent_id)
    try:
        image = await call.gateway.said_images.image(
            call.principal, key, params.message_id, params.index, most_bytes=_MOST_BYTES
        )
    except TooLarge:
        return {"ok": False, "unavailableReason": "oversized"}
    if image is None:
        return {"ok": False, "unavailableReason": "not_found"}
    return {"ok": True, "mimeType": image.media_type, "data": image.data}


METHODS = (Method("chat.image", READ, ImageParams, _image),)
