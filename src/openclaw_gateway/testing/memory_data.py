"""What MemoryStore holds instead of a disk: runs, sessions, results, the ledger.

Plain data and the questions about it; when what may happen is the store's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import structs

from openclaw_gateway.sessions.retention import Retention
from openclaw_gateway.sessions.search_walk import Slice
from openclaw_gateway.sessions.searched import SearchWanted
from openclaw_gateway.sessions.searching import hit_of
from openclaw_gateway.sessions.spending import Spent
from openclaw_gateway.sessions.store import (
    Entry,
    LedgerRow,
    NewRun,
    Released,
    RunRecord,
    SessionRecord,
    Summary,
    beside,
)
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import RunStatus, Usage

INTERRUPTED = ErrorInfo(
    "This run was interrupted: send the request again.",
    "api_error",
    "run_interrupted",
    503,
    retry_after=1.0,
    retryable=True,
)


@dataclass
class MemoryRun:
    new: NewRun
    number: int
    created_ms: int
    status: RunStatus
    ended_ms: int | None = None
    usage: Usage | None = None
    error: ErrorInfo | None = None
    answer: Released | None = None
    wants_abort: bool = False
    answered_by: str | None = None

    def end(
        self, status: RunStatus, now: int, usage: Usage | None = None, error: ErrorInfo | None = None
    ) -> None:
        self.status, self.ended_ms, self.usage, self.error = status, now, usage, error

    def record(self) -> RunRecord:
        new, named = self.new, self.new.idempotency
        return RunRecord(
            new.id,
            new.owner,
            new.session,
            new.agent,
            self.status,
            self.created_ms,
            self.ended_ms,
            self.usage,
            self.error,
            named.digest if named else None,
            new.parent,
            named.key if named else None,
            self.answered_by,
        )


@dataclass
class MemorySession:
    """`made_by` is the run that was first in it, `token` the number of the one that holds or held it."""

    made_by: NewRun
    created_ms: int
    updated_ms: int
    entries: list[Entry] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    token: int = 0
    lease_until_ms: int | None = None
    waiting: list[MemoryRun] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    parent: str | None = None
    label: str | None = None

    @property
    def covered(self) -> int:
        return self.summary.covers_to_seq if self.summary else 0

    @property
    def summary(self) -> Summary | None:
        return self.summaries[-1] if self.summaries else None

    def summary_until(self, seq: int) -> Summary | None:
        if any(not each.text for each in self.summaries if each.covers_to_seq > seq):
            return Summary(seq, "") if seq else None
        covering = [each for each in self.summaries if each.covers_to_seq <= seq]
        return covering[-1] if covering else None

    @property
    def begun_behind(self) -> int:
        return max((each.covers_to_seq for each in self.summaries if not each.text), default=0)

    @property
    def size(self) -> int:
        return sum(len(entry.message.content) for entry in self.entries)

    def next_run(self) -> str | None:
        return self.waiting[0].new.id if self.waiting else None


@dataclass
class MemoryData:
    """What a disk would hold. Sessions are kept by (owner, key), runs by their id, in order of arrival."""

    sessions: dict[tuple[str, str], MemorySession] = field(default_factory=dict)
    runs: dict[str, MemoryRun] = field(default_factory=dict)
    results: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    kept: dict[tuple[str, str], tuple[int, bytes, tuple[str, ...]]] = field(default_factory=dict)
    ledger: list[LedgerRow] = field(default_factory=list)
    newest_number: int = 0

    def add(self, run: MemoryRun) -> None:
        self.newest_number = run.number
        self.runs[run.new.id] = run

    def session_of(self, run: MemoryRun) -> MemorySession:
        return self.sessions[run.new.owner, run.new.session or ""]

    def newest_of_key(self, owner: str, key: str) -> MemoryRun | None:
        for run in reversed(self.runs.values()):
            named = run.new.idempotency
            if run.new.owner == owner and named is not None and named.key == key:
                return run
        return None

    def leave_branch(self, session: MemorySession, keeps: int) -> None:
        """What a session was becomes one of its own, and it goes on behind its first `keeps` entries."""
        by = session.made_by
        key = f"{by.session}~fork:{session.token}"
        while (by.owner, key) in self.sessions:
            key += "~"
        self.sessions[by.owner, key] = MemorySession(
            structs.replace(by, session=key),
            session.created_ms,
            session.updated_ms,
            session.entries[:],
            session.summaries[:],
            parent=by.session,
            label="earlier branch",
        )
        del session.entries[keeps:]
        summary = session.summary_until(keeps)
        session.summaries = [each for each in session.summaries if each.covers_to_seq < keeps]
        if summary is not None and summary not in session.summaries:
            session.summaries.append(summary)

    def fork(self, session: MemorySession, keeps: int, key: str, now: int) -> None:
        """Of the first `keeps` entries of a session another one is made."""
        summary = session.summary_until(keeps)
        summaries = [each for each in session.summaries if each.covers_to_seq <= keeps]
        if summary is not None and summary not in summaries:
            summaries.append(summary)
        self.sessions[session.made_by.owner, key] = MemorySession(
            structs.replace(session.made_by, session=key),
            now,
            now,
            session.entries[:keeps],
            summaries,
            parent=session.made_by.session,
            label=session.label,
        )

    def looked_at(self, wanted: SearchWanted, key: str) -> Slice:
        """What a search finds in one session."""
        session = self.sessions.get((wanted.owner, key))
        entries = session.entries if session is not None else []
        since = session.begun_behind if session is not None else 0
        hits = []
        for entry in reversed(entries[since:]):
            run = self.runs.get(entry.run_id)
            asked = isinstance(entry.message, UserMessage)
            at_ms = 0 if run is None else run.created_ms if asked else run.ended_ms or run.created_ms
            hit = hit_of(key, entry, wanted.words, at_ms)
            hits += [] if hit is None else [hit]
        return Slice(tuple(hits), None, 0)

    def interrupt(self, now: int) -> None:
        """End every run that is open."""
        for run in self.runs.values():
            if run.ended_ms is None:
                run.end("interrupted", now, error=INTERRUPTED)
        for session in self.sessions.values():
            session.lease_until_ms = None
            session.waiting.clear()

    def delete(self, place: tuple[str, str]) -> None:
        """A session with all it has."""
        del self.sessions[place]
        owner, key = place
        self.kept.pop((owner, beside(key)), None)
        gone = [run_id for run_id, run in self.runs.items() if (run.new.owner, run.new.session) == place]
        for run_id in gone:
            del self.runs[run_id]
            self.results.pop(run_id, None)

    def beyond(self, retention: Retention, now: int) -> Iterator[tuple[str, str]]:
        """The sessions that are not to be kept."""
        count, size = len(self.sessions), sum(session.size for session in self.sessions.values())
        for place, session in sorted(self.sessions.items(), key=lambda item: item[1].updated_ms):
            idle_s = (now - session.updated_ms) / 1000
            is_old = retention.sessions_s is not None and idle_s > retention.sessions_s
            is_many = retention.max_sessions is not None and count > retention.max_sessions
            is_large = retention.max_bytes is not None and size > retention.max_bytes
            if not (is_old or is_many or is_large):
                return
            if session.lease_until_ms is None and not session.waiting:
                count -= 1
                size -= session.size
                yield place

    def listed(self, session: MemorySession) -> SessionRecord:
        by, usage = session.made_by, session.usage
        holder = [run.new.id for run in self.runs.values() if run.number == session.token]
        return SessionRecord(
            by.session or "",
            by.owner,
            by.agent,
            session.created_ms,
            session.updated_ms,
            len(session.entries),
            by.user,
            session.label,
            active_run=holder[0] if holder and session.lease_until_ms is not None else None,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
            parent=session.parent,
        )


def spent_by(row: LedgerRow, *, by_session: bool) -> Spent:
    return Spent(
        row.agent,
        row.model,
        row.session if by_session else None,
        1,
        int(row.status == "failed"),
        int(row.cost is None),
        row.prompt_tokens,
        row.completion_tokens,
        row.cost or 0.0,
        row.started_ms,
        row.started_ms,
        row.cached_tokens,
        row.cache_write_tokens,
        row.called,
    )
