"""Token counts as providers write them. Pure."""

from msgspec import Struct

from openclaw_gateway.wire.events import UsageReported
from openclaw_gateway.wire.run import Usage


class Cached(Struct):
    cached_tokens: float | None = None


class Reasoned(Struct):
    reasoning_tokens: float | None = None


def count(tokens: float | None) -> int:
    """Tokens come as 3.0 from some servers; a number beyond all reason would break sums in a store."""
    return int(tokens) if tokens is not None and 0 <= tokens < 1 << 53 else 0


def spent(
    prompt: float | None,
    completion: float | None,
    total: float | None,
    cached: Cached | None,
    reasoned: Reasoned | None,
) -> UsageReported:
    """As both of OpenAI's APIs say it."""
    asked, answered = count(prompt), count(completion)
    return UsageReported(
        Usage(
            asked,
            answered,
            count(total) or asked + answered,
            count(cached.cached_tokens) if cached else 0,
            count(reasoned.reasoning_tokens) if reasoned else 0,
        )
    )
