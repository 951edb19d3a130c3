"""Vectors for texts: which agent's model is meant, how many are asked for at once, what it cost.

Not a run: nothing is said, so there is no session, no line of a session and no prompt. What it has of a run
is the caller's scope, a bound, and its row in the ledger.
"""

import asyncio
import time
from typing import Literal
from weakref import WeakKeyDictionary

from msgspec import Struct

from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.errors import GatewayError, Overloaded
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.routing import Ask, route
from openclaw_gateway.models.embeddings.choice import Embedding, EmbeddingChoice
from openclaw_gateway.models.embeddings.embedder import Embedder, Writing
from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.ledger import Ledger
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.store import LedgerRow
from openclaw_gateway.wire.embedding import EmbeddingRequest
from openclaw_gateway.wire.run import RunStatus
from openclaw_gateway.work.threads import Threads

_MOST_AT_ONCE = 64
# Whoever knows where a secret is has so long to say it.
_CHOICE_S = 30.0

Unknown = Literal["error", "default"]


class Wanted(Struct, frozen=True):
    """`write` says how each vector is to be written down."""

    ask: Ask
    request: EmbeddingRequest
    write: Writing


class Vectors(Struct, frozen=True):
    """`written` in the order of the inputs, `model` who made them, as `provider/model`."""

    written: tuple[bytes, ...]
    prompt_tokens: int
    model: str


class Embeddings:
    """Of all configurations: the bound is one."""

    def __init__(self, embedder: Embedder, ledger: Ledger) -> None:
        self._embedder = embedder
        self._ledger = ledger
        self._going = 0
        self._threads = Threads("embedding-choice", most=1)
        self._chosen: WeakKeyDictionary[EmbeddingChoice, dict[str, Embedding]] = WeakKeyDictionary()

    async def embed(
        self, principal: Principal, wanted: Wanted, roster: Roster, choice: EmbeddingChoice, unknown: Unknown
    ) -> Vectors:
        """Raises InvalidRequest, NotFound, EmbeddingsUnavailable, Overloaded, ProviderError."""
        if self._going >= _MOST_AT_ONCE:
            raise Overloaded(
                f"{_MOST_AT_ONCE} requests for embeddings are under way. Try again in a moment.",
                retry_after=1,
            )
        self._going += 1
        try:
            agent, embedding = await self._meant(wanted.ask, roster, choice, unknown)
            return await self._made(principal, agent, embedding, wanted)
        finally:
            self._going -= 1

    async def _meant(
        self, ask: Ask, roster: Roster, choice: EmbeddingChoice, unknown: Unknown
    ) -> tuple[str, Embedding]:
        """The agent that was named, or whose model was: many clients know only embedding models' names."""
        try:
            agent = route(ask, roster, unknown).agent_id
        except GatewayError as error:
            agent = route(Ask(agent=ask.agent), roster).agent_id
            embedding = await self._of(agent, choice) if error.code == "model_not_found" else None
            if embedding is None or ask.model not in (embedding.target.ref, embedding.target.model):
                raise error from None
            return agent, embedding
        return agent, await self._of(agent, choice)

    async def _of(self, agent: str, choice: EmbeddingChoice) -> Embedding:
        known = self._chosen.setdefault(choice, {})
        if agent not in known:
            known[agent] = await self._threads.run("", lambda: choice.of(agent), deadline_s=_CHOICE_S)
        return known[agent]

    async def _made(self, principal: Principal, agent: str, embedding: Embedding, wanted: Wanted) -> Vectors:
        started, began_ms = time.monotonic(), now_ms()
        status: RunStatus = "failed"
        code: str | None = None
        tokens = 0
        try:
            made = await self._embedder.embed(embedding, wanted.request, wanted.write)
            status, tokens = "completed", made.prompt_tokens
            return Vectors(tuple(made.vectors), tokens, embedding.target.ref)
        except GatewayError as error:
            code = error.code
            raise
        except asyncio.CancelledError:
            status = "aborted"
            raise
        finally:
            self._ledger.note(
                LedgerRow(
                    f"embd_{fresh_digits()}",
                    principal.owner,
                    agent,
                    None,
                    embedding.target.ref,
                    "http",
                    status,
                    began_ms,
                    int((time.monotonic() - started) * 1000),
                    tokens,
                    error_code=code,
                )
            )
