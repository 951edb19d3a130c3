"""What a request asks of a model's settings, over what the operator configured. Pure, for all dialects."""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.run import Sampling

LEVELS = ("minimal", "low", "medium", "high", "xhigh")
"""From little to much thinking. Beside them "off" (OpenAI's word is "none"): no thinking."""

OFF = ("off", "none")

# Tokens of thinking, for vendors that count instead of naming levels.
BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}

_encode = msgspec.json.Encoder().encode
_NO_SAMPLING = Sampling()


def settings(target: ModelTarget, request: ModelRequest) -> Sampling:
    """The request's settings, else the operator's, field by field."""
    asked, under = request.sampling, target.sampling
    if under == _NO_SAMPLING:
        return asked
    return Sampling(
        **{
            name: configured if (value := getattr(asked, name)) is UNSET else value
            for name, configured in msgspec.structs.asdict(under).items()
        }
    )


def written(wire: Struct, target: ModelTarget) -> bytes:
    """The request as JSON, with the fields that only this provider knows behind ours."""
    body = _encode(wire)
    if target.extra_body:
        return b"%b,%b" % (body[:-1], _encode(target.extra_body)[1:])
    return body


def max_tokens(target: ModelTarget, chosen: Sampling) -> int | UnsetType:
    """The longest answer: as chosen, else the model's own limit."""
    if chosen.max_tokens is UNSET and target.max_tokens is not None:
        return target.max_tokens
    return chosen.max_tokens


def effort(target: ModelTarget, chosen: Sampling) -> str | UnsetType:
    """The reasoning level in the provider's words; UNSET = nothing is said about it.

    A level it does not know becomes the nearest lower one it does, else the lowest.
    """
    asked, thinking = chosen.reasoning_effort, target.family.thinking
    if asked is UNSET or thinking.way == "never":
        return UNSET
    if asked in thinking.words:
        return thinking.words[asked]
    if asked == "off":
        # Not every server knows OpenAI's word for it, and those that think only when told need none.
        return "none" if "none" in thinking.levels else UNSET
    if not thinking.levels or asked in thinking.levels or asked not in LEVELS:
        return asked
    known = [level for level in LEVELS if level in thinking.levels]
    below = [level for level in known if LEVELS.index(level) <= LEVELS.index(asked)]
    return (below or known[:1] or [asked])[-1]


def thinking(chosen: Sampling) -> str | None:
    """One of LEVELS, "off", or None when nobody asked; for dialects that have their own words."""
    asked = chosen.reasoning_effort
    if asked is UNSET:
        return None
    if asked in OFF:
        return "off"
    return asked if asked in LEVELS else "medium"


def asked_for(request: ModelRequest, *names: str) -> tuple[str, ...]:
    """Those of these fields that the request itself sets: nobody is told of the operator's own."""
    return tuple(name for name in names if getattr(request.sampling, name) is not UNSET)


def strict_tools(request: ModelRequest) -> tuple[str, ...]:
    """The field's name, for dialects that have nothing like it, when a tool asks to be held to its schema."""
    return ("tools.function.strict",) if any(spec.strict for spec in request.tools) else ()


def schema_of(chosen: Sampling) -> tuple[str, dict[str, Any] | None]:
    """(`text`, `json_object` or `json_schema`; the schema's own object: name, schema, strict, …)."""
    form = chosen.response_format
    if form is UNSET:
        return "text", None
    wanted = msgspec.json.decode(form)
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_schema" and isinstance(wanted.get("json_schema"), dict):
        return "json_schema", wanted["json_schema"]
    return ("json_object", None) if kind == "json_object" else ("text", None)
