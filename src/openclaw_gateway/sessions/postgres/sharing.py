"""What PostgresStore does beyond the Store of one process: each act is handed to the pool. Knows no SQL."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.postgres import documents, hearing, migration, replicas
from openclaw_gateway.sessions.postgres.pool import Pool, may_have_been_done
from openclaw_gateway.sessions.postgres.runs import Who
from openclaw_gateway.sessions.shared import Document, Replica, Waiting, Work
from openclaw_gateway.sessions.store import Claim


class Sharing:
    """`clock` None = the database's."""

    def __init__(self, pool: Pool, clock: Callable[[], int] | None) -> None:
        self._pool = pool
        self._clock = clock
        # Which process a run is executed by; its first beat may say another name.
        self._replica = f"unnamed-{secrets.token_hex(8)}"
        self._has_left = False
        # Of calls that may have taken something up, and nobody has heard what.
        self._unheard: list[str] = []

    async def name(self) -> str:
        return await self._pool.submit(migration.name)

    async def beat(self, replica: Replica, *, lease_s: float) -> None:
        await self._pool.owned(self._beaten(replica, lease_s))

    async def leave(self) -> None:
        self._has_left = True
        await self._pool.submit(replicas.leave, self._who)

    async def replicas(self) -> tuple[Replica, ...]:
        return await self._pool.submit(replicas.living, self._at_ms)

    async def has_work(self) -> bool:
        return bool(self._unheard) or await self._pool.submit(replicas.has_work, self._who)

    async def work_in(self, *, within_s: float, since_s: float = 0.0) -> float | None:
        return await self._pool.submit(replicas.work_in, self._who, within_s, since_s)

    async def take_up(self, *, lease_s: float) -> Work | None:
        """Whoever is cancelled while it waits does not hear what is its own from now on: shield the call."""
        return await self._pool.owned(self._taken_up(lease_s))

    async def wishes(self) -> tuple[tuple[str, Signal], ...]:
        return await self._pool.submit(replicas.wishes, self._who)

    async def lost(self, executed: Mapping[str, int]) -> frozenset[str]:
        return await self._pool.owned(self._pool.at_once(replicas.lost, self._who, executed))

    async def work(self, owner: str, run_id: str) -> bytes | None:
        return await self._pool.submit(replicas.work, owner, run_id)

    async def acts(self, run_id: str) -> None:
        await self._pool.submit(replicas.acts, self._who, run_id)

    async def hand_over(self, run_id: str) -> bool:
        return await self._pool.submit(replicas.hand_over, self._who, run_id)

    async def waiting(self, claim: Claim) -> tuple[Waiting, ...]:
        return await self._pool.submit(hearing.waiting, claim)

    async def hear(self, claim: Claim, run_ids: Sequence[str]) -> frozenset[str]:
        return await self._pool.submit(hearing.hear, claim, run_ids)

    async def place(self, owner: str, run_id: str) -> int | None:
        return await self._pool.submit(hearing.place, owner, run_id)

    async def document(self, name: str) -> Document:
        return await self._pool.submit(documents.read, name)

    async def document_versions(self) -> dict[str, int]:
        return await self._pool.submit(documents.versions)

    async def write_document(self, name: str, text: str, *, replaces: int) -> int:
        return await self._pool.submit(documents.write, name, text, replaces)

    @property
    def _at_ms(self) -> int | None:
        return None if self._clock is None else self._clock()

    @property
    def _who(self) -> Who:
        return Who(self._replica, self._at_ms)

    async def _beaten(self, replica: Replica, lease_s: float) -> None:
        before, self._replica = self._who, replica.id
        self._has_left = False
        try:
            await self._pool.at_once(replicas.beat, before, replica, lease_s)
        except StoreError as error:
            if not may_have_been_done(error):
                self._replica = before.replica
            raise

    async def _taken_up(self, lease_s: float) -> Work | None:
        again = bool(self._unheard)
        ticket = self._unheard.pop() if again else secrets.token_hex(8)
        asked_at = time.monotonic()
        try:
            work = await self._pool.execute(replicas.take_up, self._who, lease_s, ticket, again=again)
            return None if work is None else replace(work, asked_at=asked_at)
        except StoreError as error:
            if again or may_have_been_done(error):
                self._unheard.append(ticket)
            raise
