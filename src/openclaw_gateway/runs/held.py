"""Rounds that wait for a client without a session: what the client never saw of them.

A run may end with calls of the client's tools after rounds with the agent's own. The client's follow-up
brings back only what it saw; here the whole is kept for ten minutes, so that the conversation goes on
complete. With a session the transcript does this. A round is found by the ids of its calls, which are ours
and random, and by nobody but who began it: the same owner, user, agent and instructions.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import UNSET, Struct

from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolCall, ToolMessage
from openclaw_gateway.wire.run import RunRequest

KEEP_S = 600.0
MAX_HELD = 1_000
MAX_HELD_CHARS = 32_000_000
_Key = tuple["_Asker", frozenset[str]]


class _Asker(NamedTuple):
    owner: str
    user: str | None
    agent: str
    instructions: bytes


class _Held(Struct, frozen=True):
    since: float
    size: int
    messages: tuple[Message, ...]


class HeldRounds:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._held)

    def keep(self, request: RunRequest, call_ids: Iterable[str], said: tuple[Message, ...]) -> None:
        """`said` is what the run added to the client's conversation; it ended with the calls `call_ids`,
        which the client now answers."""
        if not _hides(said):
            return
        key = (_asker(request), frozenset(call_ids))
        self._drop(key)
        self._held[key] = _Held(self._clock(), sum(map(_size, said)), said)
        self._size += self._held[key].size
        self._keep_within_bounds()

    def whole(self, request: RunRequest) -> tuple[Message, ...]:
        """The request's conversation with what the client did not see put back in its places."""
        messages = request.messages
        if not self._held or not any(isinstance(m, AssistantMessage) and m.tool_calls for m in messages):
            return messages
        complete: list[Message] = []
        asker = _asker(request)
        for message in messages:
            found = None
            if isinstance(message, AssistantMessage) and message.tool_calls:
                found = self._held.get((asker, frozenset(call.id for call in message.tool_calls)))
            if found is not None and self._clock() - found.since < KEEP_S:
                complete += found.messages
            else:
                complete.append(message)
        return tuple(complete)

    def _keep_within_bounds(self) -> None:
        expired = self._clock() - KEEP_S
        while self._held:
            oldest, held = next(iter(self._held.items()))
            if len(self._held) <= MAX_HELD and self._size <= MAX_HELD_CHARS and held.since > expired:
                return
            self._drop(oldest)

    def _drop(self, key: _Key) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._size -= held.size


def _asker(request: RunRequest) -> _Asker:
    instructions = hashlib.sha256(request.instructions.encode("utf-8", "surrogatepass")).digest()
    return _Asker(request.origin.owner, request.origin.user, request.agent_id, instructions)


def _hides(said: Sequence[Message]) -> bool:
    """Whether there is anything that the client will not bring back itself."""
    return any(isinstance(m, ToolMessage) or (isinstance(m, AssistantMessage) and _sealed(m)) for m in said)


def _sealed(message: AssistantMessage) -> bool:
    return any(part.payload is not UNSET for part in message.parts)


def _size(message: Message) -> int:
    size = 0
    if isinstance(message, AssistantMessage):
        for part in message.parts:
            size += len(part.arguments) if isinstance(part, ToolCall) else len(part.text)
            size += 0 if part.payload is UNSET else len(memoryview(part.payload))
    else:
        size = len(message.content)
    return size
