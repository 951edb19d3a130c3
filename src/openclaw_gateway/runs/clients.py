"""Who waits for a run, in this process and in others, and when nobody does any more.

Knows no run: whoever asks says what is to be done then. What is heard of other processes may be lost: then
those that wait here decide.
"""

import asyncio
from collections.abc import Callable

# How long a client that asks again by itself is waited for: the official SDKs do so after half a second and
# another one.
RETURN_S = 3.0
# What is told why the last one left, once nobody waits anywhere.
Gone = Callable[[str], None]


class Clients:
    """`here` is how many wait in this process."""

    __slots__ = ("_elsewhere", "_return", "_why", "here")

    def __init__(self) -> None:
        self.here = 0
        self._elsewhere: frozenset[str] = frozenset()
        self._why: str | None = None
        self._return: asyncio.TimerHandle | None = None

    @property
    def was_left(self) -> bool:
        """Whether the last one here might come back, and has not."""
        return self._return is not None

    def join(self) -> None:
        self.here += 1
        self._why = None
        self.over()
        self._return = None

    def leave(self, why: str | None, gone: Gone, *, returns: bool) -> None:
        """One waits no more; without `why` nothing follows from it. One that perhaps `returns` is waited
        for."""
        self.here -= 1
        if self.here or why is None:
            return
        self._why = why
        if returns:
            self._return = asyncio.get_running_loop().call_later(RETURN_S, self._look, gone)
        else:
            self._look(gone)

    def moved_on(self, gone: Gone) -> None:
        """The last one does not come back."""
        if self._return is not None:
            self.over()
            self._look(gone)

    def come_elsewhere(self, by: str) -> None:
        """Some wait in that process."""
        self._elsewhere |= {by}

    def left_elsewhere(self, by: str, gone: Gone) -> None:
        """Nobody waits there any more."""
        self._elsewhere -= {by}
        if self._return is None or self._return.when() <= asyncio.get_running_loop().time():
            self._look(gone)

    def over(self) -> None:
        """Nobody is waited for any more."""
        if self._return is not None:
            self._return.cancel()

    def _look(self, gone: Gone) -> None:
        if self._why is not None and not self.here and not self._elsewhere:
            gone(self._why)
