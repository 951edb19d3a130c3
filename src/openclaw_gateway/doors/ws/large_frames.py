"""Frames that are large: read beside the loop, one at a time, and counted with the bodies of HTTP requests
until they are answered.

A client may have many calls open, and each holds what was made of its frame. Knows bytes, not methods.
"""

from collections.abc import Callable
from typing import TypeVar

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.body_room import BodyRoom
from openclaw_gateway.doors.large_bodies import LARGE, LargeBodies

T = TypeVar("T")


class LargeFrames:
    """`bodies` and `room` are those of all connections."""

    def __init__(self, bodies: LargeBodies, room: BodyRoom) -> None:
        self._bodies = bodies
        self._room = room

    async def read(self, frame: bytes, read: Callable[[bytes], T]) -> T:
        """What `read`, which is pure, makes of a frame, large or not. Raises what it raises."""
        return await self._bodies.decode(frame, read)

    def take(self, size: int, limits: Limits) -> Callable[[], None]:
        """A frame of this size has been read; it counts, if it is large, until the returned function is
        called. Raises Overloaded."""
        if size <= LARGE:
            return _nothing
        self._room.take(size, limits.max_bodies_bytes)
        return lambda: self._room.give_back(size)


def _nothing() -> None:
    pass
