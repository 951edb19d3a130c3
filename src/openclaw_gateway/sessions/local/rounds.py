"""LocalRounds: the KeptRounds of a gateway that is one process, in its memory."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from msgspec import UNSET, Struct

from openclaw_gateway.sessions.rounds import KEEP_S, MOST_CHARS, MOST_KEPT, Asker, Calls, Messages
from openclaw_gateway.wire.messages import AssistantMessage, Message, SystemMessage, ToolCall


class _Kept(Struct, frozen=True):
    since: float
    size: int
    messages: Messages


def _nobody(_: Asker, __: Calls) -> None:
    pass


class LocalRounds:
    """`dropped` is told of what is given up before its time, for want of room."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        dropped: Callable[[Asker, Calls], None] = _nobody,
    ) -> None:
        self._clock = clock
        self._dropped = dropped
        self._kept: OrderedDict[tuple[Asker, Calls], _Kept] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def known(self, asker: Asker, calls: Calls) -> Messages | None:
        kept = self._kept.get((asker, calls))
        return kept.messages if kept is not None and self._clock() - kept.since < KEEP_S else None

    async def found(self, asker: Asker, several: Sequence[Calls]) -> Mapping[Calls, Messages]:
        return {}

    async def keep(self, asker: Asker, calls: Calls, said: Messages) -> None:
        self.add(asker, calls, said)

    def add(self, asker: Asker, calls: Calls, said: Messages) -> None:
        key = (asker, calls)
        self._drop(key)
        self._kept[key] = _Kept(self._clock(), sum(map(_size, said)), said)
        self._size += self._kept[key].size
        self._keep_within_bounds()

    def _keep_within_bounds(self) -> None:
        expired = self._clock() - KEEP_S
        while self._kept:
            oldest, kept = next(iter(self._kept.items()))
            if kept.since > expired:
                if len(self._kept) <= MOST_KEPT and self._size <= MOST_CHARS:
                    return
                self._dropped(*oldest)
            self._drop(oldest)

    def _drop(self, key: tuple[Asker, Calls]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size


def _size(message: Message) -> int:
    if isinstance(message, AssistantMessage):
        size = 0
        for part in message.parts:
            size += len(part.arguments) if isinstance(part, ToolCall) else len(part.text)
            size += 0 if part.payload is UNSET else len(memoryview(part.payload))
        return size
    size = len(message.content)
    if not isinstance(message, SystemMessage):
        size += sum(len(image.data) for image in message.images)
    return size
