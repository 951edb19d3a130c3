"""Rounds that wait for a client without a session: what the client never saw of them.

A run may end with calls of the client's tools after rounds with the agent's own. The client's follow-up
brings back only what it saw; here the whole is kept for ten minutes, by owner and call ids, so that the
conversation goes on complete. With a session the transcript does this.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from openclaw_gateway.wire.messages import AssistantMessage, Message

KEEP_S = 600.0
MAX_HELD = 1_000
_Key = tuple[str, frozenset[str]]


class HeldRounds:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: OrderedDict[_Key, tuple[float, tuple[Message, ...]]] = OrderedDict()

    def keep(self, owner: str, call_ids: frozenset[str], messages: tuple[Message, ...]) -> None:
        """`messages` end with (or contain) the assistant message that made the calls."""
        now = self._clock()
        self._held[owner, call_ids] = (now, messages)
        self._held.move_to_end((owner, call_ids))
        while self._held:
            oldest = next(iter(self._held))
            if len(self._held) <= MAX_HELD and now - self._held[oldest][0] < KEEP_S:
                return
            del self._held[oldest]

    def whole(self, owner: str, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The conversation with what the client did not see put back in its places."""
        if not self._held:
            return messages
        complete: list[Message] = []
        for message in messages:
            complete += self._found(owner, message) or (message,)
        return tuple(complete)

    def _found(self, owner: str, message: Message) -> tuple[Message, ...] | None:
        if not isinstance(message, AssistantMessage) or not message.tool_calls:
            return None
        entry = self._held.get((owner, frozenset(call.id for call in message.tool_calls)))
        return entry[1] if entry is not None and self._clock() - entry[0] < KEEP_S else None
