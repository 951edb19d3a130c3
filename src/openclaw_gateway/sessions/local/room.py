"""LocalRoom: the places of a process that shares them with none."""

from collections.abc import Callable


class LocalRoom:
    """Nobody is told what came free: who waits here knows."""

    def __init__(self) -> None:
        self.freed: Callable[[], None] | None = None
        self._taken = 0

    def take(self, most: int) -> bool:
        if self._taken >= most:
            return False
        self._taken += 1
        return True

    @property
    def may_ask(self) -> bool:
        return False

    async def enter(self, most: int, *, patient: bool = True) -> bool:
        return self.take(most)

    def give_back(self, *, unused: bool = False) -> None:
        self._taken -= 1

    def share(self, most: int) -> int:
        return most

    def beat(self, most: int, lease_s: float) -> None:
        """Nobody else counts them."""

    def among(self, count: int) -> None:
        """Likewise."""
