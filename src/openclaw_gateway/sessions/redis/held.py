"""Logs that have ended while the server is away, kept for the sake of the stream alone, and how many.

What is too much is given up, the oldest first: who reads it elsewhere is told that it is gone. Pure.
"""

from collections import OrderedDict
from itertools import islice

from openclaw_gateway.sessions.redis.outgoing import Outgoing

# In bytes of memory, and by number.
MOST_HELD_BYTES = 64 << 20
MOST_HELD = 10_000


class Held:
    def __init__(self) -> None:
        self._sizes: OrderedDict[Outgoing, int] = OrderedDict()
        self._bytes = 0

    def add(self, out: Outgoing) -> list[Outgoing]:
        """Keep it, if it has ended. Returns those of which not even that they are gone can be told."""
        if out.log is None or not out.log.ended or out in self._sizes:
            return []
        out.log.weigh()
        self._sizes[out] = out.log.size
        self._bytes += out.log.size
        while self._bytes > MOST_HELD_BYTES:
            oldest, size = next((each, size) for each, size in self._sizes.items() if size)
            self._sizes[oldest] = 0
            self._bytes -= size
            oldest.give_up()
        surplus = list(islice(self._sizes, max(0, len(self._sizes) - MOST_HELD)))
        for each in surplus:
            self.drop(each)
        return surplus

    def drop(self, out: Outgoing) -> None:
        self._bytes -= self._sizes.pop(out, 0)

    def clear(self) -> None:
        self._sizes.clear()
        self._bytes = 0
