"""The Store protocol: everything that must not be lost.

Rules every implementation keeps (tests/sessions/store_contract.py holds them to it):
- a call that returned is on disk; a call that raised StoreError changed nothing;
- per session, runs are claimed one at a time in the order `begin` accepted them (FIFO);
- a claim's token is larger than every earlier token of its session; a writer with an old one is Fenced;
- `finish` is one atomic act: token check, the whole turn, the run's status and usage, the release;
- sequence numbers of a session have no gaps, and a turn's entries are adjacent.
"""

from typing import Protocol

from msgspec import Struct

from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunStatus, Usage


class NewRun(Struct, frozen=True):
    """A run to be recorded. `idempotency_key` is unique per owner; None = never a duplicate."""

    id: str
    owner: str
    session: str
    agent: str
    idempotency_key: str | None = None


class Claim(Struct, frozen=True):
    """The right to write to a session, until `lease_s` seconds after it was given or renewed."""

    run_id: str
    session: str
    token: int
    lease_s: float


class Entry(Struct, frozen=True):
    """One message of a transcript. `seq` counts from 1 without gaps."""

    seq: int
    run_id: str
    message: Message


class Summary(Struct, frozen=True):
    """Stands for all entries up to and including `covers_to_seq` when a model is called."""

    covers_to_seq: int
    text: str


class Transcript(Struct, frozen=True):
    """What a run continues: the newest summary (if any) and every entry after what it covers."""

    entries: tuple[Entry, ...] = ()
    summary: Summary | None = None


class RunRecord(Struct, frozen=True):
    """A run as the store remembers it. Times are Unix milliseconds."""

    id: str
    owner: str
    session: str
    agent: str
    status: RunStatus
    created_ms: int
    ended_ms: int | None = None
    usage: Usage | None = None
    error: ErrorInfo | None = None


class SessionRecord(Struct, frozen=True):
    """A session as listed. `active_run` is the run that holds it now; times are Unix milliseconds."""

    key: str
    owner: str
    agent: str
    created_ms: int
    updated_ms: int
    last_seq: int
    parent: str | None = None
    label: str | None = None
    active_run: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Claimed(Struct, frozen=True):
    """The session was free: the run holds it now, and this is what was said before.

    `previous_ms` is when the session last changed before this run; None for a new session.
    """

    claim: Claim
    transcript: Transcript
    previous_ms: int | None = None


class Queued(Struct, frozen=True):
    """The session is busy. `position` counts the runs before this one (1 = next)."""

    position: int


class Duplicate(Struct, frozen=True):
    """The owner has used this idempotency key (or run id) before: this is that run."""

    run: RunRecord


class Released(Struct, frozen=True):
    """`next_run` is now the session's oldest waiting run and may claim; ring it."""

    last_seq: int
    next_run: str | None


class StoreHealth(Struct, frozen=True):
    ok: bool
    detail: str = ""
    schema_version: int = 0


class Store(Protocol):
    """All coroutines raise StoreError (StoreFull when the disk is full)."""

    async def open(self) -> None:
        """Open, migrate, and close as "interrupted" every run that an earlier process left open."""

    async def close(self) -> None: ...

    async def health(self) -> StoreHealth: ...

    async def begin(self, run: NewRun, *, lease_s: float) -> Claimed | Queued | Duplicate:
        """Enqueue, and when the session is free also claim and read, in one act.

        Raises SessionBusy when the session already has the limit of waiting runs, Forbidden (code
        "session_taken") when the session is another owner's, and StoreError (code "run_id_taken") when
        the id is.
        """

    async def claim(self, run_id: str, *, lease_s: float) -> Claimed | None:
        """Claim for this run; None while another run holds the session or is before it.

        Raises StoreError (code "run_not_open") for a run that is not waiting.
        """

    async def renew(self, claim: Claim, *, lease_s: float) -> bool:
        """Extend the lease; True when somebody asked to abort the run. Raises Fenced."""

    async def finish(
        self,
        claim: Claim,
        turn: tuple[Message, ...],
        status: RunStatus,
        usage: Usage,
        error: ErrorInfo | None = None,
    ) -> Released:
        """End the run and append its turn, atomically. A repeat gets the first answer. Raises Fenced."""

    async def withdraw(self, run_id: str, status: RunStatus, error: ErrorInfo | None = None) -> Released:
        """End a run that is still waiting; nothing is appended. An ended run is left as it is.

        `next_run` is set only while the session is free. Raises StoreError (code "run_not_open") for a
        run that holds its session, or is unknown.
        """

    async def request_abort(self, run_id: str) -> bool:
        """Leave a durable wish that `renew` reports; False when the run is not open."""

    async def transcript(self, session: str, *, after: int = 0, limit: int = 200) -> tuple[Entry, ...]: ...

    async def fork(self, session: str, at_seq: int, into: str) -> SessionRecord:
        """A new session `into` with a copy of the entries up to `at_seq`; the old one is kept.

        Raises StoreError (code "session_exists" | "session_not_found").
        """

    async def summarise(self, session: str, covers_to_seq: int, text: str) -> Summary:
        """Add a summary; no entry is rewritten. An empty one starts the conversation anew.

        Raises StoreError (code "summary_outdated" | "session_not_found").
        """

    async def list_sessions(
        self, *, owner: str | None = None, agent: str | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[SessionRecord, ...]:
        """Newest first."""

    async def count_sessions(self, *, owner: str | None = None, agent: str | None = None) -> int: ...

    async def get_session(self, session: str) -> SessionRecord | None: ...

    async def patch_session(self, session: str, *, label: str | None) -> SessionRecord | None: ...

    async def delete_session(self, session: str) -> bool:
        """Delete a session with its runs and entries. Raises SessionBusy while a run holds it."""

    async def get_run(self, run_id: str) -> RunRecord | None: ...

    async def list_runs(
        self, *, session: str | None = None, status: RunStatus | None = None, limit: int = 100
    ) -> tuple[RunRecord, ...]:
        """Newest first."""
