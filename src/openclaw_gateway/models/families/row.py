"""One row of the table: for which models its facts hold. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from typing import TypedDict

from openclaw_gateway.models.family import CallIds, Thinking

Version = tuple[int, int]


class Facts(TypedDict, total=False):
    """Fields of `Family`, of the same types; neither can be made of the other, so a test compares them."""

    known: bool
    context: int
    output: int
    images: bool
    pdf: bool
    audio: bool
    tools: bool
    alternate: bool
    call_ids: CallIds
    results_named: bool
    reasoning_back: bool
    names: bool
    shown_in_results: bool
    refuses: frozenset[str]
    refuses_thinking: frozenset[str]
    one_of: tuple[str, ...]
    thinking: Thinking
    reasons: bool
    thinks_with_tools: bool
    insists: bool
    seals_calls: bool
    max_tokens_field: str
    usage_in_stream: bool
    answers_schema: bool
    schema_with_tools: bool
    schema_refuses: frozenset[str]
    cuts_at: int
    retires: date


@dataclass(frozen=True, slots=True)
class Row:
    """`source` says where the facts were found, `checked` when.

    `vendors` are names of providers, and with a dot before them hosts and all below; () = everybody, as for
    `apis`. `models` finds its models in ids as `folded` leaves them, its two groups their version: from
    `since` up to but without `before`.
    """

    source: str
    checked: date
    facts: Facts
    vendors: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    models: re.Pattern[str] | None = None
    since: Version = (0, 0)
    before: Version = (99, 0)

    def fits(self, provider: str, host: str, api: str, model: str) -> bool:
        if self.apis and api not in self.apis:
            return False
        if self.vendors and provider not in self.vendors and not f".{host}".endswith(self.vendors):
            return False
        if self.models is None:
            return True
        found = self.models.search(model)
        return found is not None and self.since <= version(found) < self.before


def version(found: re.Match[str]) -> Version:
    """(0, 0) of a pattern that has no version."""
    major, minor = (*found.groups(), None, None)[:2]
    return int(major or 0), int(minor or 0)


def folded(model: str) -> str:
    """An id as vendors and resellers would all write it."""
    return model.lower().replace(".", "-").replace("_", "-")
