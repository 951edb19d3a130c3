"""A session forked by whoever holds it: from its end, or from one of its messages.

The fork is a session of its own, with a key of the gateway's making. What another owner has is not found.
"""

import secrets

from msgspec import Struct

from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.held.said_at import said_from
from openclaw_gateway.gateway.principal import WRITE, Principal
from openclaw_gateway.runs.hub import Hub, SessionChange
from openclaw_gateway.sessions.places import Cut, cut_at
from openclaw_gateway.sessions.store import SessionRecord, Store
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.work.deeds import Deeds

# What follows an answer: the results of the tools that it called.
_PAGE = 200


class Forked(Struct, frozen=True):
    """`asked` is the user's message that the fork was made before."""

    record: SessionRecord
    asked: UserMessage | None = None


class SessionForks:
    """A fork is one of `deeds`: made and told, whether or not its client stays."""

    def __init__(self, store: Store, hub: Hub, deeds: Deeds) -> None:
        self._store = store
        self._hub = hub
        self._deeds = deeds

    async def fork(self, principal: Principal, key: str, place: str | None) -> Forked:
        """Of a user's message what comes before it, of another one that too, with the results of what it
        called; without a place all of it. Raises NotFound, StoreError."""
        principal.require(WRITE)
        return await self._deeds.done(self._fork(principal.owner, key, place), "session.fork", self._tell)

    async def _fork(self, owner: str, key: str, place: str | None) -> Forked:
        record = await self._store.get_session(owner, key)
        if record is None:
            raise _no_session()
        cut = Cut(record.last_seq) if place is None else await self._cut(record, place)
        name = f"agent:{record.agent}:chat-{secrets.token_hex(6)}"
        made = await self._store.fork(owner, key, cut.keeps, name)
        forked = await self._store.get_session(owner, name) if made else None
        if forked is None:
            raise _no_session()
        return Forked(forked, cut.asked)

    def _tell(self, forked: Forked) -> None:
        record = forked.record
        self._hub.changed(SessionChange(record.owner, record.key, record.agent, "fork"))

    async def _cut(self, record: SessionRecord, place: str) -> Cut:
        """Raises NotFound."""
        found = await said_from(self._store, record.owner, record.key, place, _PAGE)
        if found:
            return cut_at(found)
        raise NotFound("There is no such message in this session: chat.history has the ids.", param="entryId")


def _no_session() -> NotFound:
    return NotFound("There is no such session: see sessions.list.", param="sessionKey")
