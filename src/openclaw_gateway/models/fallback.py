"""One model call over everything that may answer it: retries, further keys, further models.

Asks `failover` and `cooldown` what to do, and a ModelCaller to do it. Another model is tried only where
it may help, and never after the reader has seen text, reasoning or a tool call: two answers must not be
glued together. Every failed attempt is an event. Waiting ends after ten seconds in all; a model that has
another one behind it is given one quick retry at most. Must not know sessions, agents or who is listening.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from weakref import WeakKeyDictionary

import structlog

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.cooldown import Cooldowns
from openclaw_gateway.models.course import Course
from openclaw_gateway.models.failover import RetryPolicy, wait_before_retry
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.events import Event, ModelCalled, ModelFailed, UsageReported
from openclaw_gateway.wire.messages import ReasoningBlock, ToolCall
from openclaw_gateway.wire.run import FinishReason

log = structlog.get_logger()

_NOT_OUTPUT = (ModelCalled, ModelFailed, UsageReported)

NO_RETRIES = RetryPolicy(waits_s=())
"""For the ModelCaller below a FallbackCaller, which does the retries itself."""

_LAST = RetryPolicy()
_WITH_ANOTHER_BEHIND = RetryPolicy(waits_s=(0.3,), total_s=1.5)


class FallbackCaller:
    """`keys` are the further keys of a provider, by the name its endpoint has.

    `caller` should have the policy NO_RETRIES: otherwise its own retries come first, without events.
    `last` is the policy for the last model there is, `before` for those with another one behind them.
    """

    def __init__(
        self,
        caller: ModelCaller,
        cooldowns: Cooldowns | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        keys: Mapping[str, Sequence[str]] | None = None,
        last: RetryPolicy = _LAST,
        before: RetryPolicy = _WITH_ANOTHER_BEHIND,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._caller = caller
        self._cooldowns = cooldowns or Cooldowns()
        self._clock = clock
        self._more_keys = {provider: tuple(more) for provider, more in (keys or {}).items() if more}
        self._last = last
        self._before = before
        self._sleep = sleep
        # What has a key of its own has an endpoint of its own, so that it is prepared once.
        self._keyed: WeakKeyDictionary[ModelTarget, tuple[ModelTarget, ...]] = WeakKeyDictionary()

    def stream(self, targets: Sequence[ModelTarget], request: ModelRequest) -> "FallbackCall":
        """Like ModelCaller.stream, for the first of `targets` (at least one) that answers.

        ModelFailed comes after each failed attempt. When all have failed, raises the error of the only
        one, or an error with the first one's reason that names them all.
        """
        return FallbackCall(self._batches, targets, request)

    async def _batches(self, call: "FallbackCall") -> AsyncGenerator[list[Event], None]:
        started = began = self._clock()
        course = Course(call.targets, [self._keys_of(each) for each in call.targets], self._cooldowns, began)
        place = course.take(began)
        attempt, seen = 1, False
        while True:
            call.target = target = self._with_key(call.targets[place[0]], place[1])
            try:
                inner = self._caller.stream(target, call.request)
                async with aclosing(inner):
                    async for events in inner:
                        if not seen:
                            call.has_spoken = seen = not isinstance(events[0], _NOT_OUTPUT)
                            if attempt > 1 and isinstance(events[0], ModelCalled):
                                yield [ModelCalled(target.provider, target.model, attempt)]
                                continue
                        yield events
            except ProviderError as error:
                failure = error
            else:
                self._cooldowns.succeeded((target.provider, place[1]))
                call.finish_reason, call.tool_calls = inner.finish_reason, inner.tool_calls
                call.blocks = inner.blocks
                return
            now = self._clock()
            self._cooldowns.failed((target.provider, place[1]), failure, now)
            last = not course.has_after(place, failure)
            wait = None if seen else self._wait(failure, attempt, now - began, now - started, last=last)
            yield [ModelFailed(target.provider, target.model, attempt, failure.code, wait)]
            if seen:
                raise failure
            if wait is not None:
                log.info("model.retry", model=target.ref, code=failure.code, retry_in_s=round(wait, 3))
                await self._sleep(wait)
                attempt += 1
                continue
            if not course.failed(place, failure):
                raise course.error()
            place, began, attempt = course.take(now), now, 1
            log.warning(
                "model.fallback", model=target.ref, code=failure.code, next=call.targets[place[0]].ref
            )

    def _wait(
        self, error: ProviderError, attempt: int, here_s: float, in_all_s: float, *, last: bool
    ) -> float | None:
        """Seconds until the same model is asked again; None = not again."""
        if not last and error.reason == "rate_limit":
            return None
        jitter = random.random()  # noqa: S311 - spreads retries, protects nothing
        wait = wait_before_retry(
            error,
            attempt=attempt,
            elapsed_s=in_all_s if last else here_s,
            output_seen=False,
            jitter=jitter,
            policy=self._last if last else self._before,
        )
        return None if wait is None or in_all_s + wait >= self._last.total_s else wait

    def _with_key(self, target: ModelTarget, place: int) -> ModelTarget:
        more = self._more_keys.get(target.provider)
        if not more:
            return target
        keyed = self._keyed.get(target)
        if keyed is None:
            keyed = tuple(replace(target, endpoint=replace(target.endpoint, api_key=key)) for key in more)
            self._keyed[target] = keyed
        # Without one of its own, the provider's first key is the first of these.
        own = target.endpoint.api_key is not None
        return target if own and not place else keyed[place - own]

    def _keys_of(self, target: ModelTarget) -> int:
        more = self._more_keys.get(target.provider)
        return len(more) + (target.endpoint.api_key is not None) if more else 1


class FallbackCall:
    """One call under way. Its results, and `target` (who answered), count once the iteration has ended.

    `has_spoken` also after a failure: a reader has seen text, reasoning or a tool call, so that whoever
    asks once more would glue two answers together.
    """

    def __init__(
        self,
        batches: Callable[["FallbackCall"], AsyncGenerator[list[Event], None]],
        targets: Sequence[ModelTarget],
        request: ModelRequest,
    ) -> None:
        self.targets = targets
        self.request = request
        self.target = targets[0]
        self.has_spoken = False
        self.finish_reason: FinishReason = "stop"
        self.tool_calls: tuple[ToolCall, ...] = ()
        self.blocks: tuple[ReasoningBlock, ...] = ()
        self._batches = batches(self)

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self._batches

    async def aclose(self) -> None:
        """End the call and close its connection if it is still going."""
        await self._batches.aclose()
