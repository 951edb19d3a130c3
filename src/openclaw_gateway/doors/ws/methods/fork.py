"""`sessions.fork`: another session that goes on from a message of this one, which stays as it is.

Shape and meaning are OpenClaw's: from a user's message the fork has what comes before it, and the text comes
back to be said anew. Ours are the forks from an answer, with it, and without `entryId` from the end.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.principal import WRITE
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.wire.messages import UserMessage

_METHOD = "sessions.fork"
_MOST_BYTES = 6 << 20


class ForkParams(Struct, frozen=True, rename="camel"):
    """`entry_id` is `__openclaw.id` of a message in `chat.history`."""

    session_key: Annotated[str, Meta(min_length=1, max_length=512)]
    entry_id: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    agent_id: Annotated[str, Meta(max_length=256)] | None = None


async def _fork(call: MethodCall, params: ForkParams) -> object:
    """Raises NotFound."""
    key = call.gateway.route(Ask(agent=params.agent_id, session_key=params.session_key)).session_key
    if key is None:
        raise invalid(_METHOD, "sessionKey must not be blank", "sessionKey")
    forked = await call.gateway.session_forks.fork(call.principal, key, params.entry_id)
    answer: dict[str, Any] = {"sessionKey": forked.record.key}
    if forked.asked is None:
        return answer
    answer["editorText"] = forked.asked.content
    attachments = await _images(call, forked.asked)
    return answer | {"editorAttachments": attachments} if attachments else answer


async def _images(call: MethodCall, asked: UserMessage) -> list[dict[str, str]]:
    """As many as an answer has room for."""
    whole = await call.gateway.held.with_images(call.principal, asked)
    shown, left = [], _MOST_BYTES
    for image in whole.images if isinstance(whole, UserMessage) else ():
        left -= len(image.data)
        if left < 0:
            break
        shown.append({"mimeType": image.media_type, "data": image.data})
    return shown


METHODS = (Method(_METHOD, WRITE, ForkParams, _fork),)
