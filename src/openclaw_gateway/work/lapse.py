"""What is done when a time is up, unless it is called off before."""

import asyncio
from collections.abc import Callable

# A process in which it comes later than that was held up.
_LATE_S = 0.02
# How long such a process has for what has come to it meanwhile.
_HEARS_S = 0.2


class Lapse:
    """Calls `then` at `when`, on the loop's clock, unless it is cancelled before. Where this process was
    paused, what has come to it meanwhile is taken first: by that it may be called off."""

    def __init__(self, when: float, then: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._when = when
        self._then = then
        self._timer = self._loop.call_at(when, self._is_up)

    def cancel(self) -> None:
        self._timer.cancel()

    def _is_up(self) -> None:
        if self._loop.time() - self._when > _LATE_S:
            self._timer = self._loop.call_later(_HEARS_S, self._then)
        else:
            self._then()
