"""Sessions that a client holds by their keys: looked at, listed, gone back over, deleted.

One room of the gateway, for every door: each is its owner's, and what another has is not found. Whichever
door made a session, it is found here by its key. What a door wants to remember of one, for each of its turns,
is kept beside it, and as long as it is used.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress

from msgspec import Raw, Struct
from msgspec.structs import replace

from openclaw_gateway.errors import InvalidRequest, StoreError
from openclaw_gateway.gateway.held.said_turns import SaidTurns
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE, Principal
from openclaw_gateway.runs.hub import ChangeReason, Listener, SessionChange
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.store import BESIDE, Entry, RunRecord, SessionRecord, Store, beside
from openclaw_gateway.wire.messages import Message, UserMessage
from openclaw_gateway.work.deeds import Deeds

# How long runs that have been told to end are waited for.
_END_S = 10.0
# Entries; of large ones a page is some megabytes.
_PAGE = 20


class HeldSession(Struct, frozen=True):
    """`about` is what its door remembers of it, None where none does; `is_at_work`: a run of it is open."""

    record: SessionRecord
    about: Raw | None
    is_at_work: bool


class HeldSessions:
    """`abort_session` ends the caller's runs of a session and names them, `ending` waits for one of them that
    is executed elsewhere; `is_main` says whether a key is that of an agent's main one. A change is one of
    `deeds`: made and told, whether or not its client stays."""

    def __init__(
        self,
        live: LiveRuns,
        store: Store,
        abort_session: Callable[[Principal, str], Awaitable[Sequence[str]]],
        is_main: Callable[[str], bool],
        deeds: Deeds,
        *,
        ending: Callable[[Principal, str], Awaitable[object]],
    ) -> None:
        self._live = live
        self._store = store
        self._said = SaidTurns(store)
        self._abort_session = abort_session
        self._ending = ending
        self._is_main = is_main
        self._deeds = deeds
        self._attending: dict[asyncio.Event, tuple[str, str]] = {}
        live.hub.listen(Listener(changed=self._changed))
        self.is_closing = False

    def attend(self, principal: Principal, key: str, news: asyncio.Event) -> Callable[[], None]:
        """Have `news` set when the gateway begins to stop, or the session is deleted, until the returned
        function is called: who only listens goes then."""
        self._attending[news] = (principal.owner, key)

        def leave() -> None:
            self._attending.pop(news, None)

        return leave

    def close(self) -> None:
        self.is_closing = True
        for news in self._attending:
            news.set()

    async def find(self, principal: Principal, key: str) -> HeldSession | None:
        """Raises StoreError."""
        principal.require(READ)
        record = await self._store.get_session(principal.owner, key)
        return None if record is None else (await self._held([record]))[0]

    async def page(
        self, principal: Principal, *, agent: str | None, after: str | None, limit: int, newest_first: bool
    ) -> tuple[HeldSession, ...] | None:
        """By when they last changed; None where there is no session `after`. Raises StoreError."""
        principal.require(READ)
        owner = principal.owner
        if after is not None and await self._store.get_session(owner, after) is None:
            return None
        records = await self._store.list_sessions(
            owner, agent=agent, limit=limit, after=after, oldest_first=not newest_first
        )
        return await self._held(records)

    async def labelled(
        self,
        principal: Principal,
        labels: tuple[str, ...],
        *,
        after: str | None,
        limit: int,
        newest_first: bool,
    ) -> tuple[HeldSession, ...] | None:
        """Those with all these labels, by when they were made; None where there is none `after`. Raises
        StoreError."""
        principal.require(READ)
        names = await self._store.kept_names(
            principal.owner,
            labels,
            after=None if after is None else beside(after),
            limit=limit,
            newest_first=newest_first,
        )
        if names is None:
            return None
        owner = principal.owner
        found = [await self._store.get_session(owner, name.removeprefix(BESIDE)) for name in names]
        return await self._held([record for record in found if record is not None])

    async def remember(
        self, principal: Principal, record: SessionRecord, about: Raw, labels: tuple[str, ...]
    ) -> None:
        """This, and nothing else, from now on as long as if it were new. Raises StoreError."""
        principal.require(WRITE)
        await self._deeds.done(
            self._remember(principal, record, bytes(about), labels),
            "session.remember",
            lambda _: self._tell(record, "patch"),
        )

    async def _remember(
        self, principal: Principal, record: SessionRecord, body: bytes, labels: tuple[str, ...]
    ) -> None:
        name = beside(record.key)
        if not await self._store.rekeep(principal.owner, name, body, labels, anew=True):
            await self._store.keep(principal.owner, name, body, labels)

    async def turns(
        self, principal: Principal, key: str, *, after: str | None, limit: int, newest_first: bool
    ) -> tuple[RunRecord, ...] | None:
        """The runs of a session, as long as they are kept; None where none of them is `after`. Raises
        StoreError."""
        principal.require(READ)
        if after is not None and await self.turn(principal, key, after) is None:
            return None
        return await self._store.runs_of(
            principal.owner, key, after=after, limit=limit, newest_first=newest_first
        )

    async def turn(self, principal: Principal, key: str, run_id: str) -> RunRecord | None:
        """Raises StoreError."""
        principal.require(READ)
        record = await self._store.get_run(principal.owner, run_id)
        return record if record is not None and record.session == key else None

    async def turn_named(self, principal: Principal, key: str, name: str) -> RunRecord | None:
        """The run of a session that a client calls so, as long as its answer is kept. Raises StoreError."""
        principal.require(READ)
        record = await self._store.run_by_key(principal.owner, name)
        return record if record is not None and record.session == key else None

    def said(
        self, principal: Principal, key: str, *, first: str | None, newest_first: bool
    ) -> AsyncGenerator[Sequence[Entry]]:
        """What was said in a session, turn by turn, from that of the run `first` on; none where there is no
        such turn. Raises StoreError."""
        principal.require(READ)
        return self._said.turns(principal.owner, key, first=first, newest_first=newest_first)

    async def said_in(self, principal: Principal, key: str, run_id: str) -> Sequence[Entry]:
        """What one turn has left. Raises StoreError."""
        principal.require(READ)
        return await self._said.turn(principal.owner, key, run_id)

    async def begun_at(self, principal: Principal, record: SessionRecord) -> int:
        """Behind which entry the conversation begins: 0, or the last one before it was begun anew. Raises
        StoreError."""
        principal.require(READ)
        return await self._store.begun_behind(principal.owner, record.key)

    async def backward(
        self, principal: Principal, record: SessionRecord, since: int, limit: int, skip: int = 0
    ) -> AsyncGenerator[Sequence[Entry]]:
        """The last `limit` messages of a session before its `skip` newest that come behind `since`, a page at
        a time: the newest page first, each oldest first. Raises StoreError."""
        principal.require(READ)
        end = record.last_seq - skip
        first = max(since, end - limit)
        while end > first:
            after = max(first, end - _PAGE)
            yield await self._store.transcript(principal.owner, record.key, after=after, limit=end - after)
            end = after

    async def with_images(self, principal: Principal, message: Message) -> Message:
        """A user's message with the data of its images, as far as it is to be had. Raises StoreError."""
        principal.require(READ)
        if not isinstance(message, UserMessage) or not message.images:
            return message
        images = []
        for image in message.images:
            try:
                images.append(await self._store.whole(image))
            except StoreError as error:
                if error.code != "store_corrupt":
                    raise
        return replace(message, images=tuple(images))

    async def begin_anew(self, principal: Principal, key: str) -> SessionRecord | None:
        """End its runs; then what was said is no part of the conversation any more. None when there is none.
        Raises StoreError."""
        principal.require(ADMIN)
        return await self._deeds.done(
            self._begin_anew(principal, key), "session.reset", lambda record: self._tell(record, "reset")
        )

    async def _begin_anew(self, principal: Principal, key: str) -> SessionRecord | None:
        await self.end(principal, key)
        record = await self._store.get_session(principal.owner, key)
        if record is not None and record.last_seq:
            await self._store.summarise(principal.owner, key, record.last_seq, "")
        return record

    async def rename(self, principal: Principal, key: str, label: str | None) -> SessionRecord | None:
        """Give a session a name for people, or take it away; None when there is none. Raises StoreError."""
        principal.require(WRITE)
        return await self._deeds.done(
            self._rename(principal, key, label), "session.patch", lambda record: self._tell(record, "patch")
        )

    async def _rename(self, principal: Principal, key: str, label: str | None) -> SessionRecord | None:
        if not await self._store.rename(principal.owner, key, label):
            return None
        return await self._store.get_session(principal.owner, key)

    async def end(self, principal: Principal, key: str) -> None:
        """Its open runs, and wait for them for a while, wherever they are executed. Raises StoreError."""
        runs = {run.shown_id: run for run in self._open() if _place(run) == (principal.owner, key)}
        asked = await self._abort_session(principal, key)
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                for run in runs.values():
                    await self._live.gone(run)
                for name in asked:
                    if name not in runs:
                        await self._ending(principal, name)

    async def delete(self, principal: Principal, key: str) -> bool:
        """End its runs, then it is gone with all that was said; False when there is none. Raises StoreError,
        SessionBusy where its runs do not end, and InvalidRequest for an agent's main one."""
        principal.require(ADMIN)
        if self._is_main(key):
            raise InvalidRequest(
                "An agent's main session stays: it cannot be deleted. sessions.reset begins it anew.",
                param="key",
            )
        deleted, _ = await self._deeds.done(
            self._delete(principal, key), "session.delete", lambda done: self._tell(done[1], "delete")
        )
        return deleted

    async def _delete(self, principal: Principal, key: str) -> tuple[bool, SessionRecord | None]:
        """Whether it was there, and what it was."""
        await self.end(principal, key)
        record = await self._store.get_session(principal.owner, key)
        deleted = await self._store.delete_session(principal.owner, key)
        return deleted, record if deleted else None

    def _changed(self, change: SessionChange) -> None:
        """By whichever process."""
        if change.reason == "delete":
            for news, place in self._attending.items():
                if place == (change.owner, change.key):
                    news.set()

    def _tell(self, record: SessionRecord | None, reason: ChangeReason) -> None:
        """Whoever of its owner's listens, where there is one."""
        if record is not None:
            self._live.hub.changed(SessionChange(record.owner, record.key, record.agent, reason))

    async def _held(self, records: Sequence[SessionRecord]) -> tuple[HeldSession, ...]:
        at_work = {_place(run) for run in self._open()}
        found = []
        for record in records:
            about = await self._store.kept(record.owner, beside(record.key))
            is_at_work = (record.owner, record.key) in at_work or self._is_elsewhere(record)
            found.append(HeldSession(record, None if about is None else Raw(about), is_at_work))
        return tuple(found)

    def _open(self) -> list[Run]:
        return [run for run in self._live.running() if run.result is None and not run.refused]

    def _is_elsewhere(self, record: SessionRecord) -> bool:
        """Whether another process is at it."""
        return record.active_run is not None and self._live.find(record.active_run) is None


def _place(run: Run) -> tuple[str, str | None]:
    return run.request.origin.owner, run.request.session_key
