"""Who reads a run's answer: how much of it has reached them, and whether the run should wait for them.

An index counts the events of the run's log. What a reader was given is its own affair; it says up to which
index everything has left for its client, and that is all that is known here. Must not know doors.
"""

import asyncio
from contextlib import suppress

from openclaw_gateway.sessions.bus import Subscription

# How far a run may be ahead of a reader that holds it, in events or in characters of its answer. Most
# answers are shorter; of the others, no more than this and what one read brings waits in memory.
AHEAD_EVENTS = 4_096
AHEAD_CHARS = 512 << 10
# How long an aborted run waits for its readers to take what was said before the abort.
LAST_WORDS_S = 0.5


class Reader:
    """One reading of a run's `log` for one client; close it when the client has gone.

    `shown` is the index up to which everything has reached the client, as far as its door can tell.
    """

    __slots__ = ("_readers", "holds", "log", "shown")

    def __init__(self, readers: "Readers", log: Subscription, after: int, *, holds: bool) -> None:
        self._readers = readers
        self.log = log
        self.shown = after
        self.holds = holds

    def advance(self, index: int) -> None:
        """Everything before `index` has reached the client."""
        self.shown = index
        if self._readers.waiting is not None:
            self._readers.look()

    def close(self) -> None:
        self._readers.left(self)
        self.log.close()


class Readers:
    """All that read one run, now or before."""

    def __init__(self) -> None:
        self.waiting: asyncio.Future[None] | None = None
        self._present: set[Reader] = set()
        self._shown_before = 0
        self._events = 0
        self._chars = 0

    def attach(self, log: Subscription, after: int, *, holds: bool) -> Reader:
        """A reader that `holds` slows the run when it is far behind."""
        reader = Reader(self, log, after, holds=holds)
        self._present.add(reader)
        return reader

    def left(self, reader: Reader) -> None:
        if reader in self._present:
            self._present.discard(reader)
            self._shown_before = max(self._shown_before, reader.shown)
            self.look()

    @property
    def shown(self) -> int:
        """The index up to which some client has, or had, everything."""
        return max([self._shown_before, *(reader.shown for reader in self._present)])

    def far_behind(self, emitted: int, chars: int) -> bool:
        """Whether the run, which has emitted so much, should wait for `caught_up`.

        Looks at the readers only once in AHEAD_EVENTS or AHEAD_CHARS.
        """
        if emitted - self._events < AHEAD_EVENTS and chars - self._chars < AHEAD_CHARS:
            return False
        self._events, self._chars = emitted, chars
        return self._behind(emitted, holding=True)

    async def caught_up(self, emitted: int) -> None:
        """Until those that hold the run have everything before `emitted`, or have gone."""
        while self._behind(emitted, holding=True):
            await self._change()

    async def last_words(self, emitted: int) -> None:
        """Give all that are there a moment to take everything before `emitted`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while self._behind(emitted, holding=False):
                    await self._change()

    def look(self) -> None:
        """Something has changed: whoever waits looks again."""
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(None)

    def _behind(self, emitted: int, *, holding: bool) -> bool:
        return any(reader.shown < emitted for reader in self._present if reader.holds or not holding)

    async def _change(self) -> None:
        self.waiting = asyncio.get_running_loop().create_future()
        try:
            await self.waiting
        finally:
            self.waiting = None
