"""How much memory all request bodies together may take: `gateway.limits.maxBodiesBytes`.

A body counts from before it is read until its request has been answered, because what was made of it lives as
long. Knows numbers, not requests.
"""

from openclaw_gateway.errors import Overloaded
from openclaw_gateway.sizes import size_text


class BodyRoom:
    """Shared by all requests of a listener."""

    def __init__(self) -> None:
        self._taken = 0

    @property
    def taken(self) -> int:
        """Bytes of all bodies that count now."""
        return self._taken

    def take(self, count: int, most: int) -> None:
        """Room for so many more bytes, to be given back. A body that is alone always has room.

        Raises Overloaded.
        """
        if self._taken and self._taken + count > most:
            raise Overloaded(
                f"The bodies of the requests that are being answered take {size_text(most)}, the limit "
                "(gateway.limits.maxBodiesBytes). Try again in a moment, or send less history.",
                retry_after=1,
            )
        self._taken += count

    def give_back(self, count: int) -> None:
        self._taken -= count
