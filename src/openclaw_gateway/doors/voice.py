"""How an endpoint says an answer: the dialect as pure translation, with no socket and no clock.

`doors/delivery.py` and `doors/told_stream.py` decide what is said when, and to whom; a voice only words it.
It is told of events that a client may be told of, and of nothing else.
"""

from collections.abc import Sequence
from typing import Protocol

from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.run import RunResult


class Voice(Protocol):
    """For one answer. A stream is head, any number of deltas, and end or failure; else it is whole."""

    def head(self) -> bytes:
        """What stands before the first delta; may be empty."""

    def deltas(self, events: Sequence[Event]) -> bytes:
        """The next public events of the run, in order; b"" when nothing is said of them."""

    def end(self, result: RunResult) -> bytes:
        """The end of a stream whose run completed."""

    def failure(self, error: ErrorInfo) -> bytes:
        """The end of a stream that has begun and then failed."""

    def whole(self, result: RunResult) -> bytes:
        """The body of an answer that does not stream, of a run that completed."""

    def refusal(self, error: ErrorInfo) -> bytes:
        """The body of an answer that failed before any of it was sent."""
