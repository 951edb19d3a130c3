"""What PostgresStore answers without writing: each look-up is handed to the pool. Knows nothing of SQL."""

from msgspec.structs import replace

from openclaw_gateway.sessions.postgres import blobs, kept, reads, runs, search, spending
from openclaw_gateway.sessions.postgres.pool import Pool
from openclaw_gateway.sessions.search_walk import MOST_SESSIONS, Slice, walk
from openclaw_gateway.sessions.searched import Searched, SearchWanted
from openclaw_gateway.sessions.spending import SpendingWanted, Spent
from openclaw_gateway.sessions.store import Claim, Entry, RunRecord, SessionRecord, Summary, Transcript
from openclaw_gateway.sessions.wanted import WantedNames, WantedRuns, WantedSessions
from openclaw_gateway.wire.messages import M


class Lookups:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, claim: Claim) -> Transcript:
        return await self._pool.submit(runs.read, claim)

    async def open_runs(self, owner: str, session: str) -> tuple[str, ...]:
        return await self._pool.submit(reads.open_runs, owner, session)

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
        return await self._pool.submit(reads.runs_of, wanted)

    async def get_run(self, owner: str, run_id: str) -> RunRecord | None:
        return await self._pool.submit(reads.get_run, owner, run_id)

    async def run_by_key(self, owner: str, key: str) -> RunRecord | None:
        return await self._pool.submit(reads.run_by_key, owner, key)

    async def result(self, owner: str, run_id: str) -> bytes | None:
        return await self._pool.submit(reads.result, owner, run_id)

    async def kept(self, owner: str, name: str) -> bytes | None:
        return await self._pool.submit(kept.kept, owner, name)

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
        return await self._pool.submit(kept.names, wanted)

    async def transcript(
        self, owner: str, session: str, *, after: int = 0, limit: int = 200
    ) -> tuple[Entry, ...]:
        return await self._pool.submit(reads.transcript, owner, session, after, limit)

    async def whole(self, one: M) -> M:
        return await self._pool.submit(blobs.whole, one) if one.digest else one

    async def summary_until(self, owner: str, session: str, seq: int) -> Summary | None:
        return await self._pool.submit(reads.summary_until, owner, session, seq)

    async def begun_behind(self, owner: str, session: str) -> int:
        return await self._pool.submit(reads.begun_behind, owner, session)

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
        return await self._pool.submit(reads.list_sessions, wanted)

    async def count_sessions(self, owner: str, *, agent: str | None = None) -> int:
        return await self._pool.submit(reads.count_sessions, owner, agent)

    async def get_session(self, owner: str, session: str) -> SessionRecord | None:
        return await self._pool.submit(reads.get_session, owner, session)

    async def search(self, wanted: SearchWanted) -> Searched:
        keys = wanted.sessions
        if keys is None:
            listed = await self.list_sessions(wanted.owner, agent=wanted.agent, limit=MOST_SESSIONS + 1)
            keys = tuple(record.key for record in listed)
        submit = self._pool.submit

        async def look(key: str, before: int | None) -> Slice:
            return await submit(search.slice_of, wanted, key, before)

        found = await walk(keys, look, wanted.limit)
        return replace(found, hits=await submit(search.dated, wanted.owner, found.hits))

    async def spent(self, wanted: SpendingWanted) -> tuple[Spent, ...]:
        return await self._pool.submit(spending.spent, wanted)
