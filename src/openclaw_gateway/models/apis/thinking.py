"""How much a model is told to think: our words, up or down to those its family takes. Pure, for all dialects.

Our words are LEVELS, "off" (OpenAI's word is "none"), "ultra" (as "max") and "adaptive", as much as the model
sees fit; an operator or a client may write a vendor's own instead.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, UnsetType

from openclaw_gateway.models.family import LEVELS, Family, Thinking
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.run import Sampling

OFF = ("off", "none")

# Those of apis that are no OpenAI's, and have no words of others.
_OWN_WAYS = {"adaptive", "budget", "level"}
# Tokens of thinking, for vendors that count instead of naming levels.
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 65536}

FIELDS = frozenset({"reasoning", "thinking", "enable_thinking", "chat_template_kwargs"})
"""Where vendors put it in the OpenAI request, beside `reasoning_effort`; an operator's extra body may too."""


def level(thinking: Thinking, asked: str | UnsetType) -> str:
    """The nearest it takes: one of LEVELS, "none", or a vendor's own word; "" = nothing is to be said.

    A level it does not know becomes the nearest lower one it does, else the lowest.
    """
    known = thinking.levels
    if isinstance(asked, UnsetType) or thinking.way == "never":
        return ""
    if asked in OFF:
        # Not every server knows the word, and those that think only when told need none.
        if "none" in known or (asked == "none" and not known):
            return "none"
        return known[0] if known else ""
    if asked == "adaptive":
        return "" if thinking.usual or not known else _nearest(known, "medium")
    if asked == "ultra":
        asked = "max"
    if asked not in LEVELS:
        return _nearest(known, "medium") if thinking.way in _OWN_WAYS else asked
    return _nearest(known, asked) if known and asked not in known else asked


def _nearest(known: tuple[str, ...], asked: str) -> str:
    able = [each for each in LEVELS if each in known]
    below = [each for each in able if LEVELS.index(each) <= LEVELS.index(asked)]
    return (below or able[:1] or [asked])[-1]


def told(target: ModelTarget, request: ModelRequest, chosen: Sampling) -> str:
    """The level to be said in this request, "" = none is."""
    family = target.family
    if request.tools and not family.thinks_with_tools:
        return "none"
    return level(family.thinking, chosen.reasoning_effort)


def thinks(target: ModelTarget, request: ModelRequest, chosen: Sampling) -> bool:
    """Whether the model is going to think, as far as the request decides it."""
    if insisted(request) and target.family.thinking.way in {"adaptive", "budget"}:
        return False
    said = told(target, request, chosen)
    return said != "none" if said else bool(target.family.thinking.usual)


def insisted(request: ModelRequest) -> bool:
    """Whether a tool is to be called whatever the model thinks of it."""
    return bool(request.tools) and request.tool_choice not in ("auto", "none")


def word(thinking: Thinking, asked: str | UnsetType, said: str) -> str:
    """What the family calls the level `said`, which is what became of `asked`."""
    if isinstance(asked, str) and asked in thinking.words:
        return thinking.words[asked]
    return thinking.words.get(said, said)


def budget(thinking: Thinking, said: str) -> int:
    """Tokens for the level, within what the family takes."""
    least, most = thinking.budget
    return max(least, min(_BUDGETS.get(said, _BUDGETS["medium"]), most))


def level_within(tokens: int) -> str:
    """The highest of LEVELS that thinks with no more tokens, for clients that count."""
    able = [name for name, budgeted in _BUDGETS.items() if budgeted <= tokens]
    return able[-1] if able else "minimal"


def effort(target: ModelTarget, request: ModelRequest, chosen: Sampling) -> str | UnsetType:
    """The level as one word of the provider's; UNSET = nothing is said about it."""
    thinking, asked = target.family.thinking, chosen.reasoning_effort
    if isinstance(asked, str) and asked in thinking.words and thinking.way != "never":
        return thinking.words[asked]
    said = told(target, request, chosen)
    return word(thinking, asked, said) if said else UNSET


def fields(target: ModelTarget, request: ModelRequest, chosen: Sampling) -> Iterator[tuple[str, Any]]:
    """What an OpenAI request says of it, in the shape this provider gave it."""
    if chosen.reasoning_effort is UNSET and target.family.thinks_with_tools:
        return
    named = effort(target, request, chosen)
    if isinstance(named, UnsetType):
        return
    on = named != "none"
    switch = {"type": "enabled" if on else "disabled"}
    for name, value in _shapes(target.family, named, on=on, switch=switch):
        if name not in target.extra_body:
            yield name, value


def _shapes(family: Family, named: str, *, on: bool, switch: dict[str, str]) -> Iterator[tuple[str, Any]]:
    match family.thinking.way:
        case "openrouter":
            yield "reasoning", {"effort": named}
        case "zai":
            yield "thinking", switch
        case "deepseek":
            yield "thinking", switch
            if on:
                yield "reasoning_effort", named
        case "qwen":
            yield "enable_thinking", on
        case "qwen-chat-template":
            yield "chat_template_kwargs", {"enable_thinking": on}
        case _:
            yield "reasoning_effort", named
