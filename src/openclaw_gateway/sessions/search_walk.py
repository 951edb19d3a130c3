"""How far a search of transcripts looks: session after session, a slice at a time, until one of its bounds.

Knows no store and no words: whoever calls it looks at a slice.
"""

import time
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from openclaw_gateway.sessions.searched import Hit, Searched

MOST_SESSIONS = 1_000
MOST_BYTES = 64 << 20
MOST_S = 3.0


class Slice(Struct, frozen=True):
    """`hits` newest first; `before` is the entry to go on before, None = that is all of the session. `size`
    is how many bytes were looked at; `is_whole`: nothing of it was damaged."""

    hits: tuple[Hit, ...]
    before: int | None
    size: int
    is_whole: bool = True


Look = Callable[[str, int | None], Awaitable[Slice]]
"""Look at the messages of a session that come before an entry, None = the end."""


async def walk(
    keys: Sequence[str], look: Look, limit: int, clock: Callable[[], float] = time.monotonic
) -> Searched:
    """Through these sessions, until there is one hit more than `limit`, or a bound is reached."""
    hits: list[Hit] = []
    is_all = len(keys) <= MOST_SESSIONS
    looked, until = 0, clock() + MOST_S
    for key in keys[:MOST_SESSIONS]:
        before: int | None = None
        while True:
            if looked >= MOST_BYTES or clock() > until:
                return Searched(tuple(hits), is_all=False)
            part = await look(key, before)
            hits += part.hits
            looked += part.size
            is_all = is_all and part.is_whole
            if len(hits) > limit:
                return Searched(tuple(hits[:limit]), is_all=False)
            before = part.before
            if before is None:
                break
    return Searched(tuple(hits), is_all)
