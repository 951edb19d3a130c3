"""A model call as a run sees it: events in batches, retried while nobody has seen any.

The thin shell of this floor: it asks `failover` whether, a dialect what, and the upstream client to do
it. It must not know sessions, agents or who is listening.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import structlog

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models import toolless
from openclaw_gateway.models.answer import Answer
from openclaw_gateway.models.apis.dialect import Parser
from openclaw_gateway.models.apis.openai_completions import refuses_stream_options
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.failover import RetryPolicy, wait_before_retry
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import LOCAL, Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import from_response, retry_after_s
from openclaw_gateway.wire.events import Event, ModelCalled
from openclaw_gateway.wire.messages import ReasoningBlock, ToolCall
from openclaw_gateway.wire.run import FinishReason

log = structlog.get_logger()

# Where the embedded model is; starts it if need be.
LocalEndpoint = Callable[[], Awaitable[Endpoint]]


class ModelCaller:
    """Makes model calls. `local` is asked where the embedded model is, for targets that mean it."""

    def __init__(
        self,
        client: UpstreamClient,
        local: LocalEndpoint | None = None,
        *,
        policy: RetryPolicy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._local = local
        self._policy = policy or RetryPolicy()
        self._monotonic = monotonic
        self._now = now
        # Providers that refused `stream_options`, so that each is asked in vain only once.
        self._without_usage: set[str] = set()

    def stream(self, target: ModelTarget, request: ModelRequest) -> "ModelCall":
        """Iterate over the result for batches of events; `aclose()` it, whatever happens:

            async with aclosing(caller.stream(...)) as call:
                async for events in call: ...
            call.finish_reason, call.tool_calls, call.blocks

        The first batch is [ModelCalled], again for each retry. Then come the deltas exactly as the
        provider sent them, as many together as one read brought. The last batch ends with UsageReported
        if the provider reported usage. Raises ProviderError, after the deltas that came before it.
        """
        wrap = None
        if not target.tools:
            wrap = toolless.wrapper(request)
            request = toolless.without_tools(request)
        return ModelCall(self._batches, target, request, wrap)

    async def _batches(self, call: "ModelCall") -> AsyncGenerator[list[Event], None]:
        target = call.target
        started = self._monotonic()
        output_seen = False
        attempt = 1
        while True:
            yield [ModelCalled(target.provider, target.model, attempt)]
            answer: Answer | None = None
            try:
                answer = await self._open(call)
                while events := await answer.batch():
                    output_seen = True
                    yield events
                call.finish_reason = answer.parser.finish_reason
                call.tool_calls = answer.parser.tool_calls
                call.blocks = answer.parser.blocks
            except ProviderError as error:
                wait = wait_before_retry(
                    error,
                    attempt=attempt,
                    elapsed_s=self._monotonic() - started,
                    output_seen=output_seen,
                    jitter=random.random(),  # noqa: S311 - spreads retries, protects nothing
                    policy=self._policy,
                )
                _log_failure(target, attempt, error, wait)
                if wait is None:
                    raise
            else:
                return
            finally:
                if answer is not None:
                    answer.close()
            await asyncio.sleep(wait)
            attempt += 1

    async def _open(self, call: "ModelCall") -> Answer:
        target, dialect = call.target, DIALECTS[call.target.api]
        endpoint = await self._endpoint(target)
        vendor = endpoint.vendor
        while True:
            stream_usage = target.compat.usage_in_stream and target.provider not in self._without_usage
            body = dialect.body(target, call.request, stream_usage=stream_usage)
            response = await self._client.post(endpoint, dialect.path(target), body, dialect.headers)
            if 200 <= response.status < 300:
                parser = dialect.parser(vendor)
                return Answer(response, call.wrap(parser) if call.wrap else parser, vendor)
            try:
                said = await response.read_error()
            finally:
                response.close()
            if stream_usage and refuses_stream_options(response.status, said):
                self._without_usage.add(target.provider)
                continue
            raise from_response(
                vendor, response.status, said, retry_after=retry_after_s(response.headers, self._now())
            )

    async def _endpoint(self, target: ModelTarget) -> Endpoint:
        if target.provider != LOCAL or target.endpoint.base_url:
            return target.endpoint
        if self._local is None:
            raise ProviderError("unreachable", "The embedded model is not available in this process.")
        return await self._local()


class ModelCall:
    """One call under way. Its results count once the iteration has ended.

    `tool_calls` is empty unless `finish_reason` is "tool_calls"; `blocks` belong on the stored message.
    """

    def __init__(
        self,
        batches: Callable[["ModelCall"], AsyncGenerator[list[Event], None]],
        target: ModelTarget,
        request: ModelRequest,
        wrap: Callable[[Parser], Parser] | None = None,
    ) -> None:
        self.target = target
        self.request = request
        self.wrap = wrap
        self.finish_reason: FinishReason = "stop"
        self.tool_calls: tuple[ToolCall, ...] = ()
        self.blocks: tuple[ReasoningBlock, ...] = ()
        self._batches = batches(self)

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self._batches

    async def aclose(self) -> None:
        """End the call and close its connection if it is still going."""
        await self._batches.aclose()


def _log_failure(target: ModelTarget, attempt: int, error: ProviderError, wait: float | None) -> None:
    log.warning(
        "model.call_failed",
        provider=target.provider,
        model=target.model,
        attempt=attempt,
        reason=error.reason,
        status=error.provider_status,
        error=error.message,
        retry_in_s=None if wait is None else round(wait, 3),
    )
