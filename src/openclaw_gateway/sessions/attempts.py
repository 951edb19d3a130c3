"""The SharedAttempts protocol: what the first attempt of a request has begun, told to all processes.

A client that sends the same request again by itself may come to another process. Live: it may be lost, and
then the next attempt begins anew. Rules every implementation keeps: tests/sessions/test_attempts.py.
"""

from typing import Protocol

# Of one whose end nobody has told: its process was killed, or it goes on.
UNENDED_S = 3600.0


class SharedAttempts(Protocol):
    """A `request` is a digest of whose it is, where it goes and what it says; 16 bytes."""

    def began(self, request: bytes, name: str, keep_s: float = UNENDED_S) -> None:
        """Any process finds this name for so long. Never waits."""

    async def begun(self, request: bytes) -> str | None:
        """The newest name, within a deadline. None also where nobody can be asked."""
