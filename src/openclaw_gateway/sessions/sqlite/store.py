"""SqliteStore: the Store of one node, a single file with one writer.

Only hands work to its two threads: runs, endings, branches, sessions, kept, ledger and pruning say what a
write does, reads, search and spending what a look-up does, thread how they are committed and answered.
Nothing here blocks the event loop.

A caller that is cancelled while it waits loses the answer, not the operation: whoever must know the
outcome of `begin`, `claim`, `finish` or `withdraw` shields the call and awaits it.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.sessions.search_walk import MOST_SESSIONS, Slice, walk
from openclaw_gateway.sessions.searched import Searched, SearchWanted
from openclaw_gateway.sessions.spending import SpendingWanted, Spent, added
from openclaw_gateway.sessions.sqlite import (
    branches,
    kept,
    ledger,
    pruning,
    reads,
    search,
    spending,
)
from openclaw_gateway.sessions.sqlite.blobs import Blobs
from openclaw_gateway.sessions.sqlite.endings import EndingWrites
from openclaw_gateway.sessions.sqlite.guard import FileGuard
from openclaw_gateway.sessions.sqlite.kept import Room
from openclaw_gateway.sessions.sqlite.migration import drop_copy
from openclaw_gateway.sessions.sqlite.runs import RunWrites
from openclaw_gateway.sessions.sqlite.schema import connect, connect_reader
from openclaw_gateway.sessions.sqlite.sessions import SessionWrites
from openclaw_gateway.sessions.sqlite.thread import SqliteThread
from openclaw_gateway.sessions.store import (
    HEALTH_S,
    Begun,
    Claim,
    Claimed,
    Ending,
    Entry,
    LedgerRow,
    NewRun,
    Released,
    RunRecord,
    SessionRecord,
    StoreHealth,
    Summary,
    Transcript,
)
from openclaw_gateway.sessions.wanted import Given, WantedNames, WantedRuns, WantedSessions
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import M
from openclaw_gateway.wire.run import RunStatus

_CLOSE_DEADLINE_S = 20.0
_BURIED_AT_ONCE = 100
log = structlog.get_logger()


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class SqliteStore:
    """`path` is made, with its directory, if need be. `clock` dates events, `lease_clock` ends leases."""

    def __init__(
        self,
        path: Path,
        *,
        max_queued: int = 64,
        clock: Callable[[], int] = unix_ms,
        lease_clock: Callable[[], int] = monotonic_ms,
    ) -> None:
        self._path = path
        self._clock = clock
        self._runs = RunWrites(max_queued=max_queued, clock=clock, lease_clock=lease_clock)
        self._endings = EndingWrites(clock=clock)
        self._sessions = SessionWrites(clock=clock, lease_clock=lease_clock)
        blobs = path.with_name("blobs")
        self._blobs = Blobs(blobs)
        self._guard = FileGuard(path)
        check = self._guard.check
        self._writer = SqliteThread(
            "store-writer", partial(connect, path, blobs), group_commit=True, guard=check
        )
        self._reader = SqliteThread(
            "store-reader", partial(connect_reader, path), group_commit=False, guard=check
        )

    def go_by(self, *, max_queued: int) -> None:
        """For the runs that come from now on."""
        self._runs.max_queued = max_queued

    async def open(self) -> None:
        await self._writer.start()
        try:
            await self._reader.start()
            closed = await self._writer.submit(self._endings.interrupt)
            self._guard.remember()
        except BaseException:
            await self._stop()
            raise
        if closed:
            log.warning("store.runs_interrupted", runs=closed)

    async def close(self) -> None:
        """Safe to repeat."""
        if not self._writer.is_open:
            await self._stop()
            return
        try:
            await self._writer.submit(self._endings.interrupt)
        except StoreError as error:
            # The next start does it.
            log.warning("store.runs_left_open", error=error.message)
            await self._stop()
            return
        await self._stop()
        drop_copy(self._path)

    async def _stop(self) -> None:
        try:
            await self._blobs.stop(_CLOSE_DEADLINE_S)
            await self._reader.stop(_CLOSE_DEADLINE_S)
        finally:
            await self._writer.stop(_CLOSE_DEADLINE_S)
            self._guard.forget()

    async def health(self) -> StoreHealth:
        """Reads; writes only when the newest write failed, to see whether that is over."""
        try:
            async with asyncio.timeout(HEALTH_S):
                version = await self._reader.submit(reads.schema_version)
                if self._writer.trouble is not None:
                    await self._writer.submit(self._sessions.probe)
        except TimeoutError:
            return StoreHealth(ok=False, detail=f"no answer within {HEALTH_S:g} s")
        except StoreError as error:
            return StoreHealth(ok=False, detail=error.message)
        return StoreHealth(ok=True, schema_version=version)

    async def begin(self, run: NewRun, *, lease_s: float) -> Begun:
        return await self._writer.submit(self._runs.begin, run, lease_s)

    async def claim(self, run_id: str, *, lease_s: float) -> Claimed | None:
        return await self._writer.submit(self._runs.claim, run_id, lease_s)

    async def read(self, claim: Claim) -> Transcript:
        submit = self._reader.submit
        hold = await submit(reads.held, claim)
        summary = await submit(reads.summary_of, hold.number, hold.covered_seq)
        read: list[Entry] = []
        seq = hold.covered_seq
        while seq < hold.last_seq:
            read += await submit(reads.page, hold.number, seq, hold.last_seq)
            seq = read[-1].seq
        await submit(reads.held, claim)
        return Transcript(tuple(read), summary)

    async def renew(self, claim: Claim, *, lease_s: float) -> Signal | None:
        return await self._writer.submit(self._runs.renew, claim, lease_s)

    async def finish(self, claim: Claim, ending: Ending) -> Released:
        turn = await self._blobs.set_aside(ending.turn)
        if turn is not ending.turn:
            ending = replace(ending, turn=turn)
        return await self._writer.submit(self._endings.finish, claim, ending)

    async def conclude(self, run_id: str, ending: Ending, *, token: int | None = None) -> None:
        await self._writer.submit(self._endings.conclude, run_id, ending)

    async def withdraw(self, run_id: str, status: RunStatus, error: ErrorInfo | None = None) -> Released:
        return await self._writer.submit(self._endings.withdraw, run_id, status, error)

    async def request_abort(self, owner: str, run_id: str) -> bool:
        return await self._writer.submit(self._runs.request_abort, owner, run_id)

    async def open_runs(self, owner: str, session: str) -> tuple[str, ...]:
        return await self._reader.submit(reads.open_runs, owner, session)

    async def runs_of(
        self,
        owner: str,
        session: str,
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[RunRecord, ...]:
        wanted = WantedRuns(owner, session, after, limit, newest_first)
        return await self._reader.submit(reads.runs_of, wanted)

    async def get_run(self, owner: str, run_id: str) -> RunRecord | None:
        return await self._reader.submit(reads.get_run, owner, run_id)

    async def run_by_key(self, owner: str, key: str) -> RunRecord | None:
        return await self._reader.submit(reads.run_by_key, owner, key)

    async def result(self, owner: str, run_id: str) -> bytes | None:
        return await self._reader.submit(reads.result, owner, run_id)

    async def keep(self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = ()) -> None:
        await self._writer.submit(kept.keep, Given(owner, name, body, labels), self._clock())

    async def rekeep(
        self, owner: str, name: str, body: bytes, labels: tuple[str, ...] = (), *, anew: bool = False
    ) -> bool:
        given = Given(owner, name, body, labels)
        return await self._writer.submit(kept.rekeep, given, self._clock() if anew else None)

    async def kept(self, owner: str, name: str) -> bytes | None:
        return await self._reader.submit(kept.kept, owner, name)

    async def kept_names(
        self,
        owner: str,
        labels: tuple[str, ...],
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[str, ...] | None:
        wanted = WantedNames(owner, labels, after, limit, newest_first)
        return await self._reader.submit(kept.names, wanted)

    async def forget(self, owner: str, name: str) -> bool:
        return await self._writer.submit(kept.forget, owner, name)

    async def transcript(
        self, owner: str, session: str, *, after: int = 0, limit: int = 200
    ) -> tuple[Entry, ...]:
        return await self._reader.submit(reads.transcript, owner, session, after, limit)

    async def whole(self, one: M) -> M:
        return await self._blobs.whole(one)

    async def summary_until(self, owner: str, session: str, seq: int) -> Summary | None:
        return await self._reader.submit(reads.summary_of_key, owner, session, seq)

    async def begun_behind(self, owner: str, session: str) -> int:
        return await self._reader.submit(reads.begun_behind, owner, session)

    async def summarise(
        self, owner: str, session: str, covers_to_seq: int, text: str, *, earlier: bool = False
    ) -> Summary:
        return await self._writer.submit(
            self._sessions.summarise, owner, session, Summary(covers_to_seq, text), earlier
        )

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
        wanted = WantedSessions(owner, agent, limit, offset, after, oldest_first, branches)
        return await self._reader.submit(reads.list_sessions, wanted)

    async def count_sessions(self, owner: str, *, agent: str | None = None) -> int:
        return await self._reader.submit(reads.count_sessions, owner, agent)

    async def get_session(self, owner: str, session: str) -> SessionRecord | None:
        return await self._reader.submit(reads.get_session, owner, session)

    async def rename(self, owner: str, session: str, label: str | None) -> bool:
        return await self._writer.submit(self._sessions.rename, owner, session, label)

    async def fork(self, owner: str, session: str, keeps: int, key: str) -> bool:
        wanted = branches.Fork(owner, session, keeps, key)
        return await self._writer.submit(branches.fork, wanted, self._clock())

    async def search(self, wanted: SearchWanted) -> Searched:
        keys = wanted.sessions
        if keys is None:
            listed = await self.list_sessions(wanted.owner, agent=wanted.agent, limit=MOST_SESSIONS + 1)
            keys = tuple(record.key for record in listed)
        submit = self._reader.submit

        async def look(key: str, before: int | None) -> Slice:
            return await submit(search.slice_of, wanted, key, before)

        found = await walk(keys, look, wanted.limit)
        return replace(found, hits=await submit(search.dated, wanted.owner, found.hits))

    async def delete_session(self, owner: str, session: str) -> bool:
        if not await self._writer.submit(self._sessions.delete_session, owner, session):
            return False
        try:
            await self._clear_away()
            await self._blobs.sweep(self._named)
        except StoreError as error:
            # It is deleted all the same; the next `prune` clears away what is left.
            log.warning("store.not_cleared_away", error=error.message)
        return True

    async def record(self, rows: Sequence[LedgerRow]) -> None:
        await self._writer.submit(ledger.record, rows)

    async def spent(self, wanted: SpendingWanted) -> tuple[Spent, ...]:
        parts, after = await self._reader.submit(spending.part, wanted, None)
        while after is not None:
            more, after = await self._reader.submit(spending.part, wanted, after)
            parts = added((*parts, *more))
        return added(parts)

    async def prune(self, retention: Retention) -> Pruned:
        now = self._clock()
        sessions = await self._prune_sessions(retention, now) if retention.bounds_sessions else 0
        await self._clear_away()
        await self._blobs.sweep(self._named)
        results = await self._repeated(pruning.drop_results, _before(now, retention.results_s))
        runs = await self._prune_runs(_before(now, retention.runs_s))
        rows = await self._repeated(ledger.drop, _before(now, retention.ledger_s))
        answers = await self._repeated(kept.drop, _before(now, retention.kept_s))
        answers += await self._prune_kept(Room(retention.kept_bytes))
        return Pruned(sessions, runs, results, rows, answers)

    async def _prune_sessions(self, retention: Retention, now: int) -> int:
        dropped = 0
        while found := await self._reader.submit(pruning.beyond, retention, now):
            before = dropped
            for start in range(0, len(found), _BURIED_AT_ONCE):
                part = found[start : start + _BURIED_AT_ONCE]
                dropped += await self._writer.submit(self._sessions.delete_unused, part)
                await self._clear_away()
            if dropped == before:
                break  # all of them are in use
        return dropped

    async def _prune_runs(self, before_ms: int) -> int:
        dropped = 0
        after: int | None = 0
        while after is not None:
            some, after = await self._writer.submit(pruning.drop_runs, before_ms, after)
            dropped += some
        return dropped

    async def _prune_kept(self, room: Room | None) -> int:
        while room is not None and room.size >= 0:
            room = await self._reader.submit(kept.room_below, room)
        if room is None or room.below is None:
            return 0
        return await self._repeated(kept.drop_below, room.below)

    async def _repeated(self, drop: Callable[[sqlite3.Cursor, int], int], before_ms: int) -> int:
        dropped = 0
        while some := await self._writer.submit(drop, before_ms):
            dropped += some
        return dropped

    async def _named(self, digests: list[str]) -> set[str]:
        return await self._reader.submit(reads.named, digests)

    async def _clear_away(self) -> None:
        while await self._writer.submit(self._sessions.clear_away):
            pass


def _before(now_ms: int, kept_s: float) -> int:
    return now_ms - int(kept_s * 1000)
