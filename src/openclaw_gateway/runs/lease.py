"""How long what a configuration opened is kept: until nobody uses it any more. Knows not what it is."""

from collections.abc import Callable


class Lease:
    """Counts users; whoever makes it is the first. `release` is called once, when the last one has left."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release = release
        self._users = 1

    def enter(self) -> None:
        self._users += 1

    def leave(self) -> None:
        self._users -= 1
        if not self._users:
            self._release()
