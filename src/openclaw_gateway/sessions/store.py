"""The Store protocol: everything that must not be lost.

Rules every implementation keeps (tests/sessions/store_contract.py holds them to it):
- a call that returned is on disk; a call that raised StoreError changed nothing;
- a session is its owner's: its name is unique per owner, and nothing of another owner's is ever found;
- per session, runs are claimed one at a time in the order `begin` accepted them (FIFO);
- a claim's token is larger than every earlier token of its session; a writer with an old one is Fenced;
- `finish` is one atomic act: token check, the whole turn, the run's status, usage and result, the release,
  and the end of the waiting runs whose messages it has taken up;
- sequence numbers of a session have no gaps, and a turn's entries are adjacent;
- nothing that was said is lost but with its session: a branch that is left is kept whole, as a session.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.sessions.searched import Searched, SearchWanted
from openclaw_gateway.sessions.spending import SpendingWanted, Spent
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import M, Message
from openclaw_gateway.wire.run import Idempotency, RunStatus, Usage


class NewRun(Struct, frozen=True):
    """A run to be recorded. The gateway makes the id.

    `session` None: the run has no session to wait for and leaves no turn. `user` is the end user whom the
    request named, `parent` the id of the run that started this one. `work` is all that another process needs
    to execute it, for a store that several share; the others pass it over. One that is `given` is not
    claimed by `begin`: whoever has room takes it up. `created_ms` is what its client is told, Unix
    milliseconds; None = now.
    """

    id: str
    owner: str
    session: str | None
    agent: str
    user: str | None = None
    parent: str | None = None
    idempotency: Idempotency | None = None
    work: bytes | None = None
    given: bool = False
    created_ms: int | None = None


class Claim(Struct, frozen=True):
    """The right to write to a session, until `lease_s` seconds after it was given or renewed."""

    run_id: str
    owner: str
    session: str
    token: int
    lease_s: float


class Entry(Struct, frozen=True, omit_defaults=True):
    """One message of a transcript. `seq` counts from 1 without gaps. Large images may be references. `alone`:
    it is of a turn whose client sent its newest message only, to a session that held others. `taken_from` is
    the run whose message it was, where the run `run_id` has taken it up."""

    seq: int
    run_id: str
    message: Message
    alone: bool = False
    taken_from: str = ""


class Summary(Struct, frozen=True):
    """Stands for all entries up to and including `covers_to_seq` when a model is called."""

    covers_to_seq: int
    text: str


class Transcript(Struct, frozen=True):
    """What a run continues: the newest summary (if any) and every entry after what it covers."""

    entries: tuple[Entry, ...] = ()
    summary: Summary | None = None


class Taken(Struct, frozen=True):
    """A run that waits for the session, and whose message the run that ends has taken up. `at` is where in
    the turn that message stands, None = the turn does not have it; `result` is as in `Ending`."""

    run_id: str
    at: int | None
    result: bytes | None = None


class Ending(Struct, frozen=True):
    """How a run ends. `turn` is what it adds to its session.

    `result` is the whole answer in the caller's own encoding: the run's idempotency key stays taken
    exactly as long as a result is kept. Without one, the next request of that key is a new run.

    With `keeps` the session goes on behind that entry: as it was until now it becomes a session of its own,
    `<key>~fork:<number>`, and summaries of what is left fall away. `alone` is said of the turn's entries.

    Those in `taken` that still wait end with it, as it does; their tokens are among its own.
    """

    status: RunStatus
    usage: Usage = Usage()
    turn: tuple[Message, ...] = ()
    error: ErrorInfo | None = None
    result: bytes | None = None
    keeps: int | None = None
    alone: bool = False
    taken: tuple[Taken, ...] = ()


class RunRecord(Struct, frozen=True):
    """A run as the store remembers it. Times are Unix milliseconds; `digest` is that of its request, `name`
    what its client calls it, `answered_by` the run that has taken up its message, `attempts` how often its
    execution was begun, as far as others than one process can do that."""

    id: str
    owner: str
    session: str | None
    agent: str
    status: RunStatus
    created_ms: int
    ended_ms: int | None = None
    usage: Usage | None = None
    error: ErrorInfo | None = None
    digest: bytes | None = None
    parent: str | None = None
    name: str | None = None
    answered_by: str | None = None
    attempts: int = 1


class SessionRecord(Struct, frozen=True):
    """A session as listed. `active_run` is the run that holds it now; times are Unix milliseconds.

    `user` is the end user whom the request that made the session named. `parent` is the key of the session
    of which this is a fork, or a branch that was left.
    """

    key: str
    owner: str
    agent: str
    created_ms: int
    updated_ms: int
    last_seq: int
    user: str | None = None
    label: str | None = None
    active_run: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    parent: str | None = None


class LedgerRow(Struct, frozen=True):
    """What one run was and cost; not a word of what was said. `cost` None = not known.

    `started_ms` is Unix milliseconds, `error_code` that of the run's error. `called` counts calls of tools.
    `prompt_tokens` includes those read from the provider's cache, and those written to it.
    """

    run_id: str
    owner: str
    agent: str
    session: str | None
    model: str
    door: str
    status: RunStatus
    started_ms: int
    duration_ms: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    error_code: str | None = None
    parent: str | None = None
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    called: int = 0


class Claimed(Struct, frozen=True):
    """The session was free: the run holds it now.

    It continues the newest summary, if there is one, and the entries `after_seq` < seq <= `last_seq`.
    `transcript` is that, where it is short; None = long: `read` gets it. `previous_ms` is when the
    session last changed before this run; None for a new session.
    """

    claim: Claim
    after_seq: int = 0
    last_seq: int = 0
    previous_ms: int | None = None
    transcript: Transcript | None = None


class Queued(Struct, frozen=True):
    """The session is busy. `position` counts the runs before this one (1 = next)."""

    position: int


class Recorded(Struct, frozen=True):
    """The run is on disk; it has no session to wait for."""


class Duplicate(Struct, frozen=True):
    """The owner's idempotency key is taken, or the run id: this is the run that has it."""

    run: RunRecord


