"""What a trial of a cluster leaves to be judged: what clients asked and heard, and what the engines hold.

Data, without a word of how it came about. `…_s` of what clients did are seconds of the trial's monotonic
clock, those of what the store did are seconds of the database's: they are never compared with each other.
"""

from collections.abc import Mapping

from msgspec import Struct

from openclaw_gateway.wire.run import RunStatus


class Asked(Struct, frozen=True):
    """One attempt of a client. Who asks the same again uses the same `key`, perhaps at another replica.

    `said` is the user's message, unlike that of every other key. `status` None = the connection ended before
    there was a whole answer; `answer` is the text of a final one, and `why` the code where there is none.
    `events` are the numbers of a stream's events as they were heard, over all connections it took.
    """

    key: str
    session: str
    replica: str
    said: str
    asked_s: float
    heard_s: float
    status: int | None = None
    run_id: str = ""
    answer: str | None = None
    events: tuple[int, ...] = ()
    why: str = ""


class Entry(Struct, frozen=True):
    """One message of a transcript, as the store has it at the end."""

    seq: int
    run_id: str
    role: str
    text: str


class Recorded(Struct, frozen=True):
    """A run, as the store has it at the end; those of a session are listed in order of arrival."""

    run_id: str
    session: str
    key: str
    status: RunStatus


class Billed(Struct, frozen=True):
    """A row of the ledger: what one execution of a run was, and how it ended."""

    run_id: str
    status: RunStatus


class Hold(Struct, frozen=True):
    """A session has a holder, or its lease is longer than before. `until_s` None = it is free from now on.
    `alive_until_s` is the end of the lease of its holder's process, as it was beaten last before another took
    over, which may be when both leases have ended. One that beats again after its lease has ended has stopped
    its runs by then: `unbroken_until_s` is that first end."""

    session: str
    token: int
    replica: str
    run_id: str
    at_s: float
    until_s: float | None
    alive_until_s: float = 0.0
    unbroken_until_s: float = 0.0


class Written(Struct, frozen=True):
    """An entry was written, by `replica`, while the session's token was `token`."""

    session: str
    seq: int
    run_id: str
    replica: str
    token: int


class Event(Struct, frozen=True):
    """One event of a run's log on the bus."""

    run_id: str
    token: int
    seq: int
    text: str = ""
    ends: bool = False


class Outage(Struct, frozen=True):
    """Nobody could take a run up: no replica was well, or the database was away. Seconds of its clock."""

    from_s: float
    until_s: float


class Befallen(Struct, frozen=True):
    """A trouble, and whom it befell; Unix seconds, and those of the database's clock where it never jumps."""

    what: str
    whom: str
    from_s: float
    until_s: float


class History(Struct, frozen=True):
    """`events` are the logs of runs whose bus nothing has befallen."""

    asked: tuple[Asked, ...] = ()
    transcripts: Mapping[str, tuple[Entry, ...]] = {}
    runs: tuple[Recorded, ...] = ()
    ledger: tuple[Billed, ...] = ()
    holds: tuple[Hold, ...] = ()
    written: tuple[Written, ...] = ()
    events: tuple[Event, ...] = ()
    outages: tuple[Outage, ...] = ()
