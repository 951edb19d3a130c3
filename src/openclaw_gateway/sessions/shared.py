"""The SharedStore protocol: what the replicas of one gateway have in common beside transcripts.

A replica is one process. It beats as long as it lives; when its lease has ended, by the database's clock, it
counts as gone, and its runs are anybody's. Rules every implementation keeps, beside those of a Store
(tests/sessions/shared_contract.py holds it to them):
- a run is executed at least once and recorded exactly once: who was paused and comes back is Fenced;
- what is to be executed (`NewRun.work`) is on disk before `begin` returns;
- a run that `acts` said of is never executed again: taken up after that, it is closed as "interrupted";
- of a session only the oldest open run is taken up, and only while nobody holds the session;
- a run whose message the one at work has heard waits as before once that one does not hold the session any
  more, however it came to that.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.store import Claim, Claimed, Store

Role = Literal["all", "front", "worker"]

# Rung on the bus when there is something to take up.
WORK_TOPIC = "work"
_WHOLE_S = 0.001
# How often a run is executed at most, in all.
ATTEMPTS = 2


def certain_until(asked_at: float, lease_s: float) -> float:
    """Until when a lease lasts for certain, by the clock of who has asked for it at `asked_at`: a store may
    count whole milliseconds, and the question and its answer take their time."""
    return asked_at + lease_s - _WHOLE_S


class Replica(Struct, frozen=True):
    """One process of the gateway. `runs` is how many it executes now, `most` how many it would at most."""

    id: str
    role: Role
    version: str
    address: str
    started_ms: int
    runs: int = 0
    most: int = 0


class Work(Struct, frozen=True):
    """A run to be executed here, from now on this replica's own. `body` is its `NewRun.work`; `attempt`
    counts from 1, and `token` is newer than that of whoever had it before. `claimed` is its session's claim,
    with the same one; None = it has none to wait for. `asked_at` is when this replica asked, by its monotonic
    clock."""

    run_id: str
    owner: str
    session: str | None
    body: bytes
    attempt: int
    token: int
    claimed: Claimed | None = None
    asked_at: float = 0.0


class Waiting(Struct, frozen=True):
    """A run that waits for its session. `body` is its `NewRun.work`."""

    run_id: str
    body: bytes


class Document(Struct, frozen=True):
    """A text with a name that all replicas go by. `version` grows with every change; 0 = there is none."""

    version: int
    text: str


# The main file of the configuration, where it is kept here.
CONFIG_DOCUMENT = "config"


class KeepsDocuments(Protocol):
    """All coroutines raise StoreError."""

    async def document(self, name: str) -> Document: ...

    async def write_document(self, name: str, text: str, *, replaces: int) -> int:
        """The new version. Raises StoreError (code "document_changed") where the version is another one."""


class SharedStore(Store, KeepsDocuments, Protocol):
    """All coroutines raise StoreError."""

    async def request_abort(self, owner: str, run_id: str, *, unasked: bool = False) -> bool:
        """As `Store.request_abort`. `unasked`: nobody has asked for its end, but nobody wants its answer any
        more, and `renew` reports a "leave"."""

    async def name(self) -> str:
        """What all processes of this gateway call it, in printable ASCII; those of another one, which has
        another store, call theirs otherwise."""

    async def beat(self, replica: Replica, *, lease_s: float) -> None:
        """This process lives, for that long at least. What it begins and claims afterwards is its own."""

    async def leave(self) -> None:
        """This process takes no part any more: what it still has open is anybody's at once."""

    async def replicas(self) -> tuple[Replica, ...]:
        """Those whose lease has not ended, the oldest first."""

    async def has_work(self) -> bool:
        """Whether `take_up` may have something to do. It may say so of what has to wait still."""

    async def work_in(self, *, within_s: float, since_s: float = 0.0) -> float | None:
        """In how many seconds the next run of a process that beats no more can be taken up: of one whose
        lease ends `within_s`, or has ended; 0 where it could be for `since_s` at most. What can be taken up
        for longer does not count; None = there is no other."""

    async def take_up(self, *, lease_s: float) -> Work | None:
        """The oldest run that nobody executes: one that was `given`, or one of a replica that has gone.
        None = there is none.

        On the way it closes as "interrupted" what nobody may execute again: a run without `work`, one that
        has acted, one that was begun ATTEMPTS times; and as "aborted" one that somebody has asked to stop.
        """

    async def wishes(self) -> tuple[tuple[str, Signal], ...]:
        """The runs without a session that this process executes and whose end somebody wishes, as `renew`
        reports it of one with a session."""

    async def lost(self, executed: Mapping[str, int]) -> frozenset[str]:
        """Of runs without a session that this process executes, each with its token, those that it has no
        more: another process has taken them up, or they were ended. One of which the store knows nothing yet
        is not lost, nor is one that was handed over and that nobody has taken up."""

    async def work(self, owner: str, run_id: str) -> bytes | None:
        """`NewRun.work` of a run that is open; None of any other."""

    async def acts(self, run_id: str) -> None:
        """The run is about to do what a second execution would do twice."""

    async def hand_over(self, run_id: str) -> bool:
        """Give up a run of this process that has neither acted nor ended, so that another takes it up: it is
        the oldest of its session still. False where that may not be, and nothing is changed."""

    async def waiting(self, claim: Claim) -> tuple[Waiting, ...]:
        """The runs that wait for the session of this claim and that nobody has asked to stop, in order of
        arrival: those with `NewRun.work`. None where the claim is not held any more."""

    async def hear(self, claim: Claim, run_ids: Sequence[str]) -> frozenset[str]:
        """The run of this claim has taken up the messages of these, which wait: they end with it, by
        `Ending.taken`. Meanwhile none is withdrawn (StoreError with the code "run_heard"), and a wish to
        stop one is also one to stop that run.

        Those of which that is so: not what somebody has asked to stop, or does not wait any more, and none
        where the claim is not held any more.
        """

    async def place(self, owner: str, run_id: str) -> int | None:
        """How many runs are before one that waits, with the one at work, but without those that it has heard;
        0 also of one that does not wait. None = it is heard itself."""

    async def document_versions(self) -> dict[str, int]:
        """Of all documents there are, by name."""
