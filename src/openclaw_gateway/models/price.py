"""What a model's tokens cost, as the operator's file says it. Pure."""

from dataclasses import dataclass

from openclaw_gateway.wire.run import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Per million tokens, in the currency of the file."""

    input: float
    output: float
    cache_read: float
    cache_write: float

    def of(self, usage: Usage) -> float:
        plain = max(0, usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens)
        return (
            plain * self.input
            + usage.cached_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write
            + usage.completion_tokens * self.output
        ) / _MILLION
