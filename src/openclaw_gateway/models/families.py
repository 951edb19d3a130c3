"""What is known of models: one table of facts, each with where it was found and when. Pure.

The only place on this floor that contains a model's name. Looked up once, when a target is made; dialects,
the replay, `unsupported` and the catalog read what is found. Rows are laid over one another in their order,
so that a later one says what is different about its models.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from openclaw_gateway.models.family import AT_MOST_40, AT_MOST_64, NINE_ALPHANUMERICS, WORD_OF_64, Family


@dataclass(frozen=True, slots=True)
class Row:
    """`vendors` are hosts (and all below them) and names of providers; () = everybody's, as for `apis`."""

    source: str
    checked: date
    facts: dict[str, Any]
    vendors: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()

    def fits(self, provider: str, host: str, api: str) -> bool:
        if self.apis and api not in self.apis:
            return False
        return not self.vendors or provider in self.vendors or f".{host}".endswith(self.vendors)


_NOVEMBER = date(2026, 11, 28)

ROWS = (
    # Of OpenAI's own and of whoever passes on to it; nobody is known who insists on longer ones.
    Row(
        "OpenAI's error for a longer id",
        _NOVEMBER,
        {"call_ids": AT_MOST_40},
        apis=("openai-completions", "ollama"),
    ),
    Row(
        "field names of the vendor's reference",
        _NOVEMBER,
        {"max_tokens_field": "max_completion_tokens"},
        vendors=(".api.openai.com",),
        apis=("openai-completions",),
    ),
    Row(
        "the vendor's error for a longer call_id",
        _NOVEMBER,
        {"call_ids": AT_MOST_64},
        apis=("openai-responses",),
    ),
    Row(
        "tool_use.id in the reference of the Messages API",
        _NOVEMBER,
        {"call_ids": WORD_OF_64},
        apis=("anthropic-messages",),
    ),
    Row(
        "the vendor's errors for another id, and for a user's message behind a result",
        _NOVEMBER,
        {"call_ids": NINE_ALPHANUMERICS, "alternate": True},
        vendors=("mistral", ".mistral.ai"),
    ),
    Row(
        "both vendors' pages on tool calls while thinking",
        _NOVEMBER,
        {"reasoning_back": True},
        vendors=(".deepseek.com", ".moonshot.ai", ".moonshot.cn"),
    ),
)


@lru_cache(maxsize=1024)
def family_of(provider: str, host: str, api: str, model: str) -> Family:
    """`provider` is its id, `host` that of its address ("" = unknown), `model` the id that goes upstream."""
    facts: dict[str, Any] = {}
    for row in ROWS:
        if row.fits(provider, host, api):
            facts.update(row.facts)
    return replace(Family(), **facts)
