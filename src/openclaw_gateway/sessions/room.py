"""The Room protocol: places for what goes on at once, of which there is a limited number.

Where several processes are one gateway they share its places: what one of them holds, none of the others
has. A place is held by a process, not by a name of its own; whoever takes one gives it back once. Those of a
process that has died are free after a while.
"""

from collections.abc import Callable
from typing import Protocol

# How long whoever wants a place is held up at most, in seconds.
WAIT_S = 0.05


class Room(Protocol):
    """`most` is always the limit as it is configured now: how many places there are in all processes."""

    freed: Callable[[], None] | None
    """Called when one who has used a place leaves it free for any process, where there was none."""

    def take(self, most: int) -> bool:
        """A place that is this process's already; False where it has none left."""

    @property
    def may_ask(self) -> bool:
        """Whether one that was not to be had at once may still be had of others."""

    async def enter(self, most: int, *, patient: bool = True) -> bool:
        """A place, perhaps of those that others had; within WAIT_S. Who is not patient does not wait for one
        that comes free meanwhile."""

    def give_back(self, *, unused: bool = False) -> None:
        """`unused`: it was taken for nothing, so nobody need be told."""

    def share(self, most: int) -> int:
        """How many places this process may have: all of them while the processes count together, and else its
        part, at least 1."""

    def beat(self, most: int, lease_s: float) -> None:
        """This process lives, and so do its places for so long."""

    def among(self, count: int) -> None:
        """So many processes use these places, as somebody else has counted."""
