"""What of a long conversation a model is still told: `contextPruning` and `compaction`.

Tokens, characters and ratios as the operator writes them; what is done with them is decided in runs/.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.values import Count, Duration, NotNegative, Seconds

# A part of the model's context window.
Ratio = Annotated[float, Meta(ge=0, le=1)]


class SoftTrim(Struct, frozen=True, rename="camel"):
    """A result longer than `max_chars` keeps its head and its tail."""

    max_chars: NotNegative = 4000
    head_chars: NotNegative = 1500
    tail_chars: NotNegative = 1500


class HardClear(Struct, frozen=True, rename="camel"):
    """A result is replaced by the placeholder."""

    enabled: bool = True
    placeholder: str = "[Old tool result content cleared]"


class PrunedTools(Struct, frozen=True, rename="camel"):
    """Names of tools, `*` allowed: whose results may be pruned (none named = all), and whose never."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class ContextPruning(Struct, frozen=True, rename="camel"):
    """`mode` None prunes by size alone, "cache-ttl" only once the provider's prompt cache is cold."""

    mode: Literal["off", "cache-ttl"] | None = None
    ttl: Duration = "5m"
    keep_last_assistants: NotNegative = 3
    soft_trim_ratio: Ratio = 0.3
    hard_clear_ratio: Ratio = 0.5
    min_prunable_tool_chars: NotNegative = 50_000
    tools: PrunedTools = PrunedTools()
    soft_trim: SoftTrim = SoftTrim()
    hard_clear: HardClear = HardClear()


class Compaction(Struct, frozen=True, rename="camel"):
    """`mode` is accepted: summaries are always written in as many parts as the window asks for."""

    enabled: bool = True
    mode: Literal["default", "safeguard"] = "default"
    reserve_tokens: NotNegative = 16_384
    reserve_tokens_floor: NotNegative = 20_000
    keep_recent_tokens: Count = 20_000
    timeout_seconds: Seconds = 180.0
