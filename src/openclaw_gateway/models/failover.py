"""Whether a failed model call is tried again, and when.

Pure: time and chance come in as arguments. Rules: at most two retries; ten seconds in all, waits
included; only for failures that may pass by themselves. Not to be asked once a reader has seen a delta:
a second answer would be glued to half of the first.
"""

from dataclasses import dataclass

from openclaw_gateway.errors import ProviderError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`waits_s[n]` is the longest wait before retry n+1; its length is the number of retries."""

    waits_s: tuple[float, ...] = (0.5, 2.0)
    total_s: float = 10.0


def wait_before_retry(
    error: ProviderError,
    *,
    attempt: int,
    elapsed_s: float,
    jitter: float,
    policy: RetryPolicy,
) -> float | None:
    """Seconds to wait before the next attempt, None to give up and pass the error on.

    `attempt` counts from 1, `elapsed_s` is since the first one began, `jitter` is a random number in
    [0, 1) that spreads the callers of a provider that has failed them all at once.
    """
    if not error.retryable or attempt > len(policy.waits_s):
        return None
    if error.reason == "empty" and attempt > 1:
        # A model that has nothing to say twice has nothing to say.
        return None
    if error.retry_after is not None:
        # Never sooner than asked for, and a little later than everybody else who was told the same.
        wait = error.retry_after + jitter * 0.1
    elif error.reason == "cut" and attempt == 1:
        # Most often a kept-alive connection that the provider closed while we were using it.
        wait = 0.05
    else:
        wait = policy.waits_s[attempt - 1] * (0.5 + jitter / 2)
    return wait if elapsed_s + wait < policy.total_s else None
