"""Connections whose clients have not said yet who they are: so many at once, and where one more comes, the
one that has waited longest goes.

Whoever means to come in says so at once. Strangers behind one proxy have one address, and would have all
connections that there may be for as long as a handshake lasts.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 256


class Knocking:
    """Of all connections."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Timeout, None] = {}

    @contextmanager
    def within(self, handshake: asyncio.Timeout) -> Iterator[None]:
        """While a client says nothing; his `handshake` ends at once when he has to go."""
        while len(self._waiting) >= MOST:
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            if not longest.expired():
                longest.reschedule(0.0)
        self._waiting[handshake] = None
        try:
            yield
        finally:
            self._waiting.pop(handshake, None)
