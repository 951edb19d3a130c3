"""The Bus protocol: everything that is live and may be lost.

A run's event log is written by its holder and read by any number of readers, each at its own pace
(pull: a slow reader costs nothing but the memory of the log, which is bounded). Topics are doorbells,
signals are wishes to whoever holds a run: both may be lost, so whoever waits for one also looks at the
store by itself from time to time. Rules every implementation keeps: tests/sessions/bus_contract.py.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from openclaw_gateway.wire.events import Event

# "abort": somebody has asked for its end, "leave": nobody wants its answer any more.
Signal = Literal["abort", "leave"]
Heed = Callable[[str, Signal], None]
Hear = Callable[[bytes], None]


class BusHealth(Struct, frozen=True):
    """Whether what is emitted here reaches the other processes. `since_ms` is Unix time: since when it is so;
    `reason` is why not, in a few words without secrets."""

    kind: Literal["local", "redis"]
    connected: bool
    since_ms: int
    reason: str | None = None


class Subscription(Protocol):
    """One reader of one log: replay, then tail, without a gap or a repeat."""

    async def batch(self, wait_s: float | None = None) -> Sequence[Event]:
        """All events not yet read, at least one; empty only when `wait_s` seconds passed without any.

        The log ends with RunEnded; a reader stops there. Raises EventsGone (a LookupError) when what comes
        next is not kept any more: the log was dropped, or trimmed before this reader came to it.
        """

    def offer(self, take: Callable[[Sequence[Event]], bool] | None) -> None:
        """From now on, while `batch` waits, what is new is first offered to `take`, right where it is
        emitted; what it takes (True) is read, and `batch` waits on. What `take` raises, `batch` raises. None
        ends that. An implementation need not offer anything; a log that begins again is never offered its
        beginning: `batch` returns that, and nothing of before with it (`begins_anew`)."""

    def rouse(self) -> None:
        """A `batch` that waits comes back empty."""

    def close(self) -> None: ...


class Watch(Protocol):
    async def ring(self, wait_s: float | None = None) -> bool:
        """Wait for the doorbell; False when `wait_s` seconds passed without one."""

    def hear(self) -> None:
        """Ring for this one alone."""

    def close(self) -> None: ...


class Bus(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def emit(self, run_id: str, token: int, seq: int, events: Sequence[Event]) -> bool:
        """Append `events`, the first of which has index `seq`. Never blocks, never raises.

        Readers are woken once for all of them. A repeated `seq` is dropped. A newer token restarts the log
        at index 0; False when the log is known to have a newer holder, or to have ended: this one should
        stop. Of a newer holder elsewhere it may be known only after a while.
        """

    def subscribe(
        self, run_id: str, after: int = 0, *, here: bool = False, late: bool = False
    ) -> Subscription:
        """A reader from index `after`. A run that has emitted nothing yet is waited for.

        `here`: this process executes the run, or has, so nobody need be asked for its log. `late`: also one
        that was forgotten elsewhere a moment ago, as long as it is there.
        """

    def forget(self, run_id: str) -> None:
        """The log may be dropped once its present readers have read it."""

    def went_elsewhere(self, run_id: str, token: int) -> None:
        """Another process holds the run now, under a newer token than this one: who reads it here goes on
        with what that one writes, and nothing more is emitted here under this token."""

    def keep_here(self, run_id: str) -> None:
        """What is emitted here of this run from now on, its end too, is read in this process only: another
        one will go on with it, and tells the others. Until the log is forgotten."""

    def signal(self, run_id: str, signal: Signal) -> None:
        """Tell the holder of a run, whichever process that is."""

    def heed(self, heard: Heed) -> Callable[[], None]:
        """Call `heard` for every signal, until the returned function is called. Once per process: it knows
        which runs it holds. `heard` must not raise."""

    def announce(self, news: bytes) -> None:
        """Tell the other processes, in the order of the calls; it may be lost. Never blocks, never raises."""

    def hear(self, heard: Hear) -> Callable[[], None]:
        """Call `heard` for what other processes announce, until the returned function is called. `heard` must
        not raise."""

    def ring(self, topic: str) -> None: ...

    def watch(self, topic: str) -> Watch: ...

    def health(self) -> BusHealth: ...
