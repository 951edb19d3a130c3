"""What was said in the caller's sessions, searched for: a few searches at a time, none of them for long."""

import asyncio

from openclaw_gateway.errors import Overloaded
from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.sessions.searched import Searched, SearchWanted
from openclaw_gateway.sessions.store import Store

_AT_ONCE = 2
_WAIT_S = 10.0


class SessionSearch:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def search(
        self,
        principal: Principal,
        words: tuple[str, ...],
        *,
        limit: int,
        agent: str | None = None,
        sessions: tuple[str, ...] | None = None,
    ) -> Searched:
        """Of the caller's own. `words` are those of `searching.words_of`. Raises Overloaded, StoreError."""
        principal.require(READ)
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._slots.acquire()
        except TimeoutError:
            raise Overloaded(
                "Too many searches are going on. Try again in a moment.", retry_after=2
            ) from None
        try:
            return await self._store.search(SearchWanted(principal.owner, words, limit, agent, sessions))
        finally:
            self._slots.release()