Begun = Claimed | Queued | Recorded | Duplicate


class Released(Struct, frozen=True):
    """`next_run` is now the session's oldest waiting run and may claim; ring it."""

    last_seq: int
    next_run: str | None


# In seconds: a store that takes longer to say how it is counts as unwell.
HEALTH_S = 5.0


class StoreHealth(Struct, frozen=True):
    ok: bool
    detail: str = ""
    schema_version: int = 0


BESIDE = "session:"


def beside(session: str) -> str:
    """The name under which something is kept for as long as there is this session, at most."""
    return BESIDE + session


class Store(Protocol):
    """All coroutines raise StoreError (StoreFull when the disk is full)."""

    async def open(self) -> None:
        """Open, migrate, and close as "interrupted" every run that an earlier process left open."""

    async def close(self) -> None:
        """Finish what was asked, close as "interrupted" every run that is still open, let go of the files."""

    async def health(self) -> StoreHealth:
        """Whether the store takes writes, and what it has written is still there. Never raises."""

    async def begin(self, run: NewRun, *, lease_s: float) -> Begun:
        """Enqueue, and when the session is free also claim, in one act. Without a session: record.

        Raises SessionBusy when the session already has the limit of waiting runs, and StoreError (code
        "run_id_taken") when the id is another owner's run.
        """

    async def claim(self, run_id: str, *, lease_s: float) -> Claimed | None:
        """Claim for this run; None while another run holds the session or is before it.

        Raises StoreError (code "run_not_open") for a run that is not waiting.
        """

    async def read(self, claim: Claim) -> Transcript:
        """What the run continues. Raises Fenced when the claim is not held, or no longer at the end."""

    async def renew(self, claim: Claim, *, lease_s: float) -> Signal | None:
        """Extend the lease; what the run is asked to do, where it is to end. Raises Fenced."""

    async def finish(self, claim: Claim, ending: Ending) -> Released:
        """End the run and append its turn, atomically. A repeat gets the first answer. Raises Fenced."""

    async def conclude(self, run_id: str, ending: Ending, *, token: int | None = None) -> None:
        """End a run that has no session. The first end stands. `token` is that under which it was executed, 0
        of one that was begun here: with a newer one, or at another process, this one is Fenced, also where it
        has ended there. None: whoever has it.

        Raises StoreError (code "run_not_open") for a run that has a session, or is unknown.
        """

    async def withdraw(self, run_id: str, status: RunStatus, error: ErrorInfo | None = None) -> Released:
        """End a run that is still waiting; nothing is appended. An ended run is left as it is.

        `next_run` is set only while the session is free. Raises StoreError (code "run_not_open") for a
        run that holds its session or has none, or is unknown.
        """

    async def request_abort(self, owner: str, run_id: str) -> bool:
        """Leave a durable wish that `renew` reports; False when the run is not open, or not the owner's."""

    async def open_runs(self, owner: str, session: str) -> tuple[str, ...]:
        """The runs of a session that hold it or wait for it, in order of arrival."""

    async def runs_of(
        self,
        owner: str,
        session: str,
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[RunRecord, ...]:
        """The runs of a session in order of arrival, behind the run `after`; none behind an unknown one."""

    async def get_run(self, owner: str, run_id: str) -> RunRecord | None: ...

    async def run_by_key(self, owner: str, key: str) -> RunRecord | None:
        """The newest run of an idempotency key, whether or not the key is still taken."""

    async def result(self, owner: str, run_id: str) -> bytes | None:
        """The kept result of a run; None when there is none (any more)."""

    async def keep(self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = ()) -> None:
        """Keep something of this owner's under a name, for as long as `Retention.kept_s`; what is kept under
        it already stays. It can be listed by its labels. What is kept `beside` a session goes with it."""

    async def rekeep(
        self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = (), *, anew: bool = False
    ) -> bool:
        """Keep something else, with other labels, in the place of what is kept under a name, and not longer
        than that unless `anew`; False when there is nothing."""

    async def kept(self, owner: str, name: str) -> bytes | None: ...

    async def kept_names(
        self,
        owner: str,
        labels: tuple[str, ...],
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[str, ...] | None:
        """The names of what has all of these labels (at least one), in the order in which it was kept; the
        rarest label is best named first. None where nothing is kept under the name `after`."""

    async def forget(self, owner: str, name: str) -> bool:
        """Drop what is kept under a name; False when there is nothing."""

    async def transcript(
        self, owner: str, session: str, *, after: int = 0, limit: int = 200
    ) -> tuple[Entry, ...]: ...

    async def whole(self, one: M) -> M:
        """An image or file with its data. Raises StoreError (code "store_corrupt" = it is lost)."""

    async def summarise(
        self, owner: str, session: str, covers_to_seq: int, text: str, *, earlier: bool = False
    ) -> Summary:
        """Add a summary; no entry is rewritten. An empty one starts the conversation anew. With `earlier` it
        may cover less than the newest: it counts once the session is left behind it (`Ending.keeps`).

        Raises StoreError (code "summary_outdated" | "session_not_found").
        """

    async def summary_until(self, owner: str, session: str, seq: int) -> Summary | None:
        """The summary that a session has once no entry behind `seq` is left of it: the newest that covers no
        more, and where it was begun anew later than that, an empty one over all."""

    async def begun_behind(self, owner: str, session: str) -> int:
        """Behind which entry the conversation was begun anew last; 0 = it never was, or there is none."""

    async def list_sessions(
        self,
        owner: str,
        *,
        agent: str | None = None,
        limit: int = 100,
        offset: int = 0,
        after: str | None = None,
        oldest_first: bool = False,
        branches: bool = True,
    ) -> tuple[SessionRecord, ...]:
        """By when they last changed, newest first; behind the session `after`, none behind an unknown one. On
        request without those that another session has left behind."""

    async def count_sessions(self, owner: str, *, agent: str | None = None) -> int: ...

    async def get_session(self, owner: str, session: str) -> SessionRecord | None: ...

    async def rename(self, owner: str, session: str, label: str | None) -> bool:
        """Give a session a name for people, or take it away; False when there is no session."""

    async def fork(self, owner: str, session: str, keeps: int, key: str) -> bool:
        """Make a session of this key of the first `keeps` entries of another, its `parent`, which stays as it
        is; False when there is none, or it has not so many. Raises StoreError where the key is taken."""

    async def delete_session(self, owner: str, session: str) -> bool:
        """Delete a session with its runs and entries. Raises SessionBusy while a run holds it."""

    async def search(self, wanted: SearchWanted) -> Searched:
        """Messages of the owner's transcripts that hold the words, the newest first; what was said before a
        session was begun anew is not looked at. It looks as far as `search_walk` says, and then tells so."""

    async def record(self, rows: Sequence[LedgerRow]) -> None:
        """Append to the ledger, all or nothing."""

    async def spent(self, wanted: SpendingWanted) -> tuple[Spent, ...]:
        """Sums of the ledger, by agent and model; what took most tokens first."""

    async def prune(self, retention: Retention) -> Pruned:
        """Drop what `retention` does not keep, little by little: nobody waits for it.

        A session that a run holds or waits for is never dropped.
        """
