"""A SharedStore in memory: several processes of one gateway, in one process, for tests.

Each SharedMemoryStore on the same `SharedMemory` is a replica of its own. Keeps every rule of the contract
but durability.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.shared import ATTEMPTS, Document, Replica, Work
from openclaw_gateway.sessions.store import Begun, Claimed, NewRun, Queued
from openclaw_gateway.testing.memory_data import INTERRUPTED, MemoryData, MemoryRun, MemorySession
from openclaw_gateway.testing.memory_store import MemoryStore

# Who executes a run: a replica by its store, or nobody yet.
_Executor = int | Literal["nobody"]


@dataclass
class SharedMemory(MemoryData):
    """`executors` and `attempts` are by run id, `lives` by store: its replica, and until when it counts."""

    executors: dict[str, _Executor] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    acted: set[str] = field(default_factory=set)
    lives: dict[int, tuple[Replica, int]] = field(default_factory=dict)
    document: Document = field(default_factory=lambda: Document(0, ""))
    stores: int = 0


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000


class SharedMemoryStore(MemoryStore):
    def __init__(
        self, memory: SharedMemory, *, max_queued: int = 64, clock: Callable[[], int] = _unix_ms
    ) -> None:
        super().__init__(memory, max_queued=max_queued, clock=clock)
        self.memory = memory
        memory.stores += 1
        self.me = memory.stores

    def go_by(self, *, max_queued: int) -> None:
        self._max_queued = max_queued

    async def open(self) -> None:
        self._is_open = True

    async def close(self) -> None:
        if self._is_open:
            await self.leave()
        self._is_open = False

    async def begin(self, run: NewRun, *, lease_s: float) -> Begun:
        if not run.given:
            begun = await super().begin(run, lease_s=lease_s)
            if run.id in self.data.runs:
                self.memory.executors.setdefault(run.id, self.me)
                self.memory.attempts.setdefault(run.id, 1)
            return begun
        begun = await self._begin_given(run)
        self.memory.executors.setdefault(run.id, "nobody")
        self.memory.attempts.setdefault(run.id, 0)
        return begun

    async def _begin_given(self, run: NewRun) -> Begun:
        is_new = run.session is None or (run.owner, run.session) not in self.data.sessions
        if is_new or run.session is None:
            begun = await super().begin(run, lease_s=0.0)
            if not isinstance(begun, Claimed):
                return begun
            session = self.data.sessions[run.owner, run.session or ""]
        else:
            session = self.data.sessions[run.owner, run.session]
            held, session.lease_until_ms = session.lease_until_ms, 2**62
            begun = await super().begin(run, lease_s=0.0)
            session.lease_until_ms = held
            if isinstance(begun, Queued):
                return Queued(begun.position - (held is None))
            return begun
        added = self.data.runs[run.id]
        added.status = "queued"
        session.lease_until_ms = None
        session.waiting.append(added)
        return Queued(0)

    async def beat(self, replica: Replica, *, lease_s: float) -> None:
        self._opened()
        self.memory.lives[self.me] = (replica, self._clock() + int(lease_s * 1000))

    async def leave(self) -> None:
        self._opened()
        self.memory.lives.pop(self.me, None)
        for run in self.data.runs.values():
            if self.memory.executors.get(run.new.id) == self.me and run.ended_ms is None:
                self.memory.executors[run.new.id] = "nobody"
                if run.new.work is None:
                    self._close(run, "interrupted")
                elif run.status == "running" and run.new.session is not None:
                    self.data.session_of(run).lease_until_ms = self._clock()

    async def replicas(self) -> tuple[Replica, ...]:
        self._opened()
        now = self._clock()
        alive = [replica for replica, until in self.memory.lives.values() if until > now]
        return tuple(sorted(alive, key=lambda replica: replica.started_ms))

    async def take_up(self, *, lease_s: float) -> Work | None:
        for run in list(self._opened().runs.values()):
            if run.ended_ms is None and self._is_anybodys(run) and self._is_next(run):
                if run.wants_abort:
                    self._close(run, "aborted")
                elif not self._may_be_executed(run):
                    self._close(run, "interrupted")
                else:
                    return self._taken(run, lease_s)
        return None

    async def work(self, owner: str, run_id: str) -> bytes | None:
        run = self._run_of(owner, run_id)
        return run.new.work if run is not None and run.ended_ms is None else None

    async def acts(self, run_id: str) -> None:
        self._opened()
        self.memory.acted.add(run_id)

    async def hand_over(self, run_id: str) -> bool:
        run = self._opened().runs.get(run_id)
        if run is None or run.ended_ms is not None or self.memory.executors.get(run_id) != self.me:
            return False
        if not self._may_be_executed(run, handed=True):
            return False
        self.memory.executors[run_id] = "nobody"
        self.memory.attempts[run_id] -= 1
        if run.status == "running" and run.new.session is not None:
            session = self.data.session_of(run)
            self._renumber(run)
            run.status, session.lease_until_ms = "queued", None
            session.waiting.insert(0, run)
        return True

    async def document(self) -> Document:
        self._opened()
        return self.memory.document

    async def write_document(self, text: str, *, replaces: int) -> int:
        self._opened()
        if self.memory.document.version != replaces:
            raise StoreError(
                "The configuration was changed meanwhile: look at it and change it again.",
                code="document_changed",
            )
        self.memory.document = Document(replaces + 1, text)
        return replaces + 1

    def _is_anybodys(self, run: MemoryRun) -> bool:
        executor = self.memory.executors.get(run.new.id, "nobody")
        if executor == "nobody":
            return True
        life = self.memory.lives.get(executor)
        return life is not None and life[1] <= self._clock()

    def _is_next(self, run: MemoryRun) -> bool:
        """The oldest of its session, which nobody holds; whose lease has ended holds it no more."""
        if run.new.session is None:
            return True
        session = self.data.session_of(run)
        if run.status == "running":
            return not super()._is_held(session)
        return session.lease_until_ms is None and session.waiting[0] is run

    def _may_be_executed(self, run: MemoryRun, *, handed: bool = False) -> bool:
        is_fresh = handed or self.memory.attempts.get(run.new.id, 1) < ATTEMPTS
        return run.new.work is not None and run.new.id not in self.memory.acted and is_fresh

    def _taken(self, run: MemoryRun, lease_s: float) -> Work:
        self.memory.executors[run.new.id] = self.me
        self.memory.attempts[run.new.id] += 1
        attempt, body = self.memory.attempts[run.new.id], run.new.work or b""
        if run.new.session is None:
            return Work(run.new.id, run.new.owner, None, body, attempt)
        session = self.data.session_of(run)
        if run.status == "queued":
            session.waiting.pop(0)
        run.status, session.lease_until_ms = "running", None
        self._renumber(run)
        claimed = self._hand_over(run, session, lease_s, session.updated_ms)
        return Work(run.new.id, run.new.owner, run.new.session, body, attempt, claimed)

    def _renumber(self, run: MemoryRun) -> None:
        """A newer token: who had the session before is fenced."""
        self.data.newest_number += 1
        run.number = self.data.newest_number

    def _close(self, run: MemoryRun, status: Literal["aborted", "interrupted"]) -> None:
        if run.new.session is not None:
            session = self.data.session_of(run)
            if run in session.waiting:
                session.waiting.remove(run)
            else:
                session.lease_until_ms = None
        run.end(status, self._clock(), error=INTERRUPTED if status == "interrupted" else None)

    def _is_held(self, session: MemorySession) -> bool:
        """One whose lease has ended is left to who takes it up."""
        if super()._is_held(session):
            return True
        if session.lease_until_ms is None:
            return False
        holder = next((run for run in self.data.runs.values() if run.number == session.token), None)
        return holder is not None and holder.ended_ms is None and self._may_be_executed(holder)
