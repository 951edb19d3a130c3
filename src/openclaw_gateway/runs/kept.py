"""Answers that are kept for their client to come back to: what was asked and said, and what led up to it.

One answer holds only what was new in it, and the name of the one before: a conversation is a chain. Knows no
dialect; what the door wants to remember of an answer it writes itself.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.client_view import as_seen
from openclaw_gateway.sessions.reconcile import joined
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.wire.messages import AssistantMessage, Message, assistant
from openclaw_gateway.wire.run import KeptKind, RunResult

MOST_LINKS: Final = 1_000
# Of JSON in the store; a single answer may have more.
MOST_BYTES: Final = 64 << 20


class KeptAnswer(Struct, frozen=True):
    """`asked` is what its request said, `said` all that the run said, with the agent's own tools; `told` are
    the instructions that stood in the conversation."""

    agent: str
    created_ms: int
    about: Raw
    previous: str | None
    asked: tuple[Message, ...]
    said: tuple[Message, ...]
    result: RunResult
    told: str = ""
    user: str | None = None


class KeptHead(Struct, frozen=True):
    """Of a kept answer what its client was given: read without the conversation, which may be large."""

    created_ms: int
    about: Raw
    result: RunResult


class KeptPage(Struct, frozen=True):
    """Some of a list, by their runs. `has_more`: there are others behind the last of them."""

    heads: dict[str, KeptHead]
    has_more: bool


class Before(Struct, frozen=True):
    """A conversation up to and with a kept answer, and the instructions that stood in it."""

    messages: tuple[Message, ...]
    told: str = ""


T = TypeVar("T")
_answers = msgspec.json.Decoder(KeptAnswer)
_heads = msgspec.json.Decoder(KeptHead)


class KeptAnswers:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, run: Run, said: Sequence[Message], result: RunResult) -> None:
        """Raises StoreError."""
        request = run.request
        if request.keep is None:
            return
        kept = KeptAnswer(
            request.agent_id,
            run.created_ms,
            request.keep.about,
            request.keep.previous,
            request.messages,
            tuple(said),
            result,
            request.keep.told,
            request.origin.user,
        )
        name = _name(request.keep.kind, run.id)
        body = msgspec.json.encode(kept)
        await self._store.keep(request.origin.owner, name, body, request.keep.labels)

    async def get(self, owner: str, run_id: str, kind: KeptKind) -> KeptAnswer | None:
        """Raises StoreError (code "store_corrupt" where it cannot be read)."""
        body = await self._store.kept(owner, _name(kind, run_id))
        return None if body is None else _read(body, _answers)

    async def page(
        self,
        owner: str,
        kind: KeptKind,
        labels: tuple[str, ...],
        *,
        after: str | None,
        limit: int,
        newest_first: bool,
    ) -> KeptPage | None:
        """Those with all these labels behind the run `after`, at most `limit` of them, and as far as all of
        them together have at most MOST_BYTES. None where that run is not kept.

        Raises StoreError.
        """
        names = await self._store.kept_names(
            owner,
            labels,
            after=None if after is None else _name(kind, after),
            limit=limit + 1,
            newest_first=newest_first,
        )
        if names is None:
            return None
        page = await self._page(owner, names[:limit])
        return page if page.has_more else KeptPage(page.heads, has_more=len(names) > limit)

    async def change(
        self, owner: str, run_id: str, kind: KeptKind, about: Raw, labels: tuple[str, ...]
    ) -> bool:
        """What the door remembers of it, and what it is listed by; False when it is not kept.

        Raises StoreError.
        """
        kept = await self.get(owner, run_id, kind)
        if kept is None:
            return False
        body = msgspec.json.encode(replace(kept, about=about))
        return await self._store.rekeep(owner, _name(kind, run_id), body, labels)

    async def heads(self, owner: str, run_ids: Iterable[str]) -> dict[str, KeptHead]:
        """Those that are kept, by their run, as far as all of them together have at most MOST_BYTES.

        Raises StoreError.
        """
        return (await self._page(owner, run_ids)).heads

    async def _page(self, owner: str, names: Iterable[str]) -> KeptPage:
        found: dict[str, KeptHead] = {}
        size = 0
        for name in names:
            body = await self._store.kept(owner, name)
            size += len(body or b"")
            if size > MOST_BYTES and found:
                return KeptPage(found, has_more=True)
            if body is not None:
                found[name.rpartition(":")[2]] = _read(body, _heads)
        return KeptPage(found, has_more=False)

    async def conversation(self, owner: str, run_id: str, agent: str, user: str | None) -> Before | None:
        """Everything up to and with this answer, of a longer chain its newest MOST_LINKS, or MOST_BYTES; None
        where one of them is not kept (any more). Of what another agent said, or this one to another `user`,
        only what its client was shown: the agent's own tools and sealed thoughts are not for others.

        Raises StoreError.
        """
        chain: list[KeptAnswer] = []
        name: str | None = run_id
        size = 0
        while name is not None and len(chain) < MOST_LINKS:
            body = await self._store.kept(owner, name)
            if body is None:
                return None
            size += len(body)
            if chain and size > MOST_BYTES:
                break
            chain.append(kept := _read(body, _answers))
            name = kept.previous
        chain.reverse()
        messages: list[Message] = []
        for kept in chain:
            if len(kept.asked) == 1:
                messages += kept.asked
            else:
                messages = [*joined(messages, kept.asked)]
            messages += _said_to(kept, agent, user)
        return Before(tuple(messages), "\n\n".join(kept.told for kept in chain if kept.told))

    async def forget(self, owner: str, run_id: str, kind: KeptKind) -> bool:
        """Raises StoreError."""
        return await self._store.forget(owner, _name(kind, run_id))


def _name(kind: KeptKind, run_id: str) -> str:
    """Under which it is in the store."""
    return run_id if kind == "response" else f"{kind}:{run_id}"


def _said_to(kept: KeptAnswer, agent: str, user: str | None) -> Sequence[Message]:
    """As this agent may see it when it answers this user."""
    if kept.agent == agent and kept.user == user:
        return kept.said
    return [
        assistant(message.content, message.tool_calls, name=message.name)
        if isinstance(message, AssistantMessage)
        else message
        for message in as_seen(kept.said)
    ]


def _read(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Raises StoreError."""
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError:
        raise StoreError(
            "This answer is damaged in the store and cannot be gone on from: start anew.",
            code="store_corrupt",
        ) from None
