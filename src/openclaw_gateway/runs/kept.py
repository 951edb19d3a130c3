"""Answers that are kept for their client to come back to: what was asked and said, and what led up to it.

One answer holds only what was new in it, and the name of the one before: a conversation is a chain. Knows no
dialect; what the door wants to remember of an answer it writes itself.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.client_view import as_seen
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import RunResult

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


class Before(Struct, frozen=True):
    """A conversation up to and with a kept answer, and the instructions that stood in it."""

    messages: tuple[Message, ...]
    told: str = ""


_decoder = msgspec.json.Decoder(KeptAnswer)


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
        )
        await self._store.keep(request.origin.owner, run.id, msgspec.json.encode(kept))

    async def get(self, owner: str, run_id: str) -> KeptAnswer | None:
        """Raises StoreError (code "store_corrupt" where it cannot be read)."""
        body = await self._store.kept(owner, run_id)
        return None if body is None else _read(body)

    async def conversation(self, owner: str, run_id: str, agent: str) -> Before | None:
        """Everything up to and with this answer, of a longer chain its newest MOST_LINKS, or MOST_BYTES; None
        where one of them is not kept (any more). Of what another agent than `agent` said only what its
        client was shown: its own tools' results are not for others.

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
            chain.append(kept := _read(body))
            name = kept.previous
        chain.reverse()
        messages = tuple(
            message
            for kept in chain
            for message in (*kept.asked, *(kept.said if kept.agent == agent else as_seen(kept.said)))
        )
        return Before(messages, "\n\n".join(kept.told for kept in chain if kept.told))

    async def forget(self, owner: str, run_id: str) -> bool:
        """Raises StoreError."""
        return await self._store.forget(owner, run_id)


def _read(body: bytes) -> KeptAnswer:
    """Raises StoreError."""
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError:
        raise StoreError(
            "This answer is damaged in the store and cannot be gone on from: start anew.",
            code="store_corrupt",
        ) from None
