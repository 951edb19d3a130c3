"""SqliteStore: the Store of one node, a single file with one writer.

Only hands work to its two threads: sqlite_runs and sqlite_sessions say what a write does, sqlite_reads
what a look-up does, sqlite_thread how they are committed and answered. Nothing here blocks the event
loop.

A caller that is cancelled while it waits loses the answer, not the operation: whoever must know the
outcome of `begin`, `claim`, `finish` or `withdraw` shields the call and awaits it.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions import sqlite_reads
from openclaw_gateway.sessions.sqlite_runs import Ending, RunWrites
from openclaw_gateway.sessions.sqlite_schema import connect, connect_reader
from openclaw_gateway.sessions.sqlite_sessions import SessionWrites
from openclaw_gateway.sessions.sqlite_thread import SqliteThread
from openclaw_gateway.sessions.store import (
    Claim,
    Claimed,
    Duplicate,
    Entry,
    NewRun,
    Queued,
    Released,
    RunRecord,
    SessionRecord,
    StoreHealth,
    Summary,
)
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunStatus, Usage

_CLOSE_DEADLINE_S = 20.0
_HEALTH_DEADLINE_S = 5.0
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
        self._runs = RunWrites(max_queued=max_queued, clock=clock, lease_clock=lease_clock)
        self._sessions = SessionWrites(clock=clock, lease_clock=lease_clock)
        self._writer = SqliteThread("store-writer", partial(connect, path), group_commit=True)
        self._reader = SqliteThread("store-reader", partial(connect_reader, path), group_commit=False)

    def go_by(self, *, max_queued: int) -> None:
        """For the runs that come from now on."""
        self._runs.max_queued = max_queued

    async def open(self) -> None:
        await self._writer.start()
        try:
            await self._reader.start()
            closed = await self._writer.submit(self._runs.recover)
            await self._writer.submit(self._runs.prune)
        except BaseException:
            await self.close()
            raise
        if closed:
            log.warning("store.runs_interrupted", runs=closed)

    async def close(self) -> None:
        """Finish what was submitted, then close the file. Safe to repeat."""
        try:
            await self._reader.stop(_CLOSE_DEADLINE_S)
        finally:
            await self._writer.stop(_CLOSE_DEADLINE_S)

    async def health(self) -> StoreHealth:
        """Reads; writes only when the newest write failed, to see whether that is over. Never raises."""
        try:
            async with asyncio.timeout(_HEALTH_DEADLINE_S):
                version = await self._reader.submit(sqlite_reads.schema_version)
                if self._writer.trouble is not None:
                    await self._writer.submit(self._sessions.probe)
        except TimeoutError:
            return StoreHealth(ok=False, detail=f"no answer within {_HEALTH_DEADLINE_S:g} s")
        except StoreError as error:
            return StoreHealth(ok=False, detail=error.message)
        return StoreHealth(ok=True, schema_version=version)

    async def begin(self, run: NewRun, *, lease_s: float) -> Claimed | Queued | Duplicate:
        return await self._writer.submit(self._runs.begin, run, lease_s)

    async def claim(self, run_id: str, *, lease_s: float) -> Claimed | None:
        return await self._writer.submit(self._runs.claim, run_id, lease_s)

    async def renew(self, claim: Claim, *, lease_s: float) -> bool:
        return await self._writer.submit(self._runs.renew, claim, lease_s)

    async def finish(
        self,
        claim: Claim,
        turn: tuple[Message, ...],
        status: RunStatus,
        usage: Usage,
        error: ErrorInfo | None = None,
    ) -> Released:
        return await self._writer.submit(self._runs.finish, claim, Ending(turn, status, usage, error))

    async def withdraw(self, run_id: str, status: RunStatus, error: ErrorInfo | None = None) -> Released:
        return await self._writer.submit(self._runs.withdraw, run_id, status, error)

    async def request_abort(self, run_id: str) -> bool:
        return await self._writer.submit(self._runs.request_abort, run_id)

    async def transcript(self, session: str, *, after: int = 0, limit: int = 200) -> tuple[Entry, ...]:
        return await self._reader.submit(sqlite_reads.transcript, session, after, limit)

    async def fork(self, session: str, at_seq: int, into: str) -> SessionRecord:
        return await self._writer.submit(self._sessions.fork, session, at_seq, into)

    async def summarise(self, session: str, covers_to_seq: int, text: str) -> Summary:
        return await self._writer.submit(self._sessions.summarise, session, covers_to_seq, text)

    async def list_sessions(
        self, *, owner: str | None = None, agent: str | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[SessionRecord, ...]:
        return await self._reader.submit(sqlite_reads.list_sessions, owner, agent, limit, offset)

    async def count_sessions(self, *, owner: str | None = None, agent: str | None = None) -> int:
        return await self._reader.submit(sqlite_reads.count_sessions, owner, agent)

    async def get_session(self, session: str) -> SessionRecord | None:
        return await self._reader.submit(sqlite_reads.get_session, session)

    async def patch_session(self, session: str, *, label: str | None) -> SessionRecord | None:
        return await self._writer.submit(self._sessions.patch_session, session, label)

    async def delete_session(self, session: str) -> bool:
        return await self._writer.submit(self._sessions.delete_session, session)

    async def get_run(self, run_id: str) -> RunRecord | None:
        return await self._reader.submit(sqlite_reads.get_run, run_id)

    async def list_runs(
        self, *, session: str | None = None, status: RunStatus | None = None, limit: int = 100
    ) -> tuple[RunRecord, ...]:
        return await self._reader.submit(sqlite_reads.list_runs, session, status, limit)
