"""The SharedLimits protocol: what all processes of one gateway count together.

Nothing here may hold up a request for longer than `room.WAIT_S`, and nothing fails because others cannot be
asked: a process that has to count alone goes by its share. Counting may be wrong by what was on its way when
that began or ended. Rules every implementation keeps: tests/sessions/limits_contract.py.
"""

from typing import Protocol

from msgspec import Struct

from openclaw_gateway.sessions.room import Room


class LockOutRule(Struct, frozen=True):
    """So many failures within `window_s` seconds lead to a lock-out of `lockout_s` seconds."""

    attempts: float
    window_s: float
    lockout_s: float


class SharedLimits(Protocol):
    """`now` is monotonic seconds of this process; a `subject` is whoever is counted as one."""

    @property
    def runs(self) -> Room:
        """The places of runs that are executed."""

    def failed(self, subject: str, rule: LockOutRule) -> None:
        """Count one failure, for all processes. Never waits: what it leads to is known a moment later."""

    def succeeded(self, subject: str) -> None:
        """Forget the failures of a subject of which this process has told, but not that it is locked out."""

    def locked_for(self, subject: str, now: float) -> float:
        """For how many seconds more it is locked out, as far as others have counted; 0 = not."""

    def share(self, most: float) -> float:
        """How much of a limit for all processes this one may use by itself: all of it while they count
        together, and else its part, at least 1."""
