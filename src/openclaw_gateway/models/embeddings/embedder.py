"""Asks a model for vectors: in batches, a few at once, with retries and further keys as for chats.

A thin shell. Each vector is written down in the form that is wanted as soon as it is there, so that no
request holds millions of numbers. Never another model: its vectors would not compare.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import structlog
from msgspec import Struct

from openclaw_gateway.errors import GatewayError, InvalidRequest, ProviderError
from openclaw_gateway.models.apis.google_generative_ai import api as google
from openclaw_gateway.models.apis.openai_completions import api as openai
from openclaw_gateway.models.attempts import Attempts
from openclaw_gateway.models.cooldown import Cooldowns
from openclaw_gateway.models.embeddings import dialects
from openclaw_gateway.models.embeddings.choice import Embedding
from openclaw_gateway.models.embeddings.dialects import Asked, Vector
from openclaw_gateway.models.embeddings.lengths import fitted, is_nested, normalised
from openclaw_gateway.models.failover import RetryPolicy, wait_before_retry
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.target import Endpoint
from openclaw_gateway.models.vendor_errors import from_response, retry_after_s
from openclaw_gateway.wire.embedding import EmbeddingRequest, Input

log = structlog.get_logger()

_AT_ONCE = 4
# Vectors that are written down before others have their turn.
_TOGETHER = 16
# A token of English text is so long, about.
_CHARS_A_TOKEN = 4
_LARGEST = 3.4e38
_POLICY = RetryPolicy()

Writing = Callable[[Vector], bytes]


class Embedded(Struct, frozen=True):
    """`vectors` as they were to be written, in the order of the inputs; `prompt_tokens` as the provider
    counts them, 0 where it does not."""

    vectors: Sequence[bytes]
    prompt_tokens: int


class Embedder:
    """`local` is asked where the embedded model's server for vectors is."""

    def __init__(
        self,
        client: UpstreamClient,
        cooldowns: Cooldowns,
        local: Callable[[], Awaitable[Endpoint]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._cooldowns = cooldowns
        self._local = local
        self._sleep = sleep

    async def embed(self, embedding: Embedding, request: EmbeddingRequest, write: Writing) -> Embedded:
        """Raises ProviderError, and InvalidRequest for what this model cannot be asked."""
        _check(embedding, request)
        dimensions = request.dimensions or embedding.dimensions
        written: list[bytes] = [b""] * len(request.inputs)
        tokens = 0
        waiting = _batches(request.inputs, embedding.habits.most_inputs, embedding.habits.most_chars)

        async def work() -> None:
            nonlocal tokens
            for start, end in waiting:
                asked = Asked(
                    embedding.target,
                    embedding.speech,
                    request.inputs[start:end],
                    dimensions,
                    embedding.input_type,
                )
                vectors, counted = await self._batch(embedding, asked)
                tokens += counted
                for at, vector in enumerate(vectors):
                    if at % _TOGETHER == _TOGETHER - 1:
                        await asyncio.sleep(0)
                    written[start + at] = write(_fit(embedding, vector, dimensions))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_AT_ONCE):
                    group.create_task(work(), name="embeddings")
        except ExceptionGroup as failed:
            known = [error for error in failed.exceptions if isinstance(error, GatewayError)]
            if not known:
                raise
            raise known[0] from None
        return Embedded(written, tokens)

    async def _batch(self, embedding: Embedding, asked: Asked) -> tuple[list[Vector], int]:
        """Over retries and further keys. Raises ProviderError."""
        target = embedding.target
        started = time.monotonic()
        attempts = Attempts((target,), self._cooldowns, started)
        candidate = attempts.take(started)
        attempt, retried = 1, False
        while True:
            try:
                found = await self._once(embedding, asked, candidate[1])
            except ProviderError as error:
                failure = error
            else:
                self._cooldowns.succeeded((target.circle, candidate[1]))
                return found
            now = time.monotonic()
            self._cooldowns.failed((target.circle, candidate[1]), failure, now)
            further = attempts.has_after(candidate, failure)
            wait = None
            if not (further and failure.reason == "rate_limit"):
                jitter = random.random()  # noqa: S311 - spreads retries, protects nothing
                wait = wait_before_retry(
                    failure, attempt=attempt, elapsed_s=now - started, jitter=jitter, policy=_POLICY
                )
            log.warning(
                "embeddings.call_failed",
                model=target.ref,
                attempt=attempt,
                reason=failure.reason,
                status=failure.provider_status,
                error=failure.message,
                retry_in_s=None if wait is None else round(wait, 3),
            )
            if wait is not None:
                await self._sleep(wait)
                attempt, retried = attempt + 1, True
                continue
            if not attempts.failed(candidate, failure):
                final = attempts.error()
                final.retries_spent = retried or final.retry_after is None
                raise final
            candidate, attempt, retried = attempts.take(now), 1, True

    async def _once(self, embedding: Embedding, asked: Asked, key: int) -> tuple[list[Vector], int]:
        """One request. Raises ProviderError."""
        target, speech = embedding.target, embedding.speech
        endpoint = await self._local() if embedding.is_embedded else target.endpoint.with_key(key)
        headers = google.headers if speech == "google" else openai.headers
        body = dialects.body(asked, embedding.habits)
        response = await self._client.post(endpoint, dialects.path(target, speech), body, headers)
        try:
            if not 200 <= response.status < 300:
                said = await response.read_error()
                raise from_response(
                    endpoint.vendor,
                    response.status,
                    said,
                    retry_after=retry_after_s(response.headers, time.time()),
                )
            answer = await response.read_all()
        finally:
            response.close()
        return dialects.read(endpoint.vendor, speech, answer, len(asked.inputs))


def _check(embedding: Embedding, request: EmbeddingRequest) -> None:
    """What no request to the provider would change. Raises InvalidRequest."""
    target = embedding.target
    if request.has_tokens and not embedding.habits.tokens:
        raise InvalidRequest(
            f"`input`: {target.provider} takes texts, not numbers of tokens. Send the texts themselves "
            "(check_embedding_ctx_length=False in langchain-openai).",
            code="token_input_not_taken",
            param="input",
        )
    sent = embedding.speech != "openai" or embedding.habits.dimensions
    if request.dimensions and not sent and not is_nested(target.model):
        raise InvalidRequest(
            f"`dimensions`: the vectors of {target.ref} have one length only. Leave it out.",
            param="dimensions",
        )


def _batches(inputs: Sequence[Input], most: int, most_chars: int) -> Iterator[tuple[int, int]]:
    """Where each begins and ends. One that is too long stands alone: its provider
    says what it thinks of it."""
    start = size = 0
    for at, each in enumerate(inputs):
        length = len(each) if isinstance(each, str) else len(each) * _CHARS_A_TOKEN
        if at > start and (at - start == most or size + length > most_chars):
            yield start, at
            start, size = at, 0
        size += length
    yield start, len(inputs)


def _fit(embedding: Embedding, vector: Vector, dimensions: int | None) -> Vector:
    """Raises InvalidRequest, and ProviderError for numbers that float32 has not."""
    target = embedding.target
    # What is no number has no order, but a sum.
    if max(vector) > _LARGEST or min(vector) < -_LARGEST or not math.isfinite(sum(vector)):
        raise ProviderError(
            "bad_response", f"The provider {target.provider} sent a vector with numbers beyond all bounds."
        )
    cut = fitted(vector, dimensions, target.model)
    # Google's vectors have length 1 only in full.
    return normalised(cut) if embedding.speech == "google" and dimensions is not None else cut
