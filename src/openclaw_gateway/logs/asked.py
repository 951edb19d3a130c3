"""Which request a line is about: set by the door that took it, and known to all that is done for it, since a
task has what was set where it was started.

For log lines alone: nothing is decided by it, and what outlives requests does not say it.
"""

from contextvars import ContextVar

from msgspec import Struct


class Asked(Struct, frozen=True):
    """`request` is the id that its answer carries, `peer` the client's address; None: no door took it."""

    request: str | None = None
    peer: str | None = None


NOBODY = Asked()
ASKED: ContextVar[Asked] = ContextVar("asked", default=NOBODY)
