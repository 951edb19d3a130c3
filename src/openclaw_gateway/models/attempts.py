"""What to try for one model call, in which order, and what to say when all of it has failed.

Pure: the time comes in as an argument. A candidate is a model and one of its provider's keys. Rules: the
models in the order they were given; resting keys last, because they may work after all; another key only
where the key may be at fault; eight places at most. Another model also where one finds fault with the
request, because what one vendor refuses the next one takes; not where it is too long, because the run
shortens it and asks again.
"""

from collections.abc import Sequence

from openclaw_gateway.errors import ProviderError, ProviderReason
from openclaw_gateway.models.cooldown import Cooldowns
from openclaw_gateway.models.target import ModelTarget

# Another key of the same provider may be better off.
_OF_THE_KEY: frozenset[ProviderReason] = frozenset({"auth", "billing", "permission", "rate_limit"})
_MAX_TRIED = 8

Candidate = tuple[int, int]
"""Which of the targets, and which of its provider's keys."""


class Attempts:
    """Of one call. `cooldowns` say which keys rest, and rest while it goes."""

    __slots__ = ("_cooldowns", "_failed", "_left", "_targets")

    def __init__(self, targets: Sequence[ModelTarget], cooldowns: Cooldowns, now: float) -> None:
        self._targets = targets
        self._cooldowns = cooldowns
        self._failed: list[tuple[ModelTarget, ProviderError]] = []
        self._left: list[Candidate] = []
        for index, target in enumerate(targets):
            for key in cooldowns.in_order(target.circle, target.endpoint.keys, now):
                self._left.append((index, key))

    def take(self, now: float) -> Candidate:
        """The next candidate, which there must be: what does not rest, else the first that does."""
        left = self._left
        chosen = left[0]
        for index, key in left:
            if not self._cooldowns.rests((self._targets[index].circle, key), now):
                chosen = (index, key)
                break
        left.remove(chosen)
        return chosen

    def failed(self, candidate: Candidate, error: ProviderError) -> bool:
        """Note that a candidate has failed for good; whether there is another that may help."""
        self._left = self._after(candidate, error)
        self._failed.append((self._targets[candidate[0]], error))
        return bool(self._left)

    def has_after(self, candidate: Candidate, error: ProviderError) -> bool:
        """Whether there would be another candidate if this one failed for good now."""
        return bool(self._after(candidate, error))

    def _after(self, candidate: Candidate, error: ProviderError) -> list[Candidate]:
        if error.reason == "context_overflow" or len(self._failed) + 1 >= _MAX_TRIED:
            return []
        if error.reason in _OF_THE_KEY:
            return self._left
        return [other for other in self._left if other[0] != candidate[0]]

    def error(self) -> ProviderError:
        """What to raise when nothing is left: the only error, or one with the first one's reason."""
        # Too long is what the run can mend, whoever said it.
        last = self._failed[-1][1]
        first = last if last.reason == "context_overflow" else self._failed[0][1]
        if len(self._failed) == 1:
            return first
        tried = [f"{target.ref}: {error.code}" for target, error in self._failed]
        error = ProviderError(
            first.reason,
            f"{first.message} {len(tried)} attempts failed: {'; '.join(tried)}.",
            retry_after=first.retry_after,
            provider_status=first.provider_status,
        )
        error.retryable = first.retryable
        return error
