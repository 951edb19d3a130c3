"""The Bus protocol: everything that is live and may be lost.

A run's event log is written by its holder and read by any number of readers, each at its own pace
(pull: a slow reader costs nothing but the memory of the log, which is bounded). Topics are doorbells:
a ring may be lost, so whoever waits for one also looks again by itself from time to time.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from openclaw_gateway.wire.events import Event

Signal = Literal["abort", "steer"]


class EventPage(Struct, frozen=True):
    """`events` from index `after` on; `gone` when the log is unknown, trimmed or expired."""

    events: tuple[Event, ...]
    next: int
    gone: bool = False


class Subscription(Protocol):
    """One reader of one log: replay, then tail, without a gap or a repeat."""

    async def batch(self, wait_s: float | None = None) -> Sequence[Event]:
        """All events not yet read, at least one; empty only when `wait_s` seconds passed without any.

        The log ends with RunEnded; a reader stops there. Raises LookupError when the log is gone.
        """

    def close(self) -> None: ...


class Watch(Protocol):
    async def ring(self, wait_s: float | None = None) -> bool:
        """Wait for the doorbell; False when `wait_s` seconds passed without one."""

    def close(self) -> None: ...


class Bus(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def emit(self, run_id: str, token: int, seq: int, events: Sequence[Event]) -> bool:
        """Append `events`, the first of which has index `seq`. Never blocks, never raises.

        A repeated `seq` is dropped; a token older than the log's is refused (False). A newer token
        restarts the log at index 0.
        """

    async def read(self, run_id: str, after: int = 0, limit: int = 1000) -> EventPage: ...

    def subscribe(self, run_id: str, after: int = 0) -> Subscription: ...

    def forget(self, run_id: str) -> None:
        """The log may be dropped once its present readers have read it."""

    def signal(self, run_id: str, signal: Signal) -> None:
        """Tell the holder of a run, wherever it is; it hears it by `watch("signal:<run id>:<signal>")`."""

    def ring(self, topic: str) -> None: ...

    def watch(self, topic: str) -> Watch: ...
