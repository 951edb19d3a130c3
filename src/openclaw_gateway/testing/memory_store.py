"""A Store in memory: the protocol without a disk, for tests that bring their own gateway.

Keeps every rule of the contract but durability: what it holds lives as long as its `MemoryData`. A
second MemoryStore on the same data is a second process on the same disk.
"""

import time
from collections.abc import Callable, Sequence

from openclaw_gateway.errors import Fenced, SessionBusy, StoreError
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.sessions.search_walk import MOST_SESSIONS, Slice, walk
from openclaw_gateway.sessions.searched import Searched, SearchWanted
from openclaw_gateway.sessions.spending import SpendingWanted, Spent, added
from openclaw_gateway.sessions.store import (
    BESIDE,
    Begun,
    Claim,
    Claimed,
    Duplicate,
    Ending,
    Entry,
    LedgerRow,
    NewRun,
    Queued,
    Recorded,
    Released,
    RunRecord,
    SessionRecord,
    StoreHealth,
    Summary,
    Taken,
    Transcript,
)
from openclaw_gateway.testing.memory_data import INTERRUPTED, MemoryData, MemoryRun, MemorySession, spent_by
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import M
from openclaw_gateway.wire.run import RunStatus, Usage


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000


class MemoryStore:
    """`clock` dates events and ends leases, in milliseconds."""

    def __init__(
        self, data: MemoryData | None = None, *, max_queued: int = 64, clock: Callable[[], int] = _unix_ms
    ) -> None:
        self.data = data or MemoryData()
        self._max_queued = max_queued
        self._clock = clock
        self._is_open = False

    async def open(self) -> None:
        self._is_open = True
        self.data.interrupt(self._clock())

    async def close(self) -> None:
        if self._is_open:
            self.data.interrupt(self._clock())
        self._is_open = False

    async def health(self) -> StoreHealth:
        return StoreHealth(self._is_open, "" if self._is_open else "closed", 1)

    async def begin(self, run: NewRun, *, lease_s: float) -> Begun:
        data = self._opened()
        if run.idempotency is not None:
            earlier = self.data.newest_of_key(run.owner, run.idempotency.key)
            if earlier is not None and (earlier.ended_ms is None or earlier.new.id in data.results):
                return Duplicate(earlier.record())
        known = data.runs.get(run.id)
        if known is not None:
            if known.new.owner != run.owner:
                raise StoreError("This run id is taken: choose another one.", code="run_id_taken")
            return Duplicate(known.record())
        now = self._clock()
        created_ms = now if run.created_ms is None else run.created_ms
        added = MemoryRun(run, data.newest_number + 1, created_ms, "running")
        if run.session is None:
            data.add(added)
            return Recorded()
        place = (run.owner, run.session)
        session = data.sessions.get(place)
        is_new = session is None
        if session is None:
            session = data.sessions[place] = MemorySession(run, now, now)
        if not session.waiting and not self._is_held(session):
            data.add(added)
            return self._hand_over(added, session, lease_s, None if is_new else session.updated_ms)
        if len(session.waiting) >= self._max_queued:
            raise SessionBusy(
                f"This session already has {len(session.waiting)} runs waiting.", retry_after=1.0
            )
        added.status = "queued"
        data.add(added)
        session.waiting.append(added)
        return Queued(len(session.waiting) - 1 + (session.lease_until_ms is not None))

    async def claim(self, run_id: str, *, lease_s: float) -> Claimed | None:
        run = self._opened().runs.get(run_id)
        if run is None or run.status != "queued":
            raise _not_open()
        session = self.data.session_of(run)
        if self._is_held(session) or session.waiting[0] is not run:
            return None
        session.waiting.pop(0)
        run.status = "running"
        return self._hand_over(run, session, lease_s, session.updated_ms)

    async def read(self, claim: Claim) -> Transcript:
        _, session = self._held(claim)
        return Transcript(tuple(session.entries[session.covered :]), session.summary)

    async def renew(self, claim: Claim, *, lease_s: float) -> Signal | None:
        run, session = self._held(claim)
        session.lease_until_ms = self._clock() + int(lease_s * 1000)
        return "abort" if run.wants_abort else None

    async def finish(self, claim: Claim, ending: Ending) -> Released:
        _require_ended(ending.status)
        run = self._opened().runs.get(claim.run_id)
        if run is not None and run.answer is not None and _is_of(claim, run):
            return run.answer
        run, session = self._held(claim)
        now = self._clock()
        if ending.keeps is not None and ending.keeps < len(session.entries):
            self.data.leave_branch(session, ending.keeps)
        taken_from = {each.at: each.run_id for each in ending.taken}
        for at, message in enumerate(ending.turn):
            seq = len(session.entries) + 1
            session.entries.append(Entry(seq, run.new.id, message, ending.alone, taken_from.get(at, "")))
        for each in ending.taken:
            self._end_taken(run, session, each, ending, now)
        if ending.turn:
            session.updated_ms = now
        session.usage += ending.usage
        session.lease_until_ms = None
        self._end(run, ending, now)
        run.answer = Released(len(session.entries), session.next_run())
        return run.answer

    async def conclude(self, run_id: str, ending: Ending, *, token: int | None = None) -> None:
        _require_ended(ending.status)
        run = self._opened().runs.get(run_id)
        if run is None or run.new.session is not None:
            raise _not_open()
        if run.ended_ms is None:
            self._end(run, ending, self._clock())

    async def withdraw(self, run_id: str, status: RunStatus, error: ErrorInfo | None = None) -> Released:
        _require_ended(status)
        run = self._opened().runs.get(run_id)
        if run is None or run.status == "running" or run.new.session is None:
            raise _not_open()
        session = self.data.session_of(run)
        if run.status == "queued":
            session.waiting.remove(run)
            run.end(status, self._clock(), error=error)
        return Released(
            len(session.entries), None if session.lease_until_ms is not None else session.next_run()
        )

    async def request_abort(self, owner: str, run_id: str) -> bool:
        run = self._run_of(owner, run_id)
        if run is None or run.ended_ms is not None:
            return False
        run.wants_abort = True
        return True

    async def open_runs(self, owner: str, session: str) -> tuple[str, ...]:
        runs = self._opened().runs.values()
        place = (owner, session)
        return tuple(r.new.id for r in runs if (r.new.owner, r.new.session) == place and r.ended_ms is None)

    async def runs_of(
        self,
        owner: str,
        session: str,
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[RunRecord, ...]:
        runs = self._opened().runs.values()
        found = [run.record() for run in runs if (run.new.owner, run.new.session) == (owner, session)]
        if newest_first:
            found.reverse()
        ids = [run.id for run in found]
        if after is not None:
            found = found[ids.index(after) + 1 :] if after in ids else []
        return tuple(found[:limit])

    async def get_run(self, owner: str, run_id: str) -> RunRecord | None:
        run = self._run_of(owner, run_id)
        return run.record() if run else None

    async def run_by_key(self, owner: str, key: str) -> RunRecord | None:
        self._opened()
        run = self.data.newest_of_key(owner, key)
        return run.record() if run else None

    async def result(self, owner: str, run_id: str) -> bytes | None:
        kept = self.data.results.get(run_id) if self._run_of(owner, run_id) else None
        return kept[1] if kept else None

    async def keep(self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = ()) -> None:
        self._opened().kept.setdefault((owner, name), (self._clock(), body, labels))

    async def rekeep(
        self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = (), *, anew: bool = False
    ) -> bool:
        found = self._opened().kept.get((owner, name))
        if found is None:
            return False
        self.data.kept[owner, name] = (self._clock() if anew else found[0], body, labels)
        return True

    async def kept(self, owner: str, name: str) -> bytes | None:
        found = self._opened().kept.get((owner, name))
        return found and found[1]

    async def kept_names(
        self,
        owner: str,
        labels: tuple[str, ...],
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[str, ...] | None:
        places = [place for place in self._opened().kept if place[0] == owner]
        if newest_first:
            places.reverse()
        if after is not None:
            if (owner, after) not in places:
                return None
            places = places[places.index((owner, after)) + 1 :]
        found = [name for _, name in places if set(labels) <= set(self.data.kept[owner, name][2])]
        return tuple(found[:limit])

    async def forget(self, owner: str, name: str) -> bool:
        return self._opened().kept.pop((owner, name), None) is not None

    async def transcript(
        self, owner: str, session: str, *, after: int = 0, limit: int = 200
    ) -> tuple[Entry, ...]:
        found = self._opened().sessions.get((owner, session))
        after = max(0, after)
        return tuple(found.entries[after : after + limit]) if found else ()

    async def whole(self, one: M) -> M:
        return one

    async def summarise(
        self, owner: str, session: str, covers_to_seq: int, text: str, *, earlier: bool = False
    ) -> Summary:
        found = self._opened().sessions.get((owner, session))
        if found is None:
            raise StoreError("There is no session of that name.", code="session_not_found")
        summary = Summary(covers_to_seq, text)
        if earlier and 0 < covers_to_seq < found.covered:
            if all(each.covers_to_seq != covers_to_seq for each in found.summaries):
                found.summaries.append(summary)
                found.summaries.sort(key=lambda each: each.covers_to_seq)
        elif found.summary != summary:
            if not found.covered < covers_to_seq <= len(found.entries):
                raise StoreError("A summary must cover more than the one before.", code="summary_outdated")
            found.summaries.append(summary)
        return summary

    async def summary_until(self, owner: str, session: str, seq: int) -> Summary | None:
        found = self._opened().sessions.get((owner, session))
        return None if found is None else found.summary_until(seq)

    async def begun_behind(self, owner: str, session: str) -> int:
        found = self._opened().sessions.get((owner, session))
        return found.begun_behind if found else 0

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
        found = [
            session
            for session in self._opened().sessions.values()
            if session.made_by.owner == owner and agent in {None, session.made_by.agent}
            if branches or self.data.listed(session).parent is None
        ]
        found.reverse()
        found.sort(key=lambda session: session.updated_ms, reverse=True)
        if oldest_first:
            found.reverse()
        keys = [session.made_by.session for session in found]
        if after is not None:
            found = found[keys.index(after) + 1 :] if after in keys else []
        return tuple(map(self.data.listed, found[offset : offset + limit]))

    async def count_sessions(self, owner: str, *, agent: str | None = None) -> int:
        return len(await self.list_sessions(owner, agent=agent, limit=len(self.data.sessions)))

    async def get_session(self, owner: str, session: str) -> SessionRecord | None:
        found = self._opened().sessions.get((owner, session))
        return self.data.listed(found) if found else None

    async def rename(self, owner: str, session: str, label: str | None) -> bool:
        found = self._opened().sessions.get((owner, session))
        if found is not None:
            found.label = label
        return found is not None

    async def fork(self, owner: str, session: str, keeps: int, key: str) -> bool:
        found = self._opened().sessions.get((owner, session))
        if found is None or not 0 <= keeps <= len(found.entries):
            return False
        if (owner, key) in self.data.sessions:
            raise StoreError("There is a session of that name already.")
        self.data.fork(found, keeps, key, self._clock())
        return True

    async def search(self, wanted: SearchWanted) -> Searched:
        self._opened()

        async def look(key: str, _: int | None) -> Slice:
            return self.data.looked_at(wanted, key)

        listed = await self.list_sessions(wanted.owner, agent=wanted.agent, limit=MOST_SESSIONS + 1)
        keys = wanted.sessions if wanted.sessions is not None else [record.key for record in listed]
        return await walk(keys, look, wanted.limit)

    async def delete_session(self, owner: str, session: str) -> bool:
        found = self._opened().sessions.get((owner, session))
        if found is None:
            return False
        if found.waiting or self._is_held(found):
            raise SessionBusy("A run holds this session or waits for it.", retry_after=1.0)
        self.data.delete((owner, session))
        return True

    async def record(self, rows: Sequence[LedgerRow]) -> None:
        self._opened().ledger += rows

    async def spent(self, wanted: SpendingWanted) -> tuple[Spent, ...]:
        return added(
            spent_by(row, by_session=wanted.sessions is not None)
            for row in self._opened().ledger
            if row.owner == wanted.owner
            and wanted.since_ms <= row.started_ms < wanted.until_ms
            and wanted.agent in (None, row.agent)
            and (wanted.sessions is None or row.session in wanted.sessions)
        )

    async def prune(self, retention: Retention) -> Pruned:
        data, now = self._opened(), self._clock()
        sessions = list(data.beyond(retention, now))
        for place in sessions:
            self.data.delete(place)
        results = [run for run, (kept, _) in data.results.items() if kept < now - retention.results_s * 1000]
        for run_id in results:
            del data.results[run_id]
        old = now - retention.runs_s * 1000
        runs = [r for r, run in data.runs.items() if (run.ended_ms or now) < old and r not in data.results]
        for run_id in runs:
            del data.runs[run_id]
        ledger = len(data.ledger)
        data.ledger = [row for row in data.ledger if row.started_ms >= now - retention.ledger_s * 1000]
        kept = [place for place, (at, *_) in data.kept.items() if at < now - retention.kept_s * 1000]
        for place in kept:
            del data.kept[place]
        room = retention.kept_bytes
        for place in [place for place in reversed(data.kept) if not place[1].startswith(BESIDE)]:
            room -= len(data.kept[place][1])
            if room < 0:
                kept.append(place)
                del data.kept[place]
        return Pruned(len(sessions), len(runs), len(results), ledger - len(data.ledger), len(kept))

    def _opened(self) -> MemoryData:
        if not self._is_open:
            raise StoreError("The session store is closed: the gateway is starting or stopping.")
        return self.data

    def _end(self, run: MemoryRun, ending: Ending, now: int) -> None:
        run.end(ending.status, now, ending.usage, ending.error)
        if ending.result is not None:
            self.data.results[run.new.id] = (now, ending.result)

    def _end_taken(
        self, by: MemoryRun, session: MemorySession, taken: Taken, ending: Ending, now: int
    ) -> None:
        run = self.data.runs.get(taken.run_id)
        if run is not None and run in session.waiting:
            session.waiting.remove(run)
            run.end(ending.status, now, Usage(), ending.error)
            run.answered_by = by.new.id
            if taken.result is not None:
                self.data.results[run.new.id] = (now, taken.result)

    def _hand_over(
        self, run: MemoryRun, session: MemorySession, lease_s: float, previous_ms: int | None
    ) -> Claimed:
        if session.lease_until_ms is not None:
            lost = next(each for each in self.data.runs.values() if each.number == session.token)
            lost.end("interrupted", self._clock(), error=INTERRUPTED)
        session.token = run.number
        session.lease_until_ms = self._clock() + int(lease_s * 1000)
        claim = Claim(run.new.id, run.new.owner, run.new.session or "", run.number, lease_s)
        # Never with the claim: so those who use this store learn to read.
        nothing = None if session.entries else Transcript()
        return Claimed(claim, session.covered, len(session.entries), previous_ms, nothing)

    def _held(self, claim: Claim) -> tuple[MemoryRun, MemorySession]:
        run = self._opened().runs.get(claim.run_id)
        if run is None or run.status != "running" or not _is_of(claim, run):
            raise Fenced("A newer run holds this session: this one may no longer touch it.")
        return run, self.data.session_of(run)

    def _is_held(self, session: MemorySession) -> bool:
        return session.lease_until_ms is not None and session.lease_until_ms > self._clock()

    def _run_of(self, owner: str, run_id: str) -> MemoryRun | None:
        run = self._opened().runs.get(run_id)
        return run if run is not None and run.new.owner == owner else None


def _is_of(claim: Claim, run: MemoryRun) -> bool:
    return (claim.owner, claim.session, claim.token) == (run.new.owner, run.new.session, run.number)


def _require_ended(status: RunStatus) -> None:
    if status in {"queued", "running"}:
        raise ValueError(f"a run cannot end as {status!r}")


def _not_open() -> StoreError:
    return StoreError("This run is not waiting for its session.", code="run_not_open")
