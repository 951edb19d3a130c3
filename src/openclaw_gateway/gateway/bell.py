"""An event that many hear of without waiting for it: for thousands who only want to know when it happens.

A task that waits costs a kilobyte or two, which counts where each connection would have one.
"""

import asyncio
from collections.abc import Callable


class Bell(asyncio.Event):
    """Those who hear it are called once, in order, where it is set; they must be quick and must not raise."""

    def __init__(self) -> None:
        super().__init__()
        self._hearing: dict[object, Callable[[], None]] = {}

    def set(self) -> None:
        super().set()
        hearing, self._hearing = self._hearing, {}
        for called in hearing.values():
            called()

    def heard(self, called: Callable[[], None]) -> Callable[[], None]:
        """Until the returned function is called; at once, if it has been set."""
        place = object()
        if self.is_set():
            called()
        else:
            self._hearing[place] = called

        def leave() -> None:
            self._hearing.pop(place, None)

        return leave
