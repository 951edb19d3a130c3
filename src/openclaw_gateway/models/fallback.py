"""One model call over everything that may answer it: retries, further keys, further models.

Asks `failover` and `cooldown` what to do, and a ModelCaller to do it. Another model is tried only where
it may help, and never after the reader has seen text, reasoning or a tool call: two answers must not be
glued together. Every failed attempt is an event. Waiting ends after ten seconds in all; a model that has
another one behind it is given one quick retry at most. Must not know sessions, agents or who is listening.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.logs.asked import ASKED
from openclaw_gateway.models.attempts import Attempts
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.cooldown import Cooldowns
from openclaw_gateway.models.failover import RetryPolicy, wait_before_retry
from openclaw_gateway.models.model_answer import Hear, ModelAnswer
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.events import Event, ModelCalled, ModelFailed
from openclaw_gateway.wire.messages import MadeBy, ToolCall
from openclaw_gateway.wire.run import FinishReason

log = structlog.get_logger()

_LAST = RetryPolicy()
_WITH_ANOTHER_BEHIND = RetryPolicy(waits_s=(0.3,), total_s=1.5)


class FallbackCaller:
    """`last` is the policy for the last model there is, `before` for those with another one behind them."""

    def __init__(
        self,
        caller: ModelCaller,
        cooldowns: Cooldowns | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        last: RetryPolicy = _LAST,
        before: RetryPolicy = _WITH_ANOTHER_BEHIND,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._caller = caller
        self._cooldowns = cooldowns or Cooldowns()
        self._clock = clock
        self._last = last
        self._before = before
        self._sleep = sleep

    async def make(self, call: "FallbackCall") -> None:
        """Ask until there is an answer, and tell whoever hears of it. Cancelling closes the connection.

        Each attempt at one of the targets begins with [ModelCalled] and, when it fails, ends
        with [ModelFailed]. Between them are the deltas exactly as the provider sent them, as many together
        as one read brought; the last batch ends with UsageReported if the provider reported usage. When all
        have failed, raises the error of the only attempt, or one with the first one's reason that names all.
        Raises what the hearer raises.
        """
        started = began = self._clock()
        attempts = Attempts(call.targets, self._cooldowns, began)
        candidate = attempts.take(began)
        attempt, retried = 1, False
        while True:
            call.target = target = call.targets[candidate[0]]
            await call.tell(ModelCalled(target.provider, target.model, attempt))
            answer: ModelAnswer | None = None
            try:
                answer = await self._caller.open(target, call.request, candidate[1])
                await answer.tell(call.hear)
            except ProviderError as error:
                failure = error
            else:
                self._cooldowns.succeeded((target.circle, candidate[1]))
                call.finish_reason, call.tool_calls = answer.parser.finish_reason, answer.parser.tool_calls
                call.cut_calls = answer.parser.cut_calls
                return
            finally:
                if answer is not None:
                    call.has_spoken = answer.has_spoken
                    answer.close()
            now = self._clock()
            self._cooldowns.failed((target.circle, candidate[1]), failure, now)
            wait = None
            if not call.has_spoken:
                last = not attempts.has_after(candidate, failure)
                wait = self._wait(failure, attempt, now - began, now - started, last=last)
            _log_failure(target, attempt, failure, wait)
            await call.tell(ModelFailed(target.provider, target.model, attempt, failure.code, wait))
            if call.has_spoken:
                break
            if wait is not None:
                await self._sleep(wait)
                attempt, retried = attempt + 1, True
                continue
            if not attempts.failed(candidate, failure):
                failure = attempts.error()
                # Asked to wait longer than it may, the gateway has not even tried: its caller still can.
                failure.retries_spent = retried or failure.retry_after is None
                break
            retried = True
            candidate, began, attempt = attempts.take(now), now, 1
            log.warning(
                "model.fallback",
                request=ASKED.get().request,
                model=target.ref,
                code=failure.code,
                next=call.targets[candidate[0]].ref,
            )
        try:
            raise failure
        finally:
            # Errors in a frame of their own traceback would keep it, and so the whole request.
            del failure, attempts

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
            jitter=jitter,
            policy=self._last if last else self._before,
        )
        return None if wait is None or in_all_s + wait >= self._last.total_s else wait


class FallbackCall:
    """One call: what is asked of which of `targets` (at least one), and who hears what comes of it. Its
    results, and `target` (who answered), count once it is made.

    `has_spoken` also after a failure: a reader has seen text, reasoning or a tool call, so that whoever
    asks once more would glue two answers together.
    """

    def __init__(self, targets: Sequence[ModelTarget], request: ModelRequest, hear: Hear) -> None:
        self.targets = targets
        self.request = request
        self.hear = hear
        self.target = targets[0]
        self.has_spoken = False
        self.finish_reason: FinishReason = "stop"
        self.tool_calls: tuple[ToolCall, ...] = ()
        self.cut_calls: tuple[ToolCall, ...] = ()

    @property
    def made_by(self) -> MadeBy:
        """Who answered."""
        return self.target.made_by

    async def tell(self, event: Event) -> None:
        if (pause := self.hear([event])) is not None:
            await pause()


def _log_failure(target: ModelTarget, attempt: int, error: ProviderError, wait: float | None) -> None:
    log.warning(
        "model.call_failed",
        request=ASKED.get().request,
        provider=target.provider,
        model=target.model,
        attempt=attempt,
        reason=error.reason,
        status=error.provider_status,
        error=error.message,
        retry_in_s=None if wait is None else round(wait, 3),
    )
