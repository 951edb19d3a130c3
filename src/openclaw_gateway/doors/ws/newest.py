"""The newest messages of a session, as the control protocol shows them: as many as fit into a frame.

Reads backward, a few at a time: of a long session no more is held than is shown. Knows no method.
"""

from contextlib import aclosing
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.doors.ws.transcript import shown, too_large
from openclaw_gateway.gateway.held.sessions import HeldSessions
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.sessions.store import SessionRecord

MOST = 1_000
# As in OpenClaw. A client closes on a frame beyond the `maxPayload` of the greeting, which is 25 MiB.
MOST_BYTES = 6 << 20
_encode = msgspec.json.Encoder().encode


class Newest(Struct, frozen=True):
    """`messages` oldest first; `total` is how many there are since the conversation was begun; `size` is
    about how many bytes they are on the wire."""

    messages: list[Any]
    total: int
    size: int


async def newest(
    sessions: HeldSessions,
    principal: Principal,
    record: SessionRecord,
    *,
    limit: int,
    most_chars: int,
    most_bytes: int = MOST_BYTES,
    skip: int = 0,
) -> Newest:
    """At most `limit` messages before the `skip` newest, each text cut to `most_chars` characters; fewer
    where they are more than `most_bytes` together. One that alone is more is told of without its content.
    Raises StoreError."""
    limit = min(limit, MOST)
    since = await sessions.begun_at(principal, record)
    runs = await sessions.turns(principal, record.key, after=None, limit=limit + skip, newest_first=True)
    by_id = {run.id: run for run in runs or ()}
    messages: list[Any] = []
    left = most_bytes
    async with aclosing(sessions.backward(principal, record, since, limit, skip)) as pages:
        async for page in pages:
            for entry in reversed(page):
                (message,) = shown([entry], by_id, record.created_ms, most_chars)
                size = len(_encode(message)) + 1
                if size > most_bytes:
                    message = too_large(message)
                    size = len(_encode(message)) + 1
                if size > left:
                    return _told(messages, record.last_seq - since, most_bytes - left)
                messages.append(message)
                left -= size
    return _told(messages, record.last_seq - since, most_bytes - left)


def _told(backward: list[Any], total: int, size: int) -> Newest:
    return Newest(backward[::-1], total, size)
