"""What a request asks of a model's settings, over what the operator configured. Pure, for all dialects."""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from openclaw_gateway.models.apis.thinking import thinks
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.run import Sampling

_encode = msgspec.json.Encoder().encode
_NO_SAMPLING = Sampling()
_FIELDS = Sampling.__struct_fields__


def settings(target: ModelTarget, request: ModelRequest) -> Sampling:
    """The request's settings, else the operator's, field by field, without those that the model refuses."""
    chosen = _chosen(target, request)
    if target.takes_all_settings:
        return chosen
    gone = refused(target, request)
    return msgspec.structs.replace(chosen, **dict.fromkeys(gone, UNSET)) if gone else chosen


def refused(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    """The settings that are left out because this model, or this api, does not take them."""
    if target.takes_all_settings:
        return ()
    family, chosen = target.family, _chosen(target, request)
    if chosen == _NO_SAMPLING:
        return ()
    names = set(family.refuses)
    if family.refuses_thinking and thinks(target, request, chosen):
        names |= family.refuses_thinking
    together = [name for name in family.one_of if getattr(chosen, name) is not UNSET]
    names.update(together[1:])
    if family.thinking.way == "never":
        names.add("reasoning_effort")
    return tuple(name for name in _FIELDS if name in names and getattr(chosen, name) is not UNSET)


def _chosen(target: ModelTarget, request: ModelRequest) -> Sampling:
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


def not_taken(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    """Those of the request's own settings that are left out; nobody is told of the operator's."""
    return () if target.takes_all_settings else asked_for(request, *refused(target, request))


def asked_for(request: ModelRequest, *names: str) -> tuple[str, ...]:
    """Those of these fields that the request itself sets."""
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
